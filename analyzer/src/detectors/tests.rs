//! Promises every detector keeps.
