//! The analyzer over recorded logs, and over a real store.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod late;
mod live;
mod play;
mod series;
