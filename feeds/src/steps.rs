//! What partners do with their own cases: the steps they may take, and how one is taken.

use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::{Event, Impossible, Remedy};
use noroshi_store::steps::Step;
use noroshi_store::store::{Store, StoreError};
use uuid::Uuid;

/// Longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 4_096;

/// What a partner may say: where its case stands now, or a note alone. The rest is the telescopes'
/// and the centre's to say.
pub const PARTNERS: [Event; 7] = [
    Event::Acknowledge,
    Event::Notify,
    Event::Clean,
    Event::Resolve,
    Event::Disown,
    Event::Refute,
    Event::Note,
];

/// The step that leads to a state of this name; `None` where a partner cannot take it.
pub fn toward(state: &str) -> Option<Event> {
    PARTNERS
        .into_iter()
        .find(|event| *event != Event::Note && event.aim() == state)
}

/// The states that a partner can say now.
pub fn possible(from: Remedy) -> impl Iterator<Item = Event> {
    PARTNERS
        .into_iter()
        .filter(move |event| *event != Event::Note && from.after(*event).is_ok())
}

/// Why a step is not taken.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// There is no such case, or it is another's.
    #[error("there is no such case")]
    Unknown,
    /// The case stands where the step leads nowhere.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One step of a partner.
#[derive(Clone, Debug)]
pub struct Taken<'a> {
    /// Whose.
    pub partner: &'a PartnerId,
    /// With which case.
    pub case: Uuid,
    /// What.
    pub event: Event,
    /// Why, in the partner's words.
    pub note: &'a str,
    /// How it came in: part of who took it.
    pub way: &'static str,
    /// Its own id: the same step twice is taken once.
    pub id: Uuid,
}

/// Takes a step, and shows where the case stands after it.
///
/// # Errors
/// See [`StepError`]; nothing is changed then.
pub async fn take(store: &Store, taken: &Taken<'_>) -> Result<Shown, StepError> {
    let shown = own(store, taken.partner, taken.case).await?;
    let before = store.steps(&[taken.case]).await?;
    if before.iter().any(|step| step.id == taken.id) {
        return Ok(shown);
    }
    let state = shown.remedy.map_or(Remedy::Delivered, |one| one.state);
    state.after(taken.event)?;
    let step = Step {
        case: taken.case,
        id: taken.id,
        event: taken.event,
        at: store.wall_time().await?,
        by: format!("partner:{}:{}", taken.partner, taken.way),
        note: taken.note.to_owned(),
        probability: None,
        partner: taken.partner.as_str().to_owned(),
    };
    store.record_steps(&[step]).await?;
    own(store, taken.partner, taken.case).await
}

/// A case that is this partner's.
///
/// # Errors
/// [`StepError::Unknown`] where there is none, whatever the reason.
pub async fn own(store: &Store, partner: &PartnerId, case: Uuid) -> Result<Shown, StepError> {
    let shown = store.shown_to(partner, case).await?;
    shown
        .filter(|shown| shown.alert.partner.as_deref() == Some(partner.as_str()))
        .ok_or(StepError::Unknown)
}

/// Who took a step, as its partner reads it: itself, the telescopes, or the centre, whose people
/// stay unnamed.
pub fn told_author<'a>(by: &'a str, partner: &PartnerId) -> &'a str {
    let own = by
        .strip_prefix("partner:")
        .and_then(|rest| rest.strip_prefix(partner.as_str()))
        .is_some_and(|way| way.is_empty() || way.starts_with(':'));
    match by {
        _ if own => by,
        "analyzer" => "telescopes",
        _ => "centre",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_says_what_it_knows_and_nothing_else() {
        for (state, event) in [
            ("acknowledged", Some(Event::Acknowledge)),
            ("not_ours", Some(Event::Disown)),
            ("false_positive", Some(Event::Refute)),
            ("confirmed", None),
            ("withdrawn", None),
            ("noted", None),
            ("", None),
        ] {
            assert_eq!(toward(state), event, "{state}");
        }
        let after: Vec<_> = possible(Remedy::Withdrawn).collect();
        assert!(after.is_empty(), "nothing follows a withdrawal: {after:?}");
    }

    #[test]
    fn the_people_of_the_centre_stay_unnamed() {
        let partner = PartnerId::new("th-cert").unwrap();
        for (by, told) in [
            ("partner:th-cert:link", "partner:th-cert:link"),
            ("partner:th-cert2:link", "centre"),
            ("operator:anan", "centre"),
            ("analyzer", "telescopes"),
        ] {
            assert_eq!(told_author(by, &partner), told);
        }
    }
}
