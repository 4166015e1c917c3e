//! The analyzer over recorded logs, and over a real store.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod documentation;
mod evaluation;
mod golden;
mod late;
mod live;
mod month;
mod people;
mod play;
mod series;
mod statistics;
mod warm;
