//! How often one partner may ask. Pure: time is an argument.

use std::time::Duration;

/// A request a second in the long run: a poll every minute leaves room for pages.
pub const REQUEST_EVERY: Duration = Duration::from_secs(1);
/// Requests at once, after a pause: enough to read 30,000 alerts of history in one go.
pub const REQUESTS_AT_ONCE: u32 = 30;

/// What one partner has asked of late (the generic cell rate algorithm: one instant is its state).
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    /// When all that was asked has been paid for.
    paid: Duration,
}

impl Rate {
    /// Counts one request at `now` (since any fixed start).
    ///
    /// # Errors
    /// How long to wait, when there were too many; that request is not counted.
    pub fn ask(&mut self, now: Duration) -> Result<(), Duration> {
        let credit = REQUEST_EVERY * (REQUESTS_AT_ONCE - 1);
        let due = self.paid.max(now);
        let early = due.saturating_sub(now + credit);
        if !early.is_zero() {
            return Err(early);
        }
        self.paid = due + REQUEST_EVERY;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(rate: &mut Rate, now: Duration, times: u32) -> u32 {
        (0..times).filter(|_| rate.ask(now).is_ok()).count() as u32
    }

    #[test]
    fn a_burst_then_one_each_second() {
        let mut rate = Rate::default();
        let start = Duration::from_secs(1_000);
        assert_eq!(asked(&mut rate, start, 100), REQUESTS_AT_ONCE);
        assert_eq!(rate.ask(start), Err(REQUEST_EVERY));
        assert_eq!(
            rate.ask(start + REQUEST_EVERY / 4),
            Err(REQUEST_EVERY * 3 / 4)
        );
        assert_eq!(asked(&mut rate, start + REQUEST_EVERY, 100), 1);
        assert_eq!(asked(&mut rate, start + REQUEST_EVERY * 11, 100), 10);
        assert_eq!(asked(&mut rate, start * 2, 100), REQUESTS_AT_ONCE);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_grants_nothing() {
        let mut rate = Rate::default();
        assert_eq!(
            asked(&mut rate, Duration::from_secs(60), 100),
            REQUESTS_AT_ONCE
        );
        assert_eq!(asked(&mut rate, Duration::from_secs(59), 100), 0);
    }
}
