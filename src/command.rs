//! One file per verb.

use crate::arguments::Verb;
use crate::failure::Failure;

use self::up::Role;

mod alerts;
mod author;
mod backtest;
mod check;
mod deliveries;
mod demo;
mod engine;
mod evaluate;
mod import;
mod maintenance;
mod replay;
mod scenario;
mod up;

/// Does what was asked.
///
/// # Errors
/// A [`Failure`], which knows its exit code.
pub fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Up(arguments) => up::run(&arguments, &Role::ALL),
        Verb::Collector(arguments) => up::run(&arguments, &[Role::Collector]),
        Verb::Analyzer(arguments) => up::run(&arguments, &[Role::Analyzer]),
        Verb::Feeds(arguments) => up::run(&arguments, &[Role::Feeds]),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Replay(arguments) => replay::run(arguments),
        Verb::Alerts(verb) => alerts::run(verb),
        Verb::Maintenance(verb) => maintenance::run(verb),
        Verb::Feed(verb) => deliveries::run(verb),
        Verb::Import(verb) => import::run(verb),
        Verb::Backtest(arguments) => backtest::run(arguments),
        Verb::Engine(verb) => engine::run(verb),
        Verb::Scenario(verb) => scenario::run(verb),
        Verb::Evaluate(arguments) => evaluate::run(&arguments),
    }
}
