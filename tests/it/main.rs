//! The whole path, and the shape of the repository.
//!
//! One binary holds all of the root package's integration tests, so they are linked once.

mod accounting;
mod cases;
mod centre;
mod commands;
mod console;
mod corpus;
mod crash;
mod delivery;
mod floods;
mod identity;
mod metrics;
mod mixed;
mod person;
mod process;
mod prometheus;
mod structure;
mod traces;
mod truth;
mod up;
mod update;
