//! Alerts in ArcSight's Common Event Format (CEF, version 0), for collectors that read nothing else.
//!
//! The extension's keys are those of Shadowserver's map (`cef.json` of 2026-03-24): `src`, `spt`,
//! `dst`, `dpt`, `cn1` and `cn2` for the AS of source and destination, `cs1` and `cs2` for their
//! countries, `cs3` the tag, `cs4` the infection, `cs5` the family; and where there is more to say
//! keys of CEF's own dictionary: `act` is what happened to the case. `dst` is a victim, never an
//! address of a telescope.
//!
//! ```text
//! CEF:0|Noroshi|Noroshi|VERSION|REASON_CODE|KIND|SEVERITY|key=value key=value …
//! ```

use std::fmt::{Display, Write as _};

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Severity, State, Subject};
use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;

use crate::message::{Event, Item};
use crate::reader::{is_about_networks, is_readers};
use crate::rsit;
use crate::service::Ports;

/// How every line begins.
const PRODUCT: &str = concat!("CEF:0|Noroshi|Noroshi|", env!("CARGO_PKG_VERSION"));
/// Characters of an explanation: a line stays within what syslog carries (RFC 5425 §4.3.1).
const TEXT_CHARACTERS_MAX: usize = 1_000;

/// One change of an alert as one line, without its end; `None` where it is not `reader`'s.
pub fn line(reader: &PartnerId, item: &Item) -> Option<String> {
    let alert = &item.alert;
    if !is_readers(reader, alert) || !is_about_networks(alert) {
        return None;
    }
    let mut line = String::from(PRODUCT);
    let severity = severity(alert).to_string();
    let drill = if alert.exercise { "EXERCISE " } else { "" };
    let name = format!("{drill}{}", alert.kind.name());
    for part in [&*alert.reason_code, &name, &severity] {
        line.push('|');
        push_escaped(&mut line, part, '|');
    }
    line.push('|');
    let mut extension = Extension(line);
    put_times(&mut extension, alert);
    put_ends(&mut extension, alert);
    put_more(&mut extension, item);
    Some(extension.0.trim_end().to_owned())
}

/// Those of these cases that are `reader`'s as they stand, one a line.
pub fn lines<'a>(reader: &PartnerId, cases: impl IntoIterator<Item = &'a Shown>) -> String {
    let mut lines = String::new();
    for shown in cases {
        let item = Item::of(Event::standing(shown), shown);
        if let Some(line) = line(reader, &item) {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    lines
}

/// That the service is alive at `at`, and everything before `examined_until` was examined.
pub fn heartbeat(at: Millis, examined_until: Millis) -> String {
    format!(
        "{PRODUCT}|heartbeat|heartbeat|0|rt={} end={}",
        at.0, examined_until.0
    )
}

/// 0 to 10, as Shadowserver's words are mapped; what was taken back alarms nobody.
fn severity(alert: &Alert) -> u8 {
    match alert.severity {
        _ if alert.state == State::Withdrawn => 0,
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 5,
        Severity::High => 8,
    }
}

/// A line under way.
struct Extension(String);

impl Extension {
    fn put(&mut self, key: &str, value: Option<impl Display>) {
        let Some(value) = value else { return };
        let value = value.to_string();
        if value.is_empty() {
            return;
        }
        write!(self.0, "{key}=").expect("a text takes everything");
        push_escaped(&mut self.0, &value, '=');
        self.0.push(' ');
    }

    /// A value whose key says nothing: its label says what it is.
    fn put_labelled(&mut self, key: &str, label: &str, value: Option<impl Display>) {
        if value.is_some() {
            self.put(key, value);
            self.put(&format!("{key}Label"), Some(label));
        }
    }
}

/// In the head the bar separates, in the extension the equals sign. A line stays one line.
fn push_escaped(line: &mut String, text: &str, separator: char) {
    for character in text.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            _ if character == separator => line.extend(['\\', separator]),
            _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
                line.push(' ');
            }
            _ => line.push(character),
        }
    }
}

fn put_times(extension: &mut Extension, alert: &Alert) {
    extension.put("rt", Some(alert.detected_at.0));
    extension.put("start", Some(alert.first_seen.0));
    extension.put("end", Some(alert.last_seen.0));
}

fn put_ends(extension: &mut Extension, alert: &Alert) {
    let ports = Ports::of(alert);
    let country = alert.country.as_ref();
    extension.put("proto", ports.transport);
    extension.put("dpt", ports.destination);
    match &alert.subject {
        Subject::Source { source, asn } => {
            extension.put("src", Some(source));
            let is_first = alert.state == State::New || ports.destination.is_none();
            extension.put("spt", ports.source.filter(|_| is_first));
            extension.put_labelled("cn1", "src_asn", asn.filter(|asn| *asn != 0));
            extension.put_labelled("cs1", "src_geo", country);
        }
        Subject::Victim { victim, asn } => {
            // a prefix is no address
            let is_address = !victim.contains('/');
            extension.put("dst", Some(victim).filter(|_| is_address));
            extension.put_labelled("cs6", "dst_network", Some(victim).filter(|_| !is_address));
            extension.put_labelled("cn2", "dst_asn", asn.filter(|asn| *asn != 0));
            extension.put_labelled("cs2", "dst_geo", country);
        }
        Subject::Service { .. }
        | Subject::Country { .. }
        | Subject::Network { .. }
        | Subject::Sensor { .. } => extension.put_labelled("cs1", "src_geo", country),
    }
}

fn put_more(extension: &mut Extension, item: &Item) {
    let alert = &item.alert;
    let rsit = rsit::of(alert);
    extension.put("act", Some(item.event.name()));
    extension.put("cat", Some(format!("{}:{}", rsit.taxonomy, rsit.kind)));
    let is_withdrawn = alert.state == State::Withdrawn;
    let tag = if is_withdrawn {
        "withdrawn"
    } else {
        &alert.reason_code
    };
    extension.put_labelled("cs3", "tag", Some(tag));
    let malware = rsit::malware(alert).filter(|_| !is_withdrawn);
    extension.put_labelled("cs4", "infection", malware);
    extension.put("cnt", Some(alert.evidence.packets));
    extension.put("externalId", Some(alert.id));
    extension.put("outcome", Some(alert.state.name()));
    extension.put("reason", Some(&item.reason));
    let text = alert.explanation.chars().take(TEXT_CHARACTERS_MAX);
    extension.put("msg", Some(text.collect::<String>()));
}

#[cfg(test)]
mod tests;
