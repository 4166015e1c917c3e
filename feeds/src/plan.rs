//! What to send now: pure, time is an argument.
//!
//! ```text
//! change ─► waiting ─► tried ─► delivered
//!             │          ├────► waiting again, by the schedule of Standard Webhooks
//!             │          ├────► unreached: the whole channel waits, and this one asks again
//!             │          ├────► held: the partner has no key for it
//!             │          └────► disabled: the receiver wants no more (410)
//!             ├─► folded: the daily digest carries it, or one message for all that was too much
//!             └─► given up after 14 days: a summary counts it
//! ```
//!
//! # Promises
//! - What is planned follows from what was recorded, so planning again makes no twin.
//! - A partner gets at most [`SINGLES_PER_HOUR`] single messages an hour on a channel, and what is
//!   beyond in one message each [`OVERFLOW_EVERY`].
//! - While a receiver cannot be reached one message asks for it; nothing else is tried in vain.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Kind, Severity};
use noroshi_store::cases::ChangeCursor;
use noroshi_store::changes::Shown;
use noroshi_store::deliveries::{Delivery, DeliveryState, Form};
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Remedy;
use uuid::Uuid;

use crate::message::{self, Event, Item, Said};
use crate::retry::{self, Outcome};

/// Single messages of an hour: more than a duty officer can answer.
pub const SINGLES_PER_HOUR: usize = 20;
/// How often the rest is told, in one message.
pub const OVERFLOW_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long a message waits for its receiver.
pub const QUEUE_FOR: Duration = Duration::from_secs(14 * 86_400);
/// How far back released messages count.
pub const RELEASED_FOR: Duration = Duration::from_secs(3_600);

const DAY_MS: u64 = 86_400_000;

/// What a channel is told of, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Whose it is.
    pub partner: PartnerId,
    /// Its name: `mail`, `syslog`, …
    pub channel: String,
    /// Which kinds; all where empty.
    pub kinds: Vec<Kind>,
    /// How much at once.
    pub pace: Pace,
}

/// How much a channel is told at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// For people: what can wait comes once a day, at this minute after midnight (UTC).
    Digests(u16),
    /// For machines that take line by line: everything as it comes.
    Everything,
}

/// What a channel has before it, and has done of late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Still to be delivered, the first planned first.
    pub open: Vec<Delivery>,
    /// When messages were first tried within [`RELEASED_FOR`], and their form.
    pub released: Vec<(Millis, Form)>,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Keep these, all or none, then ask again.
    Record(Vec<Delivery>),
    /// Try the message of this id, then say how it went.
    Try(Uuid),
}

impl Profile {
    /// What a channel says of these changes, given what it said of their cases before.
    pub fn intake(
        &self,
        mut said: HashMap<Uuid, (Event, Severity)>,
        changes: &[(ChangeCursor, Shown)],
        now: Millis,
    ) -> Vec<Delivery> {
        let mut planned = Vec::new();
        for (cursor, shown) in changes {
            let alert = &shown.alert;
            if alert.partner.as_deref() != Some(self.partner.as_str()) || !self.wants(alert.kind) {
                continue; // the store was asked for the partner's alone: the second lock
            }
            let Some(event) = Event::of(said.get(&alert.id).copied(), shown) else {
                continue;
            };
            said.insert(alert.id, (event, alert.severity));
            let mut delivery = self.single(event, shown, cursor.version(), now);
            delivery.recorded = cursor.recorded_micros();
            planned.push(delivery);
        }
        planned
    }

