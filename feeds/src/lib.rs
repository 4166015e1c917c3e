//! What partners' machines receive.
