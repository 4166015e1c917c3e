//! `noroshi update key|sign|publish|offer|list`: the sensors' next versions.
//!
//! `key` and `sign` need no configuration and no network: they are for the machine that has the
//! key. The others work on the directory of updates, beside any number of collectors.

mod publish;
mod sign;

use crate::arguments::updates::Update as Verb;
use crate::failure::Failure;

pub fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Key(arguments) => sign::key(&arguments),
        Verb::Sign(arguments) => sign::sign(&arguments),
        Verb::Publish(arguments) => publish::publish(&arguments),
        Verb::Offer(arguments) => publish::offer(&arguments),
        Verb::List(arguments) => publish::list(&arguments),
    }
}
