//! Lines of CEF over syslog: RFC 5424 in octet-counted frames (RFC 6587 §3.4.1) over TLS (RFC 5425).
//!
//! Syslog has no answer. A line counts as delivered when the collector took the bytes and did not
//! break the connection.

use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::alert::Severity;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::push::{Carriage, Syslog};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cef;
use crate::message::{Item, Message, Notice};
use crate::retry::Outcome;
use noroshi_web::outbound::Outbound;

/// How long the collector may take for all of it.
const COLLECTOR_WAIT: Duration = Duration::from_secs(15);
/// How long a collector may take to break the connection, after it was ended from here.
const BREAK_WAIT: Duration = Duration::from_millis(500);
/// Facility `local0` (RFC 5424 §6.2.1).
const FACILITY: u8 = 16;

/// A collector of syslog.
pub struct Collector {
    reader: PartnerId,
    host: String,
    port: u16,
    carriage: Carriage,
}

impl Collector {
    /// The collector that the registry names for `reader`.
    ///
    /// # Errors
    /// Where its address is none, which the registry has checked.
    pub fn new(reader: &PartnerId, syslog: &Syslog) -> Result<Self, String> {
        let address = &syslog.address;
        let parts = address.rsplit_once(':');
        let parts = parts.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
        let (host, port) = parts.ok_or_else(|| format!("{address}: write host:port"))?;
        Ok(Self {
            reader: reader.clone(),
            host,
            port,
            carriage: syslog.carriage,
        })
    }

    /// Sends a message, a line for each case.
    pub async fn send(&self, outbound: &Outbound, message: &Message) -> Outcome {
        let frames = self.frames(message);
        match tokio::time::timeout(COLLECTOR_WAIT, self.write(outbound, &frames)).await {
            Ok(Ok(())) => Outcome::Delivered,
            Ok(Err(error)) => Outcome::unreached(error),
            Err(_) => Outcome::unreached(format!("not taken within {COLLECTOR_WAIT:?}")),
        }
    }

    /// What is written.
    pub fn frames(&self, message: &Message) -> Vec<u8> {
        frames(&self.reader, message)
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

/// A frame for each case of a message that is `reader`'s, or for a heartbeat.
pub fn frames(reader: &PartnerId, message: &Message) -> Vec<u8> {
    let mut frames = Vec::new();
    if let Some(Notice::Heartbeat { examined_until }) = &message.said.notice {
        let cef = cef::heartbeat(message.at, Millis(*examined_until));
        let line = header(Severity::Info, message.at, "heartbeat") + &cef;
        frames.extend_from_slice(format!("{} {line}", line.len()).as_bytes());
    }
    for item in &message.said.items {
        let Some(line) = line(reader, message.at, item) else {
            continue;
        };
        frames.extend_from_slice(format!("{} {line}", line.len()).as_bytes());
    }
    frames
}

/// One line: the header of RFC 5424, then CEF.
fn line(reader: &PartnerId, at: Millis, item: &Item) -> Option<String> {
    let event = item.event.name();
    Some(header(item.alert.severity, at, event) + &cef::line(reader, item)?)
}

fn header(severity: Severity, at: Millis, event: &str) -> String {
    let level = match severity {
        Severity::High => 2,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Info => 6,
    };
    let priority = FACILITY * 8 + level;
    format!("<{priority}>1 {at} noroshi noroshi - {event} - ")
}
