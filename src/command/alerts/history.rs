//! What was said and done about one alert, and what was seen of it, day by day.

use std::io::{self, Write};

use noroshi_proto::time::Millis;
use noroshi_store::changes::Shown;
use noroshi_store::observations::Observation;
use noroshi_store::store::{Store, StoreError};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::text;

/// Everything known of one alert.
pub struct History {
    entries: Vec<Entry>,
    observations: Vec<Observation>,
}

/// One thing that happened.
#[derive(Serialize)]
struct Entry {
    #[serde(serialize_with = "as_text")]
    at: Millis,
    by: String,
    what: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
}

fn as_text<S: serde::Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// What the analyzer said and what people did, by time, and what was seen.
pub async fn read(store: &Store, id: Uuid) -> Result<History, StoreError> {
    let said = store.history(id).await?.into_iter().map(|said| Entry {
        at: said.at,
        by: said.by,
        what: text::state(said.case.alert.state),
        note: said.note,
    });
    let done = store.steps(&[id]).await?.into_iter().map(|step| Entry {
        at: step.at,
        by: step.by,
        what: step.event.aim(),
        note: step.note,
    });
    let mut entries: Vec<Entry> = said.chain(done).collect();
    entries.sort_by_key(|entry| entry.at);
    Ok(History {
        entries,
        observations: store.observations(&[id]).await?,
    })
}

/// As a person reads it.
pub fn print(history: &History) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for entry in &history.entries {
        let Entry { at, by, what, note } = entry;
        writeln!(out, "    {at}  {what:<14}  {by}  {note}")?;
    }
    for seen in &history.observations {
        let day = seen.start().to_string();
        writeln!(
            out,
            "    {}  {} packets to {} targets, {} sensors",
            &day[..10],
            seen.packets,
            seen.targets,
            seen.sensors.len()
        )?;
    }
    out.flush()
}

/// One JSON object: the alert's keys, `history` and `observations`.
pub fn print_json(shown: &Shown, history: &History) -> io::Result<()> {
    let mut object = serde_json::to_value(shown)?;
    let days = history.observations.iter().map(|seen| {
        json!({
            "day": &seen.start().to_string()[..10],
            "packets": seen.packets,
            "targets": seen.targets,
            "first": seen.first.to_string(),
            "last": seen.last.to_string(),
            "sensors": seen.sensors.iter().map(|sensor| sensor.as_str()).collect::<Vec<_>>(),
        })
    });
    object["observations"] = days.collect();
    object["history"] = serde_json::to_value(&history.entries)?;
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &object)?;
    writeln!(out)
}
