//! What is said to a partner: one change of a case, or many in a digest. Pure.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Severity, State};
use noroshi_store::changes::Shown;
use noroshi_store::deliveries::{Delivery, Form};
use noroshi_store::remedy::Remedy;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Cases that one digest names; the rest is counted and stands in the feed.
pub const ITEMS_MAX: usize = 100;

/// What happened to a case that its partner is told of. That it is seen again and again is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It began.
    Opened,
    /// It is more urgent than the partner was told.
    Raised,
    /// It goes on after it was over.
    Reopened,
    /// It is over.
    Closed,
    /// The centre took it back.
    Withdrawn,
    /// The telescopes agree that it is resolved.
    Confirmed,
    /// Nobody took it up.
    Unanswered,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 7] = [
        Self::Opened,
        Self::Raised,
        Self::Reopened,
        Self::Closed,
        Self::Withdrawn,
        Self::Confirmed,
        Self::Unanswered,
    ];

    /// The name in messages and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Raised => "raised",
            Self::Reopened => "reopened",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Confirmed => "confirmed",
            Self::Unanswered => "unanswered",
        }
    }

    /// The event of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Where a case stands, for who reads states and no changes.
    pub fn standing(shown: &Shown) -> Self {
        let remedy = shown.remedy.as_ref().map(|standing| standing.state);
        match shown.alert.state {
            State::Withdrawn => Self::Withdrawn,
            _ if remedy == Some(Remedy::Confirmed) => Self::Confirmed,
            State::Closed => Self::Closed,
            State::New | State::Continuing => Self::Opened,
        }
    }

    /// What a case's change means to a partner that was last told `said`; `None`: nothing new.
    ///
    /// What was never told is neither closed nor taken back.
    pub fn of(said: Option<(Self, Severity)>, shown: &Shown) -> Option<Self> {
        let withdrawn = shown.alert.state == State::Withdrawn;
        let Some((last, severity)) = said else {
            let open = shown.alert.state.is_open();
            return open.then_some(Self::Opened);
        };
        if last == Self::Withdrawn || withdrawn {
            return (last != Self::Withdrawn).then_some(Self::Withdrawn);
        }
        let remedy = shown.remedy.as_ref().map(|standing| standing.state);
        if remedy == Some(Remedy::Confirmed) {
            return (last != Self::Confirmed).then_some(Self::Confirmed);
        }
        let told_over = matches!(last, Self::Closed | Self::Confirmed);
        match shown.alert.state.is_open() {
            true if told_over => Some(Self::Reopened),
            true if shown.alert.severity > severity => Some(Self::Raised),
            false if !told_over => Some(Self::Closed),
            _ => None,
        }
    }
}

/// One change of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What happened.
    pub event: Event,
    /// The case then.
    pub alert: Alert,
    /// Why it was taken back, where it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Item {
    /// What is said of a case as it is shown.
    pub fn of(event: Event, shown: &Shown) -> Self {
        let reason = match &shown.remedy {
            Some(standing) if event == Event::Withdrawn => standing.reason.clone(),
            _ => String::new(),
        };
        Self {
            event,
            alert: shown.alert.clone(),
            reason,
        }
    }
}

/// What a message says: kept until it is delivered, so that every attempt says the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The changes, in the order they were recorded; at most [`ITEMS_MAX`].
    pub items: Vec<Item>,
    /// How many more there were.
    pub more: u64,
    /// About the service itself, where no case is told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// About the service itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// It is alive: where nothing else comes, nothing else was to be said.
    Heartbeat {
        /// Everything before this, in event time, was examined; in milliseconds since 1970.
        examined_until: u64,
    },
    /// To the operator: what is sent to the partner does not arrive.
    Unreached {
        /// By which of its channels.
        channel: String,
        /// Since when something waits, in milliseconds since 1970.
        since: u64,
        /// What went wrong last.
        error: String,
    },
}

impl Said {
    /// As it is kept.
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("alerts have string keys and numbers that JSON can say")
    }

    /// Says what another one says too.
    pub fn take(&mut self, other: Self) {
        self.more += other.more;
        self.notice = self.notice.take().or(other.notice);
        for item in other.items {
            if self.items.len() < ITEMS_MAX {
                self.items.push(item);
            } else {
                self.more += 1;
            }
        }
    }

    /// How many changes it stands for.
    pub fn count(&self) -> u64 {
        self.items.len() as u64 + self.more
    }
}

/// A message to a partner, as renderings see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The same at each attempt: receivers know a repetition by it.
    pub id: Uuid,
    /// How it goes out.
    pub form: Form,
    /// Of when it speaks.
    pub at: Millis,
    /// What it says.
    pub said: Said,
    /// The message that opened the case, where this is one about a single case.
    pub opened: Option<Uuid>,
}

impl Message {
    /// Reads a delivery.
    ///
    /// # Errors
    /// What does not parse.
    pub fn read(delivery: &Delivery) -> Result<Self, serde_json::Error> {
        let single = delivery.form == Form::Single;
        let opened = single.then(|| {
            let (partner, channel) = (delivery.partner.as_str(), delivery.channel.as_str());
            id(partner, channel, delivery.case, Event::Opened, 0)
        });
        Ok(Self {
            id: delivery.id,
            form: delivery.form,
            at: delivery.planned_at,
            said: serde_json::from_str(&delivery.body)?,
            opened,
        })
    }

    /// Whether all of it is an exercise.
    pub fn is_exercise(&self) -> bool {
        !self.said.items.is_empty() && self.said.items.iter().all(|item| item.alert.exercise)
    }
}

/// The id of what is said of one change. A case opens once; everything else happens at a version.
pub fn id(partner: &str, channel: &str, case: Uuid, event: Event, version: u64) -> Uuid {
    let version = if event == Event::Opened { 0 } else { version };
    let name = format!("{partner} {channel} {} {version}", event.name());
    Uuid::new_v5(&case, name.as_bytes())
}

/// The id of a message that carries others, the first of which is `first`.
pub fn id_of_many(form: Form, first: Uuid) -> Uuid {
    Uuid::new_v5(&first, form.name().as_bytes())
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
