//! When a message is tried again. Pure.

use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::deliveries::{Delivery, Progress};

/// Between attempts, as Standard Webhooks recommends (specification, "Deliverability"): three days.
const PAUSES: [u64; 9] = [
    5,
    5 * 60,
    30 * 60,
    2 * 3_600,
    5 * 3_600,
    10 * 3_600,
    14 * 3_600,
    20 * 3_600,
    24 * 3_600,
];
/// After those, once a day.
const DAILY: u64 = 24 * 3_600;
/// How long a message waits for a receiver that cannot be reached.
pub const WAITS_MS: u64 = 14 * 86_400_000;
/// Longest pause that a receiver may ask for.
const ASKED_MAX: Duration = Duration::from_secs(DAILY);
/// Longest reason that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 500;

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// Not now; the receiver may have said for how long.
    Later(String, Option<Duration>),
    /// Never again: the receiver is gone (410).
    Gone(String),
}

/// The message after an attempt at `now`.
pub fn after(mut message: Delivery, outcome: Outcome, now: Millis) -> Delivery {
    let pause = pause(message.attempt, message.id.as_u128());
    message.attempt += 1;
    message.error.clear();
    match outcome {
        Outcome::Taken => message.progress = Progress::Delivered,
        Outcome::Gone(why) => {
            message.progress = Progress::Failed;
            message.error = cut(why);
        }
        Outcome::Later(why, asked) => {
            message.error = cut(why);
            let asked = asked.unwrap_or_default().min(ASKED_MAX);
            message.next_at = Millis(now.0 + pause.max(asked).as_millis() as u64);
            if now.0.saturating_sub(message.planned_at.0) >= WAITS_MS {
                message.progress = Progress::Failed;
            }
        }
    }
    message
}

/// After the attempt of this number, counted from 0; up to a tenth longer, by the message, so that
/// a receiver that comes back is not met by all at once.
fn pause(attempt: u32, id: u128) -> Duration {
    let seconds = PAUSES.get(attempt as usize).copied().unwrap_or(DAILY);
    let share = (id % 1_000) as u64; // of ten thousand: up to a tenth
    Duration::from_millis(seconds * 1_000 + seconds * share / 10)
}

fn cut(mut why: String) -> String {
    let mut end = why.len().min(ERROR_BYTES_MAX);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    why.truncate(end);
    why
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn message() -> Delivery {
        Delivery {
            id: Uuid::from_u128(7_000),
            case: Uuid::nil(),
            what: "opened".to_owned(),
            planned_at: Millis(0),
            attempt: 0,
            progress: Progress::Waiting,
            next_at: Millis(0),
            error: String::new(),
        }
    }

    fn later() -> Outcome {
        Outcome::Later("503".to_owned(), None)
    }

    #[test]
    fn ten_attempts_in_three_days_then_one_a_day_until_two_weeks_are_over() {
        let (mut one, mut now, mut first_days) = (message(), Millis(0), 0);
        while one.progress == Progress::Waiting {
            one = after(one, later(), now);
            first_days += u32::from(now.0 <= 3 * 86_400_000 + 4 * 3_600_000);
            now = one.next_at.max(now);
            assert!(one.attempt < 100);
        }
        assert_eq!(first_days, 10);
        assert_eq!(one.progress, Progress::Failed);
        assert!(
            (WAITS_MS..WAITS_MS + 2 * 86_400_000).contains(&now.0),
            "{now}"
        );
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_and_not_for_a_shorter() {
        let asks = |seconds| {
            let outcome = Outcome::Later("429".to_owned(), Some(Duration::from_secs(seconds)));
            after(message(), outcome, Millis(0)).next_at.0
        };
        assert_eq!(asks(600), 600_000);
        assert_eq!(asks(1), 5_000);
        assert_eq!(asks(u64::MAX / 2_000), DAILY * 1_000);
    }

    #[test]
    fn what_is_taken_or_gone_is_not_tried_again() {
        let taken = after(message(), Outcome::Taken, Millis(9));
        assert_eq!((taken.progress, taken.attempt), (Progress::Delivered, 1));
        let gone = after(message(), Outcome::Gone("410".to_owned()), Millis(9));
        assert_eq!(
            (gone.progress, gone.error.as_str()),
            (Progress::Failed, "410")
        );
    }

    #[test]
    fn reasons_are_cut_between_characters() {
        let why = "あ".repeat(400);
        let one = after(message(), Outcome::Later(why, None), Millis(0));
        assert!(one.error.len() <= ERROR_BYTES_MAX && !one.error.is_empty());
    }
}
