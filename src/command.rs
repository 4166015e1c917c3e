//! One file per verb.

use crate::arguments::Verb;
use crate::failure::Failure;

mod alerts;
mod check;
mod engine;

/// Does what was asked.
///
/// # Errors
/// A [`Failure`], which knows its exit code.
pub fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Engine(verb) => engine::run(verb),
        Verb::Alerts(verb) => alerts::run(verb),
        Verb::Check(arguments) => check::run(&arguments),
        _ => Ok(()),
    }
}