    fn wants(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// One message about one change.
    pub fn single(&self, event: Event, shown: &Shown, version: u64, now: Millis) -> Delivery {
        let alert = &shown.alert;
        let (partner, channel) = (self.partner.as_str(), self.channel.as_str());
        let can_wait = shown.digest || alert.is_for_digest();
        let form = match self.pace {
            Pace::Digests(_) if can_wait => Form::Listed,
            _ => Form::Single,
        };
        let said = Said {
            items: vec![Item::of(event, shown)],
            ..Said::default()
        };
        Delivery {
            case: alert.id,
            event: event.name().to_owned(),
            severity: alert.severity,
            ..self.delivery(
                message::id(partner, channel, alert.id, event, version),
                form,
                &said,
                now,
            )
        }
    }

    fn delivery(&self, id: Uuid, form: Form, said: &Said, now: Millis) -> Delivery {
        Delivery {
            id,
            partner: self.partner.clone(),
            channel: self.channel.clone(),
            revision: 0,
            form,
            state: DeliveryState::Waiting,
            case: Uuid::nil(),
            event: String::new(),
            severity: Severity::Info,
            recorded: 0,
            attempt: 0,
            planned_at: now,
            released_at: Millis(0),
            next_at: now,
            within: Uuid::nil(),
            error: String::new(),
            body: said.body(),
        }
    }

    /// What to do at `now`; `None`: wait.
    pub fn next(&self, queue: &Queue, now: Millis) -> Option<Action> {
        if let Some(given_up) = self.give_up(queue, now) {
            return Some(Action::Record(given_up));
        }
        if let Some(digest) = self.daily(queue, now) {
            return Some(Action::Record(digest));
        }
        let open = &queue.open;
        if open.iter().any(|one| one.state == DeliveryState::Disabled) {
            return None;
        }
        if let Some(asking) = open
            .iter()
            .find(|one| one.state == DeliveryState::Unreached)
        {
            return (asking.next_at <= now).then_some(Action::Try(asking.id));
        }
        let due = |one: &&Delivery| one.next_at <= now && one.form != Form::Listed;
        let again = open.iter().filter(due).find(|one| one.attempt > 0);
        let many = || open.iter().filter(due).find(|one| one.form != Form::Single);
        if let Some(delivery) = again.or_else(many) {
            return Some(Action::Try(delivery.id));
        }
        let fresh: Vec<&Delivery> = open.iter().filter(due).collect();
        let first = fresh.first()?;
        if self.pace == Pace::Everything || queue.singles(now) < SINGLES_PER_HOUR {
            return Some(Action::Try(first.id));
        }
        if queue.overflowed(now) {
            return None;
        }
        Some(Action::Record(self.fold(Form::Overflow, &fresh, now)))
    }

    /// What is too old to be of use becomes a line in a summary.
    fn give_up(&self, queue: &Queue, now: Millis) -> Option<Vec<Delivery>> {
        let old = |one: &&Delivery| {
            let waited = now.0.saturating_sub(one.planned_at.0);
            let is_counted = !matches!(one.form, Form::Summary | Form::Notice);
            is_counted && u128::from(waited) >= QUEUE_FOR.as_millis()
        };
        let old: Vec<&Delivery> = queue.open.iter().filter(old).collect();
        let first = old.first()?;
        let lost: u64 = old.iter().map(|one| said(one).count()).sum();
        let waiting = queue.open.iter().find(|one| one.form == Form::Summary);
        let mut summary = match waiting {
            Some(summary) => changed(summary),
            None => {
                let id = message::id_of_many(Form::Summary, first.id);
                self.delivery(id, Form::Summary, &Said::default(), now)
            }
        };
        let mut words = said(&summary);
        words.more += lost;
        summary.body = words.body();
        let mut all = vec![summary];
        all.extend(old.into_iter().map(|one| Delivery {
            state: DeliveryState::GivenUp,
            ..closed(one)
        }));
        Some(all)
    }

    /// The daily digest, when its minute has come for what was planned before it.
    fn daily(&self, queue: &Queue, now: Millis) -> Option<Vec<Delivery>> {
        let Pace::Digests(minute) = self.pace else {
            return None;
        };
        let due = |one: &&Delivery| {
            one.form == Form::Listed && digest_after(one.planned_at, minute) <= now
        };
        let due: Vec<&Delivery> = queue.open.iter().filter(due).collect();
        (!due.is_empty()).then(|| self.fold(Form::Digest, &due, now))
    }

    /// One message that carries those of `parts`, which is not empty.
    fn fold(&self, form: Form, parts: &[&Delivery], now: Millis) -> Vec<Delivery> {
        let mut all = Said::default();
        for part in parts {
            all.take(said(part));
        }
        let first = parts.first().map_or(Uuid::nil(), |part| part.id);
        let id = message::id_of_many(form, first);
        let mut recorded = vec![self.delivery(id, form, &all, now)];
        recorded.extend(parts.iter().map(|part| Delivery {
            state: DeliveryState::Folded,
            within: id,
            ..closed(part)
        }));
        recorded
    }
}

impl Queue {
    /// Takes in what was kept.
    pub fn take(&mut self, kept: &[Delivery]) {
        for delivery in kept {
            self.open.retain(|one| one.id != delivery.id);
            if delivery.state.is_open() {
                self.open.push(delivery.clone());
            }
        }
        self.open
            .sort_by_key(|one| (one.planned_at, one.recorded, one.id));
    }

