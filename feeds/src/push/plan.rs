//! Which changes of cases are told, and when. Pure: time is an argument.

use std::collections::VecDeque;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Severity, State};
use noroshi_store::changes::Shown;
use noroshi_store::deliveries::{Delivery, Progress};
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Remedy;
use uuid::Uuid;

/// Messages about single cases to one receiver in an hour: more than a duty officer acts on. What
/// is beyond comes in the hour's digest.
pub const SINGLE_PER_HOUR_MAX: usize = 20;
/// What the message is called that carries others.
pub const DIGEST: &str = "digest";
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What a message tells of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// There is one.
    Opened,
    /// It is urgent: from the beginning, or now.
    Urgent,
    /// It is over.
    Closed,
    /// The centre was wrong.
    Withdrawn,
    /// Its silence is no accident.
    Confirmed,
    /// Nothing more was seen, which proves nothing.
    Quiet,
}

impl What {
    /// Its name in messages and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Urgent => "urgent",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Confirmed => "confirmed",
            Self::Quiet => "quiet",
        }
    }

    /// What there is to tell of a case as it stands; `None` where it is only seen again.
    pub fn of(shown: &Shown) -> Option<Self> {
        match shown.remedy.as_ref().map(|standing| standing.state) {
            Some(Remedy::Withdrawn) => return Some(Self::Withdrawn),
            Some(Remedy::Confirmed) => return Some(Self::Confirmed),
            Some(Remedy::Quiet) => return Some(Self::Quiet),
            _ => {}
        }
        match shown.alert.state {
            State::Closed => Some(Self::Closed),
            State::Withdrawn => Some(Self::Withdrawn),
            State::New | State::Continuing if shown.alert.severity == Severity::High => {
                Some(Self::Urgent)
            }
            State::New => Some(Self::Opened),
            State::Continuing => None,
        }
    }
}

/// What one receiver was sent of late.
#[derive(Debug, Default)]
pub struct Recent(VecDeque<u64>);

impl Recent {
    /// Whether one more single message may go at `at`; it is counted then.
    fn takes(&mut self, at: Millis) -> bool {
        while self.0.front().is_some_and(|sent| sent + HOUR_MS <= at.0) {
            self.0.pop_front();
        }
        let takes = self.0.len() < SINGLE_PER_HOUR_MAX;
        if takes {
            self.0.push_back(at.0);
        }
        takes
    }
}

/// The message about a change that was recorded at `at` and is planned at `now`, to `feed` of its
/// partner; `None` where there is nothing to tell.
pub fn message(
    (partner, feed): (&PartnerId, &str),
    shown: &Shown,
    at: Millis,
    now: Millis,
    recent: &mut Recent,
) -> Option<Delivery> {
    let what = What::of(shown)?;
    // A digest that is over takes nothing more in.
    let next = |every| Millis((at.max(now).0 / every + 1) * every);
    let (progress, next_at) = if shown.digest {
        if what == What::Closed {
            return None; // nobody was called for it either
        }
        (Progress::Digest, next(DAY_MS))
    } else if recent.takes(at) {
        (Progress::Waiting, at)
    } else {
        (Progress::Digest, next(HOUR_MS))
    };
    let case = shown.alert.id;
    // A case that is over and goes on is over once more.
    let again = match what {
        What::Closed => shown.alert.last_seen.0,
        _ => 0,
    };
    let told = format!("{partner}/{feed}/{}/{again}", what.name());
    Some(Delivery {
        id: Uuid::new_v5(&case, told.as_bytes()),
        case,
        what: what.name().to_owned(),
        planned_at: at,
        attempt: 0,
        progress,
        next_at,
        error: String::new(),
    })
}

