//! Rows, questions and the ClickHouse engine.
