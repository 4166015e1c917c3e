//! How many of something there are now.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that goes up and down; written as it stands.
#[derive(Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

/// Counts one more as long as it lives.
#[derive(Debug)]
pub struct Open(Arc<AtomicU64>);

impl Gauge {
    /// One more, until it is dropped.
    pub fn open(&self) -> Open {
        self.0.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(&self.0))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Display for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.load(Ordering::Relaxed).fmt(f)
    }
}