    /// Takes in how an attempt went, and gives the message as it is to be kept.
    pub fn tried(&mut self, id: Uuid, outcome: &Outcome, now: Millis) -> Option<Delivery> {
        let delivery = self.open.iter().find(|one| one.id == id)?;
        let first = delivery.attempt == 0;
        let after = tried(delivery, outcome, now);
        if first {
            self.released.push((now, after.form));
        }
        let since = Millis(now.0.saturating_sub(RELEASED_FOR.as_millis() as u64));
        self.released.retain(|(at, _)| *at > since);
        self.take(std::slice::from_ref(&after));
        Some(after)
    }

    fn singles(&self, now: Millis) -> usize {
        let within = |at: Millis| now.0 < at.0 + RELEASED_FOR.as_millis() as u64;
        let singles = self.released.iter();
        singles
            .filter(|(at, form)| *form == Form::Single && within(*at))
            .count()
    }

    fn overflowed(&self, now: Millis) -> bool {
        let within = |at: Millis| now.0 < at.0 + OVERFLOW_EVERY.as_millis() as u64;
        let mut all = self.released.iter();
        all.any(|(at, form)| *form == Form::Overflow && within(*at))
    }
}

/// The message after an attempt.
fn tried(delivery: &Delivery, outcome: &Outcome, now: Millis) -> Delivery {
    let mut after = changed(delivery);
    after.attempt += 1;
    if after.attempt == 1 {
        after.released_at = now;
    }
    after.next_at =
        Millis(now.0 + retry::delay(after.id, after.attempt, outcome).as_millis() as u64);
    after.error = outcome.error().to_owned();
    after.state = match outcome {
        Outcome::Delivered => DeliveryState::Delivered,
        Outcome::Refused(_) => DeliveryState::Waiting,
        Outcome::Unreached { .. } => DeliveryState::Unreached,
        Outcome::NoKey(_) => DeliveryState::Held,
        Outcome::Gone(_) => DeliveryState::Disabled,
    };
    if !after.state.is_open() {
        after.body = String::new(); // what was told is not kept a second time
    }
    after
}

/// The high cases that nobody took up within `after` of being told, the first told first.
pub fn unanswered<'a>(
    told: &[(Uuid, Millis)],
    cases: &'a BTreeMap<Uuid, Shown>,
    after: Duration,
    now: Millis,
) -> Vec<&'a Shown> {
    let late = told
        .iter()
        .filter(|(_, at)| u128::from(now.0.saturating_sub(at.0)) >= after.as_millis());
    let shown = late.filter_map(|(id, _)| cases.get(id));
    shown
        .filter(|shown| {
            let state = shown.remedy.as_ref().map(|standing| standing.state);
            let nobody = state.is_none_or(|state| state == Remedy::Delivered);
            nobody && shown.alert.state.is_open() && shown.alert.severity == Severity::High
        })
        .collect()
}

/// The first instant after `at` whose minute of the day is `minute`, in UTC.
fn digest_after(at: Millis, minute: u16) -> Millis {
    let today = at.0 / DAY_MS * DAY_MS + u64::from(minute) * 60_000;
    Millis(if today > at.0 { today } else { today + DAY_MS })
}

fn said(delivery: &Delivery) -> Said {
    serde_json::from_str(&delivery.body).unwrap_or_default()
}

fn changed(delivery: &Delivery) -> Delivery {
    Delivery {
        revision: delivery.revision + 1,
        ..delivery.clone()
    }
}

/// What another message carries from now on: its own words go.
fn closed(delivery: &Delivery) -> Delivery {
    Delivery {
        body: String::new(),
        ..changed(delivery)
    }
}

mod notice;
#[cfg(test)]
mod tests;
