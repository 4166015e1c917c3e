//! Admits, enriches and keeps what sensors send.
