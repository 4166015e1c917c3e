//! Alerts as JSON lines: one JSON object a line, each line ended, no empty line.
//!
//! The object is [`Alert`](noroshi_store::alert::Alert)'s, a contract, with what happened on the
//! partner's side beside it ([`Shown`]). An empty feed is an empty text.

use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;

use crate::reader::is_readers;

/// The lines of those alerts that are `reader`'s. The store was asked for no others; this is the
/// second lock.
pub fn lines<'a>(reader: &PartnerId, alerts: impl IntoIterator<Item = &'a Shown>) -> String {
    let mut text = String::new();
    for shown in alerts {
        if !is_readers(reader, &shown.alert) {
            continue;
        }
        text.push_str(&object(shown));
        text.push('\n');
    }
    text
}

/// One alert as a JSON object; `None` where it is not `reader`'s.
pub fn one(reader: &PartnerId, shown: &Shown) -> Option<String> {
    is_readers(reader, &shown.alert).then(|| object(shown))
}

fn object(shown: &Shown) -> String {
    serde_json::to_string(shown).expect("an alert has string keys and numbers that JSON can say")
}

#[cfg(test)]
mod tests;
