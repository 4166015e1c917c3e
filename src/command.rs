//! One file per verb.

use crate::arguments::Verb;
use crate::failure::Failure;

mod engine;

/// Does what was asked.
///
/// # Errors
/// A [`Failure`], which knows its exit code.
pub fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Engine(verb) => engine::run(verb),
        _ => Ok(()),
    }
}
