//! What becomes of a case on its partner's side: one pure table of states and events.
//!
//! The analyzer says whether something is still seen ([`State`](crate::alert::State)); people
//! say what they do about it. Neither writes what is the other's: people's steps are kept in
//! the order they came, and where a case stands follows from folding them.
//!
//! ```text
//! delivered ─► acknowledged ─► notified ─► cleaning ─► resolved ─► confirmed   seen to be silent
//!     ▲                                                   │  └────► quiet       silence proves nothing
//!     └───────────── seen again ──────────────────────────┴── (also from confirmed and quiet)
//! not_ours, false_positive: what the partner says instead; acknowledging takes it back
//! withdrawn: what the centre says of its own mistake; nothing follows
//! ```
//!
//! # Promises
//! - Two people at once lose nothing: both steps are kept. One that is not possible any more
//!   when its turn comes stays in the history and changes nothing.
//! - `resolved` is what a partner says, `confirmed` what the telescopes say: no person can
//!   take that step.

use std::fmt;

use noroshi_proto::time::Millis;
use serde::{Serialize, Serializer};

/// Where a case stands on its partner's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// It stands in the partner's feed.
    #[default]
    Delivered,
    /// Somebody took it up.
    Acknowledged,
    /// The provider or owner of the address was told.
    Notified,
    /// The machine is being cleaned.
    Cleaning,
    /// The partner says that it is over.
    Resolved,
    /// So do the telescopes: its silence is no accident.
    Confirmed,
    /// Nothing more was seen, but silence proves nothing here.
    Quiet,
    /// The partner says that the address is not its own.
    NotOurs,
    /// The partner says that nothing was wrong.
    FalsePositive,
    /// The centre took it back.
    Withdrawn,
}

/// What happens to a case on its partner's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Takes it up.
    Acknowledge,
    /// Tells the provider or owner.
    Notify,
    /// Begins to clean.
    Clean,
    /// Says that it is over.
    Resolve,
    /// Says that the address is another's.
    Disown,
    /// Says that nothing was wrong.
    Refute,
    /// Writes something down.
    Note,
    /// The silence is no accident.
    Confirm,
    /// Nothing more was seen, which proves nothing.
    StayQuiet,
    /// It is seen again.
    Reappear,
    /// The centre takes the case back.
    Withdraw,
}

/// Why an event changes nothing in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the case is {from}: it cannot become {}", .event.aim())]
pub struct Impossible {
    /// Where the case stands.
    pub from: Remedy,
    /// What was to happen.
    pub event: Event,
}

impl Remedy {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Delivered,
        Self::Acknowledged,
        Self::Notified,
        Self::Cleaning,
        Self::Resolved,
        Self::Confirmed,
        Self::Quiet,
        Self::NotOurs,
        Self::FalsePositive,
        Self::Withdrawn,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
            Self::Notified => "notified",
            Self::Cleaning => "cleaning",
            Self::Resolved => "resolved",
            Self::Confirmed => "confirmed",
            Self::Quiet => "quiet",
            Self::NotOurs => "not_ours",
            Self::FalsePositive => "false_positive",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state after an event.
    ///
    /// # Errors
    /// Where the event is not possible in this state; nothing changes then.
    pub fn after(self, event: Event) -> Result<Self, Impossible> {
        use Remedy::{
            Acknowledged, Cleaning, Confirmed, Delivered, FalsePositive, NotOurs, Notified, Quiet,
            Resolved, Withdrawn,
        };
        match (event, self) {
            (Event::Note, any) => Ok(any),
            (Event::Withdraw, from) if from != Withdrawn => Ok(Withdrawn),
            (Event::Acknowledge, Delivered | NotOurs | FalsePositive) => Ok(Acknowledged),
            (Event::Notify, Delivered | Acknowledged) => Ok(Notified),
            (Event::Clean, Delivered | Acknowledged | Notified) => Ok(Cleaning),
            (Event::Resolve, Delivered | Acknowledged | Notified | Cleaning) => Ok(Resolved),
            (Event::Disown, Delivered | Acknowledged | Notified | Cleaning | FalsePositive) => {
                Ok(NotOurs)
            }
            (
                Event::Refute,
                Delivered | Acknowledged | Notified | Cleaning | Resolved | Quiet | NotOurs,
            ) => Ok(FalsePositive),
            (Event::Confirm, Resolved | Quiet) => Ok(Confirmed),
            (Event::StayQuiet, Resolved) => Ok(Quiet),
            (Event::Reappear, Resolved | Confirmed | Quiet) => Ok(Delivered),
            (event, from) => Err(Impossible { from, event }),
        }
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 11] = [
        Self::Acknowledge,
        Self::Notify,
        Self::Clean,
        Self::Resolve,
        Self::Disown,
        Self::Refute,
        Self::Note,
        Self::Confirm,
        Self::StayQuiet,
        Self::Reappear,
        Self::Withdraw,
    ];

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Notify => "notify",
            Self::Clean => "clean",
            Self::Resolve => "resolve",
            Self::Disown => "disown",
            Self::Refute => "refute",
            Self::Note => "note",
            Self::Confirm => "confirm",
            Self::StayQuiet => "stay_quiet",
            Self::Reappear => "reappear",
            Self::Withdraw => "withdraw",
        }
    }

    /// The event of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// The name of the state it leads to; of the note, what it is.
    pub fn aim(self) -> &'static str {
        match self {
            Self::Acknowledge => Remedy::Acknowledged.name(),
            Self::Notify => Remedy::Notified.name(),
            Self::Clean => Remedy::Cleaning.name(),
            Self::Resolve => Remedy::Resolved.name(),
            Self::Disown => Remedy::NotOurs.name(),
            Self::Refute => Remedy::FalsePositive.name(),
            Self::Note => "noted",
            Self::Confirm => Remedy::Confirmed.name(),
            Self::StayQuiet => Remedy::Quiet.name(),
            Self::Reappear => Remedy::Delivered.name(),
            Self::Withdraw => Remedy::Withdrawn.name(),
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Remedy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Where a case stands, since when, and why: its steps, folded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Standing {
    /// Where.
    pub state: Remedy,
    /// Since when, in wall time; 0 before the first step.
    #[serde(serialize_with = "as_text")]
    pub since: Millis,
    /// Why it was withdrawn, or why silence proves nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How likely the silence would be had nothing changed, where that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence_probability: Option<f64>,
}

fn as_text<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

impl Standing {
    /// Takes one more event in; `false` where it changes nothing.
    ///
    /// Of a note only the telescopes' and the centre's own is shown to partners: what people
    /// write down among themselves stays in the history.
    pub fn take(&mut self, event: Event, at: Millis, note: &str, probability: Option<f64>) -> bool {
        let Ok(state) = self.state.after(event) else {
            return false;
        };
        if event == Event::Note {
            return true;
        }
        let told = matches!(event, Event::StayQuiet | Event::Confirm | Event::Withdraw);
        *self = Self {
            state,
            since: at,
            reason: if told { note.to_owned() } else { String::new() },
            silence_probability: probability,
        };
        true
    }
}

#[cfg(test)]
mod tests;
