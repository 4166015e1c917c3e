//! When a message is tried again. Pure.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Until the next attempt, after each: the schedule of the Standard Webhooks specification; the last
/// one is repeated until the message is given up.
pub const SCHEDULE: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(10 * 3_600),
    Duration::from_secs(14 * 3_600),
    Duration::from_secs(20 * 3_600),
    Duration::from_secs(24 * 3_600),
];
/// Jitter on top, at most, in hundredths of the delay: receivers that come back are not met by all
/// at once.
const JITTER_PERCENT: u64 = 10;
/// How often a message that waits for a key asks for it, and so how often the operator is told.
pub const KEY_EVERY: Duration = Duration::from_secs(3_600);
/// Longest that a receiver may have us wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// The receiver does not want this one as it is.
    Refused(String),
    /// The receiver was not there, or asked to wait.
    Unreached {
        /// What happened.
        error: String,
        /// How long it asked to wait.
        wait: Option<Duration>,
    },
    /// The receiver has no key, and this must not go in the clear.
    NoKey(String),
    /// The receiver wants no more.
    Gone(String),
}

impl Outcome {
    /// What every outcome is called.
    pub(crate) const NAMES: [&str; 5] = ["delivered", "refused", "unreached", "no_key", "gone"];

    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused(_) => "refused",
            Self::Unreached { .. } => "unreached",
            Self::NoKey(_) => "no_key",
            Self::Gone(_) => "gone",
        }
    }

    /// The receiver was not there.
    pub fn unreached(error: impl ToString) -> Self {
        Self::Unreached {
            error: error.to_string(),
            wait: None,
        }
    }

    /// What went wrong; empty where nothing did.
    pub fn error(&self) -> &str {
        match self {
            Self::Delivered => "",
            Self::Refused(error) | Self::NoKey(error) | Self::Gone(error) => error,
            Self::Unreached { error, .. } => error,
        }
    }
}

/// Until the next attempt, after `attempt` of them (1 or more).
pub fn delay(id: Uuid, attempt: u32, outcome: &Outcome) -> Duration {
    let base = match outcome {
        Outcome::NoKey(_) => KEY_EVERY,
        _ => SCHEDULE[(attempt.max(1) as usize - 1).min(SCHEDULE.len() - 1)],
    };
    let digest = Sha256::new()
        .chain_update(id.as_bytes())
        .chain_update(attempt.to_be_bytes())
        .finalize();
    let drawn = u64::from(u16::from_be_bytes([digest[0], digest[1]]));
    let jitter = base.as_millis() as u64 * JITTER_PERCENT * drawn / (100 * u64::from(u16::MAX));
    let asked = match outcome {
        Outcome::Unreached { wait, .. } => wait.unwrap_or_default().min(RETRY_AFTER_MAX),
        _ => Duration::ZERO,
    };
    (base + Duration::from_millis(jitter)).max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Outcome {
        Outcome::unreached("nobody there")
    }

    #[test]
    fn the_schedule_is_that_of_standard_webhooks_with_a_little_jitter() {
        let id = Uuid::from_u128(7);
        let expected = [
            5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400,
        ];
        for (attempt, seconds) in (1..).zip(expected) {
            let delay = delay(id, attempt, &failed()).as_secs_f64();
            let range = f64::from(seconds)..=f64::from(seconds) * 1.1;
            assert!(range.contains(&delay), "attempt {attempt}: {delay}");
        }
    }

    #[test]
    fn jitter_follows_from_the_id_alone() {
        let delays: std::collections::BTreeSet<Duration> = (0..100)
            .map(|number| delay(Uuid::from_u128(number), 3, &failed()))
            .collect();
        assert!(delays.len() > 90, "they spread: {}", delays.len());
        let one = Uuid::from_u128(3);
        assert_eq!(delay(one, 3, &failed()), delay(one, 3, &failed()));
    }

    #[test]
    fn a_receiver_may_ask_to_wait_longer_but_not_for_ever() {
        let asked = |seconds| Outcome::Unreached {
            error: String::new(),
            wait: Some(Duration::from_secs(seconds)),
        };
        let id = Uuid::from_u128(1);
        assert_eq!(delay(id, 1, &asked(600)), Duration::from_secs(600));
        assert!(delay(id, 1, &asked(1)) >= SCHEDULE[0]);
        assert_eq!(delay(id, 1, &asked(10_000_000)), RETRY_AFTER_MAX);
    }
}
