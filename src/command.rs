//! One file per verb.

use noroshi_sensor::log;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::registry::partner::Partner;

use crate::arguments::Verb;
use crate::failure::Failure;

use self::up::Role;

mod alerts;
mod author;
mod backtest;
mod check;
mod demo;
mod engine;
mod evaluate;
mod feed;
mod identities;
mod import;
mod maintenance;
mod partner;
mod replay;
mod scenario;
mod sensor;
pub mod up;
mod update;
mod user;

/// What the centre is called where it signs what it says.
const CENTRE: &str = "Noroshi";

/// Does what was asked, and logs at `level`.
///
/// # Errors
/// A [`Failure`], which knows its exit code.
pub fn run(verb: Verb, level: &str) -> Result<(), Failure> {
    if !verb.runs_roles() {
        log::to_stderr(level);
    }
    match verb {
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Up(arguments) => up::run(&arguments, &Role::ALL, level),
        Verb::Collector(arguments) => up::run(&arguments, &[Role::Collector], level),
        Verb::Analyzer(arguments) => up::run(&arguments, &[Role::Analyzer], level),
        Verb::Feeds(arguments) => up::run(&arguments, &[Role::Feeds], level),
        Verb::Console(arguments) => up::run(&arguments, &[Role::Console], level),
        Verb::User(arguments) => user::run(&arguments),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Replay(arguments) => replay::run(arguments),
        Verb::Alerts(verb) => alerts::run(verb),
        Verb::Sensor(verb) => sensor::run(verb),
        Verb::Update(verb) => update::run(verb),
        Verb::Maintenance(verb) => maintenance::run(verb),
        Verb::Import(verb) => import::run(verb),
        Verb::Backtest(arguments) => backtest::run(arguments),
        Verb::Partner(verb) => partner::run(verb),
        Verb::Feed(verb) => feed::run(verb),
        Verb::Engine(verb) => engine::run(verb),
        Verb::Scenario(verb) => scenario::run(verb),
        Verb::Evaluate(arguments) => evaluate::run(&arguments),
    }
}

/// The partner that was named.
fn known_partner<'a>(registry: &'a Registry, id: &PartnerId) -> Result<&'a Partner, Failure> {
    registry.partner(id).ok_or_else(|| {
        let partners = registry.partners().iter();
        let known: Vec<&str> = partners.map(|partner| partner.id.as_str()).collect();
        let known = known.join(", ");
        Failure::Failed(anyhow::anyhow!(
            "partner {id} is not in the registry, which has: {known}"
        ))
    })
}
