//! How often somebody may try to sign in under one name. Pure: time is an argument.

use std::collections::HashMap;

use noroshi_proto::time::Millis;

/// Attempts at once, after a pause.
pub const AT_ONCE: u64 = 5;
/// Milliseconds until one more: 120 an hour.
pub const EVERY: u64 = 30_000;
/// Names that are remembered; names of nobody share one place.
pub const NAMES_MAX: usize = 1_001;

/// Attempts of late, by name (the generic cell rate algorithm: one instant is a name's state).
#[derive(Default)]
pub struct Attempts(HashMap<String, u64>);

impl Attempts {
    /// Counts an attempt under `name`; `false` where there were too many. The name of nobody is
    /// empty, so that the number of names is that of users.
    pub fn try_once(&mut self, name: &str, now: Millis) -> bool {
        if !self.0.contains_key(name) && self.0.len() >= NAMES_MAX {
            self.0.retain(|_, paid| *paid > now.0);
            if self.0.len() >= NAMES_MAX {
                return false;
            }
        }
        let paid = self.0.entry(name.to_owned()).or_default();
        let due = (*paid).max(now.0);
        if due > now.0 + EVERY * (AT_ONCE - 1) {
            return false;
        }
        *paid = due + EVERY;
        true
    }

    /// Forgets the attempts of who got in.
    pub fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_one_at_a_time() {
        let mut attempts = Attempts::default();
        let now = Millis(1_000_000);
        let tried = |attempts: &mut Attempts, name: &str, now: Millis| {
            (0..100).filter(|_| attempts.try_once(name, now)).count()
        };
        assert_eq!(tried(&mut attempts, "aiko", now), 5);
        assert_eq!(tried(&mut attempts, "anan", now), 5, "names do not share");
        assert_eq!(tried(&mut attempts, "aiko", Millis(now.0 + EVERY)), 1);
        attempts.forget("aiko");
        assert_eq!(tried(&mut attempts, "aiko", Millis(now.0 + EVERY)), 5);
    }
}
