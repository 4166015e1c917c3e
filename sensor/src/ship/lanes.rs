//! What is sent next: the newest intervals first, then what had to wait, oldest first.

use crate::spool::{Cursor, Record, Spool, SpoolError};

/// In which order batches leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Live: what is pushed from now on goes before the backlog, because a warning is worth
    /// most while it is new.
    LiveFirst,
    /// Replay: as they came, so that intervals close in order.
    AsTheyCame,
}

/// Two readers of one spool.
#[derive(Debug)]
pub struct Lanes {
    live: Cursor,
    backlog: Cursor,
    /// Where the backlog ends and live begins.
    border: u64,
}

impl Lanes {
    /// Begins anew: everything in the spool is backlog.
    pub fn new(order: Order, spool: &Spool) -> Self {
        let border = match order {
            Order::LiveFirst => spool.head(),
            Order::AsTheyCame => u64::MAX,
        };
        Self {
            live: Cursor::new(border),
            backlog: Cursor::new(0),
            border,
        }
    }

    /// The next batch to send, if any waits.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn next(&mut self, spool: &mut Spool) -> Result<Option<Record>, SpoolError> {
        if let Some(record) = spool.next(&mut self.live, u64::MAX)? {
            return Ok(Some(record));
        }
        spool.next(&mut self.backlog, self.border)
    }
}
