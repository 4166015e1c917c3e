//! Alerts as JSON lines: one JSON object a line, each line ended, no empty line.
//!
//! The object is [`Alert`]'s, a contract. An empty feed is an empty text.

use noroshi_store::alert::Alert;
use noroshi_store::origin::PartnerId;

/// The lines of those alerts that are `reader`'s. The store was asked for no others; this is the
/// second lock.
pub fn lines<'a>(reader: &PartnerId, alerts: impl IntoIterator<Item = &'a Alert>) -> String {
    let mut text = String::new();
    for alert in alerts {
        if !is_readers(reader, alert) {
            continue;
        }
        text.push_str(&object(alert));
        text.push('\n');
    }
    text
}

/// One alert as a JSON object; `None` where it is not `reader`'s.
pub fn one(reader: &PartnerId, alert: &Alert) -> Option<String> {
    is_readers(reader, alert).then(|| object(alert))
}

fn is_readers(reader: &PartnerId, alert: &Alert) -> bool {
    alert.partner.as_deref() == Some(reader.as_str())
}

fn object(alert: &Alert) -> String {
    serde_json::to_string(alert).expect("an alert has string keys and numbers that JSON can say")
}

#[cfg(test)]
mod tests;
