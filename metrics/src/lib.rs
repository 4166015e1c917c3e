//! What operators' Prometheus reads of each role of the centre: counts, times and what waits.
//!
//! Written by hand: three kinds of numbers are less than a crate for them.
//!
//! | module          | takes                   | gives                                   |
//! |-----------------|-------------------------|-----------------------------------------|
//! | [`text`]        | families and values     | the text that Prometheus reads          |
//! | [`times`]       | how long things took    | a histogram                             |
//! | [`open`]        | what begins and ends    | how many there are now                  |
//! | [`answers`]     | answers of a server     | how many by route, and how long it took |
//! | [`connections`] | connections of a server | how many are open, and how many refused |
//!
//! # Promises
//! - No partner's and no sensor's name, no address, no path that was asked for: labels are routes
//!   as a router writes them, classes of statuses, and words of this program. So the series have
//!   an end, too.
//! - Units stand in the names, as Prometheus' own rules want them.

pub mod answers;
pub mod connections;
pub mod open;
pub mod text;
pub mod times;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic elsewhere leaves counts as they were.
pub fn held<T>(counts: &Mutex<T>) -> MutexGuard<'_, T> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
