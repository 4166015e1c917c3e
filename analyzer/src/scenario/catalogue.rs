//! Every scenario by name.
//!
//! To add one: write it, and add a line to [`all`].

use super::{Scenario, october, shorter};

/// Every scenario, the main one first.
pub fn all() -> Vec<Scenario> {
    vec![
        october::month(),
        october::full_day(),
        shorter::week(),
        shorter::storm(),
        shorter::infected(),
    ]
}

/// The scenario of that name.
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}
