//! How often somebody may try to sign in under one name. Pure: time is an argument.
//!
//! Names that nobody has are counted as those of users are, so that a refusal does not tell which
//! exist. Names are counted in places by their digest: there is never more to remember.

use std::collections::HashMap;

use noroshi_proto::time::Millis;
use sha2::{Digest as _, Sha256};

/// Attempts at once, after a pause.
pub const AT_ONCE: u64 = 5;
/// Milliseconds until one more: 120 an hour.
pub const EVERY: u64 = 30_000;

/// Attempts of late, by place of a name (the generic cell rate algorithm: one instant is a place's
/// state). There are 65,536 places.
#[derive(Default)]
pub struct Attempts(HashMap<[u8; 2], u64>);

impl Attempts {
    /// Counts an attempt under `name`; `false` where there were too many.
    pub fn try_once(&mut self, name: &str, now: Millis) -> bool {
        let paid = self.0.entry(place(name)).or_default();
        let due = (*paid).max(now.0);
        if due > now.0 + EVERY * (AT_ONCE - 1) {
            return false;
        }
        *paid = due + EVERY;
        true
    }

    /// Forgets the attempts of who got in.
    pub fn forget(&mut self, name: &str) {
        self.0.remove(&place(name));
    }
}

fn place(name: &str) -> [u8; 2] {
    let digest = Sha256::digest(name.as_bytes());
    [digest[0], digest[1]]
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