/// The message that carries those that were due together.
pub fn digest(partner: &PartnerId, feed: &str, due: Millis) -> Delivery {
    let told = format!("digest/{partner}/{feed}/{}", due.0);
    Delivery {
        id: Uuid::new_v5(&Uuid::NAMESPACE_URL, told.as_bytes()),
        case: Uuid::nil(),
        what: DIGEST.to_owned(),
        planned_at: due,
        attempt: 0,
        progress: Progress::Waiting,
        next_at: due,
        error: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use noroshi_store::remedy::{Event, Standing};

    use super::*;
    use crate::drill;

    fn partner() -> PartnerId {
        PartnerId::new("th-cert").unwrap()
    }

    fn shown(state: State, severity: Severity, event: Option<Event>) -> Shown {
        let mut alert = drill::sample();
        alert.state = state;
        alert.severity = severity;
        let standing = event.map(|event| {
            let mut standing = Standing::default();
            standing.take(Event::Resolve, Millis(1), "", None);
            standing.take(event, Millis(2), "", None);
            standing
        });
        Shown::new(alert, standing)
    }

    fn planned(shown: &Shown, at: u64, recent: &mut Recent) -> Option<Delivery> {
        let own = (&partner(), "webhook:soc");
        message(own, shown, Millis(at), Millis(at), recent)
    }

    #[test]
    fn what_changes_is_told_and_what_goes_on_is_not() {
        use Severity::{High, Medium};
        for (state, severity, event, what) in [
            (State::New, Medium, None, Some("opened")),
            (State::New, High, None, Some("urgent")),
            (State::Continuing, Medium, None, None),
            (State::Continuing, High, None, Some("urgent")),
            (State::Closed, Medium, None, Some("closed")),
            (
                State::Closed,
                Medium,
                Some(Event::Confirm),
                Some("confirmed"),
            ),
            (State::Closed, Medium, Some(Event::StayQuiet), Some("quiet")),
            (State::New, High, Some(Event::Withdraw), Some("withdrawn")),
        ] {
            let told = planned(&shown(state, severity, event), 5, &mut Recent::default());
            let told = told.as_ref().map(|message| message.what.as_str());
            assert_eq!(told, what, "{state:?} {severity:?} {event:?}");
        }
    }

    #[test]
    fn planned_again_it_is_the_same_message() {
        let opened = shown(State::New, Severity::Medium, None);
        let first = planned(&opened, 5, &mut Recent::default());
        assert_eq!(first, planned(&opened, 5, &mut Recent::default()));
        let own = (&partner(), "mail");
        let other = message(own, &opened, Millis(5), Millis(5), &mut Recent::default());
        assert_ne!(first.map(|one| one.id), other.map(|one| one.id));
    }

    #[test]
    fn a_case_that_ends_twice_is_told_twice() {
        let mut over = shown(State::Closed, Severity::Medium, None);
        let first = planned(&over, 5, &mut Recent::default()).unwrap();
        over.alert.last_seen = Millis(over.alert.last_seen.0 + 1);
        let second = planned(&over, 9, &mut Recent::default()).unwrap();
        assert_ne!(first.id, second.id);
    }

    #[test]
    fn what_can_wait_comes_once_a_day_and_its_end_not_at_all() {
        let low = shown(State::New, Severity::Low, None);
        let first = planned(&low, DAY_MS + 5, &mut Recent::default()).unwrap();
        assert_eq!(
            (first.progress, first.next_at.0),
            (Progress::Digest, 2 * DAY_MS)
        );
        let own = (&partner(), "mail");
        let late = message(
            own,
            &low,
            Millis(5),
            Millis(DAY_MS + 1),
            &mut Recent::default(),
        );
        assert_eq!(
            late.unwrap().next_at.0,
            2 * DAY_MS,
            "not a digest that is over"
        );
        let over = shown(State::Closed, Severity::Low, None);
        assert_eq!(planned(&over, 5, &mut Recent::default()), None);
    }

    #[test]
    fn a_flood_becomes_a_digest_by_the_hour() {
        let mut recent = Recent::default();
        let opened = shown(State::New, Severity::Medium, None);
        let at = 10 * HOUR_MS + 7;
        for _ in 0..SINGLE_PER_HOUR_MAX {
            let message = planned(&opened, at, &mut recent).unwrap();
            assert_eq!(message.progress, Progress::Waiting);
        }
        let beyond = planned(&opened, at, &mut recent).unwrap();
        assert_eq!(
            (beyond.progress, beyond.next_at.0),
            (Progress::Digest, 11 * HOUR_MS)
        );
        let later = planned(&opened, at + HOUR_MS, &mut recent).unwrap();
        assert_eq!(later.progress, Progress::Waiting);
    }
}
