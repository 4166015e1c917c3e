//! Alerts as events of IntelMQ's data harmonisation: one JSON object a line, each line ended.
//!
//! | key                             | holds                                                     |
//! |---------------------------------|-----------------------------------------------------------|
//! | `classification.type`, `.taxonomy` | RSIT ([`rsit`]); `test` for exercises     |
//! | `classification.identifier`     | the alert's `reason_code`                                 |
//! | `source.*`                      | who sent the packets; absent where there is no single one |
//! | `destination.ip`, `.network`    | a victim; never an address of a telescope                 |
//! | `destination.port`              | the service asked for or attacked                         |
//! | `time.source`, `source.port`    | the first packet and its port, of a new alert; of a later state the last packet and no port, because only a time and a port of one packet find a customer behind a NAT |
//! | `time.observation`              | the end of the window that fired                          |
//! | `tlp`                           | the nearest label IntelMQ knows; the true one in `extra.tlp2` |
//! | `extra.*`                       | `alert_id`, `kind`, `state`, `confidence`, `explanation`, … |
//!
//! # Settings of IntelMQ
//! The collector asks for all that is new with the `since` of the last answer, or for everything each
//! time and leaves it to a deduplicator:
//! ```text
//! intelmq.bots.collectors.http.collector_http   http_url: https://CENTRE/v1/events.jsonl
//!                                               http_header: {"Authorization": "Bearer TOKEN"}
//! intelmq.bots.parsers.json.parser              splitlines: true
//! intelmq.bots.experts.deduplicator.expert      filter_keys: extra.alert_id,extra.state,time.source
//! ```
//!
//! # Taken back
//! A withdrawn alert comes as `other` with the identifier `withdrawn`, so that no rule for infected
//! systems fires again; `status` and `extra.state` say `withdrawn`, `extra.withdrawn` why.
//!
//! # Promises
//! - IntelMQ 3.5 takes every line; one value it does not know would cost the whole report, so what
//!   might not fit its harmonisation goes to `extra` or is left out.
//! - Every line is ASCII: its collector guesses the encoding, and its parser splits lines at
//!   U+2028 as well.

use std::fmt::Write as _;
use std::net::IpAddr;

use ipnet::IpNet;
use noroshi_store::alert::{Alert, Kind, Severity, State, Subject, Tlp};
use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::reader::{is_about_networks, is_readers};
use crate::rsit;
use crate::service::Ports;

/// `feed.provider`, and the first word of `feed.name`.
const PROVIDER: &str = "Noroshi";

/// The lines of those alerts that are `reader`'s.
pub fn lines<'a>(reader: &PartnerId, alerts: impl IntoIterator<Item = &'a Shown>) -> String {
    let mut text = String::new();
    for shown in alerts {
        if is_readers(reader, &shown.alert) && is_about_networks(&shown.alert) {
            push_ascii(&mut text, &Value::Object(event(shown)).to_string());
            text.push('\n');
        }
    }
    text
}

/// A JSON text without anything but ASCII: the rest escaped, in UTF-16 as JSON has it.
fn push_ascii(text: &mut String, json: &str) {
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(text, "\\u{unit:04x}").expect("a text takes everything");
        }
    }
}

/// An event under way.
struct Event(Map<String, Value>);

impl Event {
    fn put(&mut self, key: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).expect("numbers and texts are JSON");
        let says_nothing = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if !says_nothing {
            self.0.insert(key.to_owned(), value);
        }
    }
}

fn event(shown: &Shown) -> Map<String, Value> {
    let alert = &shown.alert;
    let mut event = Event(Map::new());
    event.put("feed.provider", PROVIDER);
    event.put("feed.name", format!("{PROVIDER} events"));
    event.put("severity", severity(alert));
    event.put("tlp", tlp(alert.tlp));
    event.put("status", alert.state.name());
    event.put("event_description.text", &alert.explanation);
    event.put("time.observation", alert.detected_at.to_string());
    let seen = match alert.state {
        State::New => alert.first_seen,
        _ => alert.last_seen,
    };
    event.put("time.source", seen.to_string());
    let ports = Ports::of(alert);
    event.put("protocol.transport", ports.transport);
    event.put("destination.port", ports.destination);
    if alert.state == State::New || alert.kind == Kind::OpenReflector {
        event.put("source.port", ports.source);
    }
    put_classification(&mut event, alert);
    put_subject(&mut event, alert);
    put_extra(&mut event, shown);
    event.0
}

