//! Rows and questions: what the centre keeps, and the engine that keeps it.

pub mod alert;
pub mod engine;
pub mod origin;
pub mod window;
