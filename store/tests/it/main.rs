//! The store's integration tests: one binary, with the real engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod append;
mod cases;
mod classes;
mod crash;
mod deeds;
mod engine;
mod explore;
mod hellos;
mod people;
mod retention;
mod rollups;
mod shifts;
mod sightings;
mod stix;
mod support;
mod windows;
