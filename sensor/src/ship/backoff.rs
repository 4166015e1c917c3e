//! How long to wait before the collector is tried again.

use std::time::Duration;

/// The first pause, before jitter.
const FIRST: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Pauses that double up to a minute, each shortened by up to a half, so that a thousand
/// sensors do not return as one when their collector does.
#[derive(Clone, Debug)]
pub struct Backoff {
    attempts: u32,
    random: u64,
}

impl Backoff {
    /// The jitter follows from `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self {
            attempts: 0,
            random: seed,
        }
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let full = FIRST
            .saturating_mul(1 << self.attempts.min(16))
            .min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        let fraction = (self.next_random() >> 11) as f64 / (1_u64 << 53) as f64;
        full.mul_f64(1.0 - fraction / 2.0)
    }

    /// Something worked: the next pause is short again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_start_over() {
        let mut backoff = Backoff::new(7);
        for attempt in 0..40 {
            let full = FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST);
            let pause = backoff.pause();
            assert!(full / 2 <= pause && pause <= full, "{attempt}: {pause:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }

    #[test]
    fn sensors_do_not_return_as_one() {
        let pauses: std::collections::BTreeSet<_> = (0..1_000)
            .map(|seed| Backoff::new(seed).pause().as_micros())
            .collect();
        assert!(pauses.len() > 950);
    }
}
