//! The store's integration tests: one binary, with the real engine.

mod append;
mod cases;
mod crash;
mod engine;
mod retention;
mod rollups;
mod support;
mod windows;
