//! The store's integration tests: one binary, with the real engine.

mod append;
mod engine;
mod support;
mod windows;
