//! `noroshi alerts ack|note|notified|cleaning|resolve|not-ours|false-positive`

use anyhow::Context;
use noroshi_store::remedy::{Event, Remedy};
use noroshi_store::steps::Step;
use noroshi_store::store::Store;
use uuid::Uuid;

use super::{known, print};
use crate::arguments::alerts::Step as Arguments;
use crate::command::author::author;
use crate::failure::Failure;

/// Longest note, in bytes.
const NOTE_BYTES_MAX: usize = 4_096;

/// Takes one step with one alert, writes it into the audit, and shows where the alert stands.
pub async fn take(store: &Store, event: Event, arguments: Arguments) -> Result<(), Failure> {
    let note = arguments.note.unwrap_or_default();
    if note.len() > NOTE_BYTES_MAX {
        return Err(wrong(format!("--note: more than {NOTE_BYTES_MAX} bytes")));
    }
    if event == Event::Note && note.trim().is_empty() {
        return Err(wrong("a note needs words: --note TEXT".to_owned()));
    }
    let shown = known(store, arguments.id).await?;
    let state = shown.remedy.map_or(Remedy::Delivered, |one| one.state);
    state.after(event).map_err(|impossible| {
        let possible = Event::ALL
            .into_iter()
            .filter(|event| verb(*event).is_some_and(|_| state.after(*event).is_ok()));
        let verbs: Vec<&str> = possible.filter_map(verb).collect();
        wrong(format!("{impossible}; possible are: {}", verbs.join(", ")))
    })?;
    let by = author(arguments.by.as_deref());
    let step = Step {
        case: arguments.id,
        id: Uuid::new_v4(),
        event,
        at: store.wall_time().await?,
        by: by.clone(),
        note: note.clone(),
        probability: None,
        partner: shown.alert.partner.unwrap_or_default(),
    };
    store.record_steps(&[step]).await?;
    let action = format!("alerts {} {}", verb(event).unwrap_or("step"), arguments.id);
    store.audit(&by, &action, &note).await?;
    let shown = known(store, arguments.id).await?;
    print(&[shown], arguments.json).context("standard output")?;
    Ok(())
}

fn wrong(text: String) -> Failure {
    Failure::Failed(anyhow::anyhow!(text))
}

/// What people write for it; `None` for what they cannot do here.
fn verb(event: Event) -> Option<&'static str> {
    Some(match event {
        Event::Acknowledge => "ack",
        Event::Notify => "notified",
        Event::Clean => "cleaning",
        Event::Resolve => "resolve",
        Event::Disown => "not-ours",
        Event::Refute => "false-positive",
        Event::Note => "note",
        Event::Withdraw => "withdraw",
        Event::Confirm | Event::StayQuiet | Event::Reappear => return None,
    })
}
