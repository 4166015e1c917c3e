//! Rows and questions: what the centre keeps, and the engine that keeps it.

pub mod alert;
pub mod document;
pub mod engine;
pub mod origin;
pub mod prefix_map;
pub mod registry;
pub mod window;
