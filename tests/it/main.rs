//! The whole path, and the shape of the repository.
//!
//! One binary holds all of the root package's integration tests, so they are linked once.

mod delivery;
mod structure;
