//! The weekly report of one partner: what was seen of its networks, and how that compares.
//! `page` is the report as a page that prints well.
//!
//! # Promises
//! - Of others there are sums over at least [`OTHERS_MIN`] partners, of at least [`CELL_MIN`] cases,
//!   rounded: nobody can be told apart in them. Below that nothing of others is said, and the
//!   report is the same to the byte whatever others had.
//! - Exercises, withdrawn cases and imported evidence are counted nowhere.

mod page;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use noroshi_store::alert::Tlp;
use noroshi_store::registry::partner::Partner;
use noroshi_store::reported::{Others, Reported};
use noroshi_store::store::{Store, StoreError};
use noroshi_store::week::Week;
use serde::Serialize;

use crate::text::Texts;

/// Partners that others' sums are of, at least.
pub const OTHERS_MIN: u64 = 5;
/// Cases in others' sums, at least: smaller cells are suppressed, as statistical offices do.
pub const CELL_MIN: u64 = 5;
/// Others' sums are rounded to this, so that no single case of theirs shows.
const ROUNDED_TO: u64 = 5;
/// Lines of each list.
const LINES_MAX: usize = 10;
const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;
/// Kinds about a machine of the partner's that others have used.
const HOSTS: [&str; 1] = ["infected_host"];
const VICTIMS: [&str; 2] = ["ddos_victim", "reflection_victim"];
const SURGES: [&str; 2] = ["scan_surge", "new_service"];

/// A partner's week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The partner's name.
    pub partner: String,
    /// Who may read it.
    pub tlp: Tlp,
    /// Which week.
    pub week: Week,
    /// Infected hosts seen on each of its days, Monday first.
    pub infected_by_day: [u64; 7],
    /// Infected hosts seen in the week.
    pub infected: u64,
    /// Those first seen in it.
    pub infected_new: u64,
    /// Hours for which those that went silent in the week had been seen: half of them longer.
    pub median_hours_to_clean: Option<u64>,
    /// Infected hosts by AS number, the most first; 0 where unknown.
    pub by_asn: Vec<(u64, u64)>,
    /// Infected hosts by family, the most first; empty where none was recognised.
    pub by_family: Vec<(String, u64)>,
    /// Hosts seen the longest that are still seen.
    pub oldest: Vec<Line>,
    /// Attacks on the partner's addresses.
    pub victims: Vec<Line>,
    /// All of them.
    pub victims_count: u64,
    /// Surges that the partner was told of.
    pub surges: Vec<Line>,
    /// All of them.
    pub surges_count: u64,
    /// Beside all other partners together, where that tells nobody apart.
    pub region: Vec<Beside>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Address, prefix, or service and scope.
    pub subject: String,
    /// First packet.
    pub first_seen: String,
    /// Last packet.
    pub last_seen: String,
    /// Its severity.
    pub severity: String,
}

/// One kind, of this partner and of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beside {
    /// The kind.
    pub kind: String,
    /// This partner's cases.
    pub own: u64,
    /// Those of the others together, rounded; `None` where suppressed.
    pub others: Option<u64>,
}

impl Report {
    /// Counts a week's cases.
    pub fn new(partner: &Partner, week: Week, cases: &[Reported], others: &[Others]) -> Self {
        let infected: Vec<&Reported> = of(cases, &HOSTS).collect();
        let victims: Vec<&Reported> = of(cases, &VICTIMS).collect();
        let surges: Vec<&Reported> = of(cases, &SURGES).collect();
        let is_open = |case: &&&Reported| matches!(case.state.as_str(), "new" | "continuing");
        let mut oldest: Vec<&Reported> = infected.iter().filter(is_open).copied().collect();
        oldest.sort_by_key(|case| case.first_seen);
        let new = infected
            .iter()
            .filter(|case| case.opened_at >= week.start());
        Self {
            partner: partner.name.clone(),
            tlp: partner.tlp,
            week,
            infected_by_day: by_day(&infected, week),
            infected: infected.len() as u64,
            infected_new: new.count() as u64,
            median_hours_to_clean: median_hours(&infected, week),
            by_asn: most(infected.iter().map(|case| case.asn)),
            by_family: most(infected.iter().map(|case| case.family.clone())),
            oldest: lines(&oldest),
            victims: lines(&victims),
            victims_count: victims.len() as u64,
            surges: lines(&surges),
            surges_count: surges.len() as u64,
            region: region(cases, others),
        }
    }

    /// Asks the store for a partner's week.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ask(store: &Store, partner: &Partner, week: Week) -> Result<Self, StoreError> {
        let (from, until) = (week.start(), week.end());
        let cases = store.reported(&partner.id, from, until).await?;
        let others = store.reported_of_others(&partner.id, from, until).await?;
        Ok(Self::new(partner, week, &cases, &others))
    }

    /// The report as a page, in these words.
    pub fn html(&self, texts: &Texts) -> String {
        page::html(self, texts)
    }
}

fn of<'a>(cases: &'a [Reported], kinds: &'static [&str]) -> impl Iterator<Item = &'a Reported> {
    cases
        .iter()
        .filter(move |case| kinds.contains(&case.kind.as_str()))
}

fn by_day(cases: &[&Reported], week: Week) -> [u64; 7] {
    std::array::from_fn(|day| {
        let day = week.start().0 / DAY_MS + day as u64;
        let seen = |case: &&&Reported| case.days.contains(&day);
        cases.iter().filter(seen).count() as u64
    })
}

/// Of hosts that are over and were last seen in the week.
fn median_hours(infected: &[&Reported], week: Week) -> Option<u64> {
    let silent = infected
        .iter()
        .filter(|case| case.state == "closed" && case.last_seen < week.end());
    let mut lasted: Vec<u64> = silent
        .map(|case| case.last_seen.0.saturating_sub(case.first_seen.0))
        .collect();
    lasted.sort_unstable();
    let middle = lasted.get(lasted.len() / 2)?;
    Some(middle.div_ceil(HOUR_MS))
}

/// How often each occurs, the most first, at most [`LINES_MAX`].
fn most<T: Ord>(things: impl Iterator<Item = T>) -> Vec<(T, u64)> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for thing in things {
        *counts.entry(thing).or_default() += 1;
    }
    let mut counts: Vec<(T, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(LINES_MAX);
    counts
}

fn lines(cases: &[&Reported]) -> Vec<Line> {
    let line = |case: &&Reported| Line {
        subject: case.subject.clone(),
        first_seen: case.first_seen.to_string(),
        last_seen: case.last_seen.to_string(),
        severity: case.severity.clone(),
    };
    cases.iter().take(LINES_MAX).map(line).collect()
}

/// Kinds that this partner had; what it had none of is not compared, so that nothing of others
/// shows there.
fn region(cases: &[Reported], others: &[Others]) -> Vec<Beside> {
    let kinds: BTreeSet<&str> = cases.iter().map(|case| case.kind.as_str()).collect();
    let beside = |kind: &str| {
        let others = others.iter().find(|others| others.kind == kind);
        let told = others.filter(|all| all.partners >= OTHERS_MIN && all.cases >= CELL_MIN);
        Beside {
            kind: kind.to_owned(),
            own: cases.iter().filter(|case| case.kind == kind).count() as u64,
            others: told.map(|all| (all.cases + ROUNDED_TO / 2) / ROUNDED_TO * ROUNDED_TO),
        }
    };
    kinds.into_iter().map(beside).collect()
}
