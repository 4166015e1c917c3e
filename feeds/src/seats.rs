//! How many streams one partner holds, and all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use noroshi_store::origin::PartnerId;

/// Streams of one partner at a time: its console, its script, and one that is being replaced.
pub const STREAMS_PER_PARTNER_MAX: usize = 3;
/// Streams in all: each asks the store every few seconds, and holds a connection.
pub const STREAMS_MAX: usize = 64;

/// The streams that are held, by partner.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    held: Mutex<HashMap<PartnerId, usize>>,
}

/// One stream's seat, free again when it is dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    holder: PartnerId,
}

impl Seats {
    /// Streams that are held.
    pub(crate) fn count(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.values().sum()
    }

    /// A seat for one more stream, where there is one.
    pub(crate) fn take(self: &Arc<Self>, holder: &PartnerId) -> Option<Seat> {
        // A panic elsewhere leaves the counts as they were.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = held.values().sum();
        let own = held.get(holder).copied().unwrap_or_default();
        if all >= STREAMS_MAX || own >= STREAMS_PER_PARTNER_MAX {
            return None;
        }
        held.insert(holder.clone(), own + 1);
        Some(Seat {
            seats: Arc::clone(self),
            holder: holder.clone(),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let held = &self.seats.held;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.holder) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                held.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::partner;

    #[test]
    fn a_partner_has_its_share_and_gets_it_back() {
        let seats = Arc::new(Seats::default());
        let (north, south) = (partner("th-cert"), partner("my-cert"));
        let mut held: Vec<_> = (0..STREAMS_PER_PARTNER_MAX)
            .map(|_| seats.take(&north).expect("its share"))
            .collect();
        assert!(seats.take(&north).is_none());
        assert!(seats.take(&south).is_some(), "another's share is untouched");
        held.pop();
        assert!(seats.take(&north).is_some());
        held.clear();
        assert!(seats.held.lock().unwrap().is_empty());
    }

    #[test]
    fn there_is_an_end_for_all_together() {
        let seats = Arc::new(Seats::default());
        let held: Vec<_> = (0..STREAMS_MAX * 2)
            .filter_map(|number| seats.take(&partner(&format!("cert-{number}"))))
            .collect();
        assert_eq!(held.len(), STREAMS_MAX);
    }
}
