//! Admits, enriches and keeps what sensors send.

pub mod enrich;
