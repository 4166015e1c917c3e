//! Lines of CEF over syslog: RFC 5424 in octet-counted frames (RFC 6587 §3.4.1) over TLS (RFC 5425).
//!
//! Syslog has no answer. A line counts as delivered when the collector took the bytes and did not
//! break the connection.

use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Severity, Subject};
use noroshi_store::registry::push::{Carriage, Syslog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::message::{Item, Message};
use crate::outbound::Outbound;
use crate::retry::Outcome;

/// How long the collector may take for all of it.
const COLLECTOR_WAIT: Duration = Duration::from_secs(15);
/// How long a collector may take to break the connection, after it was ended from here.
const BREAK_WAIT: Duration = Duration::from_millis(500);
/// Facility `local0` (RFC 5424 §6.2.1).
const FACILITY: u8 = 16;

/// A collector of syslog.
pub struct Collector {
    host: String,
    port: u16,
    carriage: Carriage,
}

impl Collector {
    /// The collector that the registry names.
    ///
    /// # Errors
    /// Where its address is none, which the registry has checked.
    pub fn new(syslog: &Syslog) -> Result<Self, String> {
        let address = &syslog.address;
        let parts = address.rsplit_once(':');
        let parts = parts.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
        let (host, port) = parts.ok_or_else(|| format!("{address}: write host:port"))?;
        Ok(Self {
            host,
            port,
            carriage: syslog.carriage,
        })
    }

    /// Sends a message, a line for each case.
    pub async fn send(&self, outbound: &Outbound, message: &Message) -> Outcome {
        match tokio::time::timeout(COLLECTOR_WAIT, self.write(outbound, &frames(message))).await {
            Ok(Ok(())) => Outcome::Delivered,
            Ok(Err(error)) => Outcome::unreached(error),
            Err(_) => Outcome::unreached(format!("not taken within {COLLECTOR_WAIT:?}")),
        }
    }

    async fn write(&self, outbound: &Outbound, frames: &[u8]) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{}: {error}", self.host);
        let stream = match self.carriage {
            Carriage::Tls => outbound.secure(&self.host, self.port).await,
            Carriage::Plain => outbound.plain(&self.host, self.port).await,
        };
        let mut stream = stream.map_err(|error| error.to_string())?;
        stream.write_all(frames).await.map_err(told)?;
        stream.shutdown().await.map_err(told)?;
        match tokio::time::timeout(BREAK_WAIT, stream.read(&mut [0; 64])).await {
            Ok(Err(error)) => Err(told(error)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }
}

/// A frame for each case of a message.
pub fn frames(message: &Message) -> Vec<u8> {
    let mut frames = Vec::new();
    for item in &message.said.items {
        let line = line(message.id, message.at, item);
        frames.extend_from_slice(format!("{} {line}", line.len()).as_bytes());
    }
    frames
}

/// One line: the header of RFC 5424, then CEF.
fn line(id: Uuid, at: Millis, item: &Item) -> String {
    let level = match item.alert.severity {
        Severity::High => 2,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Info => 6,
    };
    let priority = FACILITY * 8 + level;
    let event = item.event.name();
    format!(
        "<{priority}>1 {at} noroshi noroshi - {event} - {}",
        cef(id, item)
    )
}

/// A case as CEF, with the extensions that Shadowserver's `cef.json` gives its reports.
fn cef(id: Uuid, item: &Item) -> String {
    let alert = &item.alert;
    let severity = match alert.severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 5,
        Severity::High => 8,
    };
    let drill = if alert.exercise { "EXERCISE " } else { "" };
    let name = format!("{drill}{} {}", alert.kind.name(), item.event.name());
    let mut extensions = vec![
        ("externalId", id.to_string()),
        ("end", alert.last_seen.0.to_string()),
    ];
    match &alert.subject {
        Subject::Source { source, asn } => {
            extensions.push(("src", source.to_string()));
            extensions.extend(asn.map(|asn| ("cn1", asn.to_string())));
            extensions.extend(asn.map(|_| ("cn1Label", "src_asn".to_owned())));
        }
        Subject::Victim { victim, .. } => extensions.push(("dst", victim.clone())),
        Subject::Service { service, .. } => extensions.push(("app", service.clone())),
        _ => {}
    }
    extensions.push(("cs3", alert.id.to_string()));
    extensions.push(("cs3Label", "alert".to_owned()));
    let escape = |text: &str| text.replace('\\', "\\\\").replace('=', "\\=");
    let extensions: Vec<String> = extensions
        .iter()
        .map(|(key, value)| format!("{key}={}", escape(value)))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let kind = alert.kind.name();
    format!(
        "CEF:0|Noroshi|Noroshi|{version}|{kind}|{name}|{severity}|{}",
        extensions.join(" ")
    )
}