fn put_classification(event: &mut Event, alert: &Alert) {
    let rsit = rsit::of(alert);
    event.put("extra.rsit", format!("{}:{}", rsit.taxonomy, rsit.kind));
    if alert.state == State::Withdrawn {
        event.put("classification.taxonomy", "other");
        event.put("classification.type", "other");
        event.put("classification.identifier", "withdrawn");
        return;
    }
    event.put("classification.taxonomy", rsit.taxonomy);
    event.put("classification.type", rsit.kind);
    event.put("classification.identifier", &alert.reason_code);
    event.put("malware.name", rsit::malware(alert));
}

fn put_subject(event: &mut Event, alert: &Alert) {
    let side = match &alert.subject {
        Subject::Source { source, asn } => {
            put_address(event, "source", *source);
            event.put("source.asn", asn.filter(|asn| *asn != 0));
            "source"
        }
        Subject::Victim { victim, asn } => {
            event.put("destination.asn", asn.filter(|asn| *asn != 0));
            match (victim.parse::<IpAddr>(), victim.parse::<IpNet>()) {
                (Ok(address), _) => put_address(event, "destination", address),
                (_, Ok(network)) => event.put("destination.network", network.trunc().to_string()),
                _ => event.put("extra.subject", victim),
            }
            "destination"
        }
        Subject::Service { service, scope } => {
            event.put("extra.service", service);
            event.put("extra.scope", scope);
            return event.put("extra.country", &alert.country);
        }
        Subject::Country { .. } | Subject::Network { .. } | Subject::Sensor { .. } => {
            return event.put("extra.country", &alert.country);
        }
    };
    let country = alert.country.as_deref().filter(|code| is_country(code));
    event.put(&format!("{side}.geolocation.cc"), country);
}

/// IntelMQ takes no `0.0.0.0` for an address.
fn put_address(event: &mut Event, side: &str, address: IpAddr) {
    if address.is_unspecified() {
        event.put("extra.subject", address);
    } else {
        event.put(&format!("{side}.ip"), address);
    }
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn put_extra(event: &mut Event, shown: &Shown) {
    let (alert, evidence) = (&shown.alert, &shown.alert.evidence);
    event.put("extra.alert_id", alert.id);
    event.put("extra.kind", alert.kind);
    event.put("extra.state", alert.state);
    event.put("extra.confidence", alert.confidence);
    event.put("extra.tlp2", alert.tlp);
    event.put("extra.exercise", alert.exercise);
    event.put("extra.explanation", &alert.explanation);
    event.put("extra.first_seen", alert.first_seen.to_string());
    event.put("extra.last_seen", alert.last_seen.to_string());
    event.put("extra.services", &evidence.services);
    event.put("extra.packets", evidence.packets);
    event.put("extra.targets", evidence.targets);
    event.put("extra.sources", evidence.sources);
    event.put("extra.fingerprint", &evidence.fingerprint);
    event.put("extra.rate", evidence.rate);
    event.put("extra.usual", evidence.usual);
    event.put("extra.scanner", &evidence.scanner);
    event.put("extra.hosts", &evidence.hosts);
    event.put("extra.victims", &evidence.victims);
    event.put("extra.digest", shown.digest);
    if let Some(standing) = &shown.remedy {
        event.put("extra.remedy", standing.state);
        event.put("extra.remedy_since", standing.since.to_string());
        if alert.state == State::Withdrawn {
            event.put("extra.withdrawn", &standing.reason);
        }
    }
}

/// Nobody is called for what was taken back.
fn severity(alert: &Alert) -> Severity {
    match alert.state {
        State::Withdrawn => Severity::Info,
        _ => alert.severity,
    }
}

/// IntelMQ 3.5 knows the four labels of TLP 1. What must stay within the organisation gets the
/// stricter neighbour.
fn tlp(label: Tlp) -> &'static str {
    match label {
        Tlp::Clear => "WHITE",
        Tlp::Green => "GREEN",
        Tlp::Amber => "AMBER",
        Tlp::AmberStrict | Tlp::Red => "RED",
    }
}

#[cfg(test)]
mod tests;
