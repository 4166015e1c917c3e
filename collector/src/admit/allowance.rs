//! What one sensor may send in the long run: so much at once, then so much per second.
//!
//! Nothing is refused for it. Whoever has sent more than its due is not read from until the debt
//! is paid, so its batches wait in its own spool.

use std::time::Duration;

use noroshi_proto::limits::{BATCH_BYTES_MAX, BATCH_FLOWS_MAX};
use noroshi_proto::time::Millis;

/// So much per second, and how much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: u64,
    /// Saved up while nothing is sent.
    pub at_once: u64,
}

/// The rates of one sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Flow tuples.
    pub tuples: Rate,
    /// Bytes of batches, as they travel.
    pub bytes: Rate,
}

impl Rates {
    /// Flow tuples per second of a telescope up to a /16, unless told otherwise. Such a one receives
    /// some 5,200 packets a second (701.0e9 a year on 280,000 addresses: nicter, 2025), and has no
    /// more flow tuples than packets: a week that waited in a spool is sent within nine hours.
    pub const TUPLES_PER_SECOND: u64 = 100_000;
    /// Addresses of a /16: a larger telescope may send as many times more.
    const ADDRESSES: u64 = 65_536;
    /// Bytes of a flow tuple as it travels, generously: 32 are rare.
    const TUPLE_BYTES: u64 = 64;
    /// Seconds that may be saved up.
    const SAVED_SECONDS: u64 = 10;
    /// No limit: for captures of the centre's own.
    pub const UNLIMITED: Self = Self::per_second(u64::MAX);

    /// So many flow tuples per second, and bytes to match.
    pub const fn per_second(tuples: u64) -> Self {
        let bytes = tuples.saturating_mul(Self::TUPLE_BYTES);
        Self {
            // A single batch is always taken.
            tuples: Rate::at_least(tuples, BATCH_FLOWS_MAX as u64),
            bytes: Rate::at_least(bytes, BATCH_BYTES_MAX as u64),
        }
    }

    /// Those of a telescope of so many IPv4 addresses.
    pub const fn of_telescope(self, addresses: u64) -> Self {
        let times = addresses.div_ceil(Self::ADDRESSES);
        let times = if times == 0 { 1 } else { times };
        Self::per_second(self.tuples.per_second.saturating_mul(times))
    }
}

impl Rate {
    const fn at_least(per_second: u64, least: u64) -> Self {
        let saved = per_second.saturating_mul(Rates::SAVED_SECONDS);
        let at_once = if saved > least { saved } else { least };
        Self {
            per_second,
            at_once,
        }
    }
}

/// What is left of a [`Rate`].
#[derive(Clone, Debug)]
pub struct Allowance {
    rate: Rate,
    /// Thousandths; below zero it is a debt.
    left: i128,
    at: Millis,
}

impl Allowance {
    /// All that may be saved up.
    pub fn full(rate: Rate, now: Millis) -> Self {
        Self {
            rate,
            left: i128::from(rate.at_once) * 1_000,
            at: now,
        }
    }

    /// Takes `amount`, into debt if need be.
    pub fn spend(&mut self, amount: u64, now: Millis) {
        self.earn(now);
        self.left -= i128::from(amount) * 1_000;
    }

    /// How long until there is no debt.
    pub fn debt(&mut self, now: Millis) -> Duration {
        self.earn(now);
        let owed = u128::try_from(-self.left).unwrap_or(0);
        let millis = owed.div_ceil(u128::from(self.rate.per_second.max(1)));
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// A clock that was set back earns nothing, and takes nothing.
    fn earn(&mut self, now: Millis) {
        let elapsed = now.0.saturating_sub(self.at.0);
        self.at = now;
        let earned = i128::from(elapsed) * i128::from(self.rate.per_second);
        let full = i128::from(self.rate.at_once) * 1_000;
        self.left = self.left.saturating_add(earned).min(full);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate {
        per_second: 100,
        at_once: 1_000,
    };

    #[test]
    fn what_is_over_is_waited_for() {
        let mut allowance = Allowance::full(RATE, Millis(0));
        allowance.spend(1_000, Millis(0));
        assert_eq!(allowance.debt(Millis(0)), Duration::ZERO);
        allowance.spend(500, Millis(0));
        assert_eq!(allowance.debt(Millis(0)), Duration::from_secs(5));
        assert_eq!(allowance.debt(Millis(4_000)), Duration::from_secs(1));
        assert_eq!(allowance.debt(Millis(5_000)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_away() {
        let mut allowance = Allowance::full(RATE, Millis(9_000));
        allowance.spend(1_100, Millis(9_000));
        assert_eq!(allowance.debt(Millis(0)), Duration::from_secs(1));
        assert_eq!(allowance.debt(Millis(1_000)), Duration::ZERO);
    }

    #[test]
    fn one_full_batch_is_always_allowed_and_no_limit_is_none() {
        let little = Rates::per_second(1);
        assert!(little.tuples.at_once >= BATCH_FLOWS_MAX as u64);
        assert!(little.bytes.at_once >= BATCH_BYTES_MAX as u64);
        let mut unlimited = Allowance::full(Rates::UNLIMITED.bytes, Millis(0));
        for _ in 0..1_000 {
            unlimited.spend(1 << 40, Millis(1));
        }
        assert_eq!(unlimited.debt(Millis(1)), Duration::ZERO);
    }

    #[test]
    fn a_larger_telescope_may_send_more() {
        let rates = |addresses| Rates::per_second(100).of_telescope(addresses);
        let per_second = |addresses| rates(addresses).tuples.per_second;
        assert_eq!([0, 1, 65_536].map(per_second), [100; 3]);
        assert_eq!(per_second(65_537), 200);
        assert_eq!(per_second(1 << 24), 25_600);
        assert_eq!(Rates::UNLIMITED.of_telescope(1 << 32), Rates::UNLIMITED);
    }

    proptest! {
        /// Whoever waits out its debts sends no more than was saved, the rate, and one batch.
        #[test]
        fn in_the_long_run_the_rate_holds(batches in prop::collection::vec((1u64..3_000, 0u64..5_000), 1..60)) {
            let mut allowance = Allowance::full(RATE, Millis(0));
            let (mut now, mut sent, mut last) = (0, 0, 0);
            for (amount, pause) in batches {
                now += pause;
                now += u64::try_from(allowance.debt(Millis(now)).as_millis()).unwrap();
                prop_assert_eq!(allowance.debt(Millis(now)), Duration::ZERO);
                allowance.spend(amount, Millis(now));
                sent += amount;
                last = amount;
            }
            prop_assert!(sent <= RATE.at_once + now * RATE.per_second / 1_000 + last + 1);
        }
    }
}
