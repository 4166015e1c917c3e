//! Rows and questions: what the centre keeps, and the engine that keeps it.

pub mod accounting;
pub mod alert;
pub mod append;
mod block;
pub mod cases;
pub mod document;
pub mod engine;
pub mod ledger;
pub mod origin;
pub mod positions;
pub mod prefix_map;
pub mod registry;
pub mod retention;
pub mod rollups;
mod schema;
pub mod store;
pub mod window;
pub mod windows;
