//! What was seen, as a MISP feed: one event per reader and day of UTC, for [`DAYS`] days.
//!
//! | file              | holds                                                             |
//! |-------------------|-------------------------------------------------------------------|
//! | `manifest.json`   | the events and when each last changed                             |
//! | `UUID.json`       | an event                                                          |
//! | `hashes.csv`      | MD5 of every value and the event that has it, for lookups in MISP |
//!
//! | alert             | in the event                                                      |
//! |-------------------|-------------------------------------------------------------------|
//! | about a source    | object `ip-port` (template version 10)                            |
//! | about a victim    | objects `ddos` (10) and `asn` (6); never `to_ids`                 |
//! | about anything else | a comment                                                       |
//!
//! A day's event keeps its UUID and grows; MISP fetches it again when its timestamp is later. Today's
//! is there even when it is empty, because MISP takes an empty manifest for a mistake. Tags are
//! `tlp:*` and `rsit:*` of each alert; the event's own `tlp` is the one agreed with the partner.
//!
//! In MISP add a feed of the format "MISP Feed" with the URL `https://CENTRE/misp` and the header
//! `Authorization: Bearer TOKEN`; what its readers may pass on is set there, as its distribution.
//!
//! # Promises
//! - `to_ids` is set on sources alone, never in an exercise, never where evidence was given for
//!   one purpose, where it is weak, or where the source is known to be harmless.
//! - What was taken back is marked as deleted, so that MISP deletes it too.

mod object;

use md5::{Digest as _, Md5};
use noroshi_proto::time::Millis;
use noroshi_store::alert::Tlp;
use noroshi_store::observations::Sighting;
use noroshi_store::origin::PartnerId;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use self::object::Part;
use crate::day;
use crate::reader::{is_about_networks, is_readers};

/// Days in the manifest, today among them.
pub const DAYS: u64 = 30;

/// Namespace of our UUIDs of version 5: drawn once.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_2a60_5a0b_4c3e_9d57_3e1c_84b2_70af);
const ORGANISATION: &str = "Noroshi";

/// A reader's event of one day.
#[derive(Clone, Debug)]
pub struct Event {
    reader: PartnerId,
    day: u64,
    tlp: Tlp,
    changed: Millis,
}

impl Event {
    /// The event of `day` for a partner with whom `tlp` was agreed; `changed` where something was
    /// seen.
    pub fn new(reader: &PartnerId, tlp: Tlp, day: u64, changed: Option<Millis>) -> Self {
        Self {
            reader: reader.clone(),
            day,
            tlp,
            changed: changed.unwrap_or(day::start(day)),
        }
    }

    /// The same for ever, for this reader and day.
    pub fn id(&self) -> Uuid {
        let name = format!("event/{}/{}", self.reader, day::name(self.day));
        Uuid::new_v5(&NAMESPACE, name.as_bytes())
    }

    /// What manifest and event say alike.
    fn head(&self) -> Map<String, Value> {
        let day = day::name(self.day);
        let head = json!({
            "info": format!("{ORGANISATION}: seen in unused address space on {day} (UTC)"),
            "date": day,
            "timestamp": seconds(self.changed).to_string(),
            "analysis": "2",
            "threat_level_id": "4",
            "Orgc": {
                "name": ORGANISATION,
                "uuid": Uuid::new_v5(&NAMESPACE, b"organisation"),
            },
            "Tag": [tag(&tlp_tag(self.tlp))],
        });
        let Value::Object(head) = head else {
            return Map::new();
        };
        head
    }

    /// `UUID.json`: those sightings that are the reader's and of that day.
    pub fn body<'a>(&self, sightings: impl IntoIterator<Item = &'a Sighting>) -> String {
        let (mut objects, mut attributes) = (Vec::new(), Vec::new());
        for part in self.parts(sightings) {
            match part {
                Part::Object(object) => objects.push(object.json()),
                Part::Attribute(attribute) => attributes.push(attribute.json()),
            }
        }
        let mut event = self.head();
        event.insert("uuid".to_owned(), json!(self.id()));
        event.insert("published".to_owned(), json!(true));
        let published = json!(seconds(self.changed).to_string());
        event.insert("publish_timestamp".to_owned(), published);
        event.insert("Attribute".to_owned(), Value::Array(attributes));
        event.insert("Object".to_owned(), Value::Array(objects));
        json!({ "Event": event }).to_string()
    }

    /// The event's lines of `hashes.csv`.
    pub fn hashes<'a>(&self, sightings: impl IntoIterator<Item = &'a Sighting>) -> String {
        let id = self.id();
        let mut lines = String::new();
        for part in self.parts(sightings) {
            for value in part.values() {
                let digest = Md5::digest(value.as_bytes());
                for byte in digest {
                    lines.push_str(&format!("{byte:02x}"));
                }
                lines.push_str(&format!(",{id}\n"));
            }
        }
        lines
    }

    fn parts<'a>(&self, sightings: impl IntoIterator<Item = &'a Sighting>) -> Vec<Part> {
        let event = self.id();
        sightings
            .into_iter()
            .filter(|one| self.holds(one))
            .flat_map(|one| object::parts(event, one))
            .collect()
    }

    fn holds(&self, sighting: &Sighting) -> bool {
        is_readers(&self.reader, &sighting.alert)
            && sighting.observation.partner == self.reader.as_str()
            && sighting.observation.day == self.day
            && is_about_networks(&sighting.alert)
    }
}

/// `manifest.json`: an object, because MISP takes the keys of a list for UUIDs.
pub fn manifest(events: &[Event]) -> String {
    let entries: Map<String, Value> = events
        .iter()
        .map(|event| (event.id().to_string(), Value::Object(event.head())))
        .collect();
    Value::Object(entries).to_string()
}

fn seconds(at: Millis) -> u64 {
    at.0.div_ceil(1_000) // upwards, so that a later change has a later second
}

fn tag(name: &str) -> Value {
    json!({ "name": name })
}

fn tlp_tag(label: Tlp) -> String {
    let label = match label {
        Tlp::Clear => "clear",
        Tlp::Green => "green",
        Tlp::Amber => "amber",
        Tlp::AmberStrict => "amber+strict",
        Tlp::Red => "red",
    };
    format!("tlp:{label}")
}

#[cfg(test)]
mod tests;
