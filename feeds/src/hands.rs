//! Who makes answers: so many at once, and of one partner not all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use noroshi_store::origin::PartnerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Answers made at once, of all partners: what one store answers while none waits long.
pub const ANSWERS_MAX: usize = 64;
/// Of them, of one partner: the largest take a hundred megabytes, and who asks for many waits alone.
pub const ANSWERS_PER_PARTNER_MAX: usize = 8;

/// Hands that are free.
pub(crate) struct Hands {
    all: Arc<Semaphore>,
    /// One entry per partner with a credential.
    own: Mutex<HashMap<PartnerId, Arc<Semaphore>>>,
}

/// A hand at work; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Hand {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Default for Hands {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(ANSWERS_MAX)),
            own: Mutex::default(),
        }
    }
}

impl Hands {
    /// A hand to make an answer for `reader` with, once one is free.
    pub(crate) async fn hand(&self, reader: &PartnerId) -> Option<Hand> {
        let own = self.own(reader).acquire_owned().await.ok()?;
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Hand {
            _own: own,
            _of_all: of_all,
        })
    }

    fn own(&self, reader: &PartnerId) -> Arc<Semaphore> {
        // A panic elsewhere leaves a count as it was, which does no harm.
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(ANSWERS_PER_PARTNER_MAX));
        Arc::clone(own.entry(reader.clone()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn who_asks_for_much_waits_alone() {
        let hands = Hands::default();
        let of = |name| PartnerId::new(name).expect("an id");
        let (north, south) = (of("th-cert"), of("my-cert"));
        let mut held = Vec::new();
        for _ in 0..ANSWERS_PER_PARTNER_MAX {
            held.push(hands.hand(&north).await.expect("a hand"));
        }
        let at_once = Duration::ZERO;
        let more = tokio::time::timeout(at_once, hands.hand(&north)).await;
        assert!(more.is_err(), "it has as many as it may");
        let other = tokio::time::timeout(at_once, hands.hand(&south)).await;
        assert!(other.is_ok_and(|hand| hand.is_some()), "others go on");
        held.pop();
        let next = tokio::time::timeout(at_once, hands.hand(&north)).await;
        assert!(next.is_ok_and(|hand| hand.is_some()), "one was done");
    }
}
