//! Recall, precision, delays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use noroshi_store::alert::Severity;
use serde::Serialize;

use super::claim::Claim;
use super::judge::{Judgement, Right, is_about};
use crate::detectors::Facts;
use crate::scenario::truth::{Truth, Verdict};

/// Seconds of a shift.
const SHIFT: u64 = 8 * 3_600;
/// False claims that are listed one by one.
const WRONG_MAX: usize = 500;
/// Lower ends of the sizes by which recall is shown.
pub const SIZES: [f64; 6] = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0];

/// Over what a score is taken.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Days watched.
    pub days: f64,
    /// Sensors.
    pub sensors: usize,
    /// Partners.
    pub partners: usize,
}

/// How well one way of noticing does.
#[derive(Clone, Debug, Serialize)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it said.
    pub alerts: usize,
    /// How much of that is so.
    pub right: usize,
    /// That as a share, of what partners are told; none where nothing was said.
    pub precision: Option<f64>,
    /// Of what it should tell of, how much it told of.
    pub found: usize,
    /// What it should tell of.
    pub expected: usize,
    /// Seconds from half a campaign's height until it was told: the middle one.
    pub delay_median: Option<i64>,
    /// The same, of the slowest tenth.
    pub delay_p90: Option<i64>,
    /// False alerts per day, of all.
    pub false_per_day: f64,
    /// False alerts of high severity per partner and week.
    pub false_high_per_partner_week: f64,
    /// Alerts per sensor and day.
    pub alerts_per_sensor_day: f64,
    /// Scans found and expected, by size ([`SIZES`]).
    pub by_size: Vec<(usize, usize)>,
    /// Seconds of processors; none where several work on it at once.
    pub cpu_seconds: Option<f64>,
}

/// What came of one thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Course {
    /// What happened.
    #[serde(flatten)]
    pub truth: Truth,
    /// Claims about it: of the expected kinds, or, where it must stay silent, false ones
    /// that partners were told of.
    pub alerts: usize,
    /// Different subjects of these.
    pub subjects: usize,
    /// Seconds from half its height until the first.
    pub delay: Option<i64>,
}

/// How many cases a partner was told of, by shift of eight hours.
#[derive(Clone, Debug, Serialize)]
pub struct Shifts {
    /// Who.
    pub partner: String,
    /// In all.
    pub pushes: usize,
    /// In the mean.
    pub per_shift: f64,
    /// At most.
    pub most: usize,
}

impl Method {
    /// What partners are told, of all kinds they are told of.
    pub fn pushed(
        name: &'static str,
        judged: &Judgement<'_>,
        truths: &[Truth],
        span: Span,
    ) -> Self {
        let own = |claim: &Claim| claim.is_pushed();
        let wanted = |truth: &Truth| matches!(truth.verdict, Verdict::Expected(_));
        Self::score(name, judged, (truths, span), own, wanted)
    }

    /// What a rule of others says of the series.
    pub fn of_series(
        name: &'static str,
        judged: &Judgement<'_>,
        truths: &[Truth],
        span: Span,
    ) -> Self {
        let wanted = |truth: &Truth| truth.size.is_some();
        Self::score(name, judged, (truths, span), |_| true, wanted)
    }

    /// What one detector finds.
    pub fn of_kinds(facts: Facts, judged: &Judgement<'_>, truths: &[Truth], span: Span) -> Self {
        let own = |claim: &Claim| facts.kinds.contains(&claim.kind);
        let wanted = |truth: &Truth| match truth.verdict {
            Verdict::Expected(kinds) => kinds.iter().any(|kind| facts.kinds.contains(kind)),
            Verdict::Silent => false,
        };
        Self::score(facts.name, judged, (truths, span), own, wanted)
    }

    /// With what it took of processors.
    pub fn taking(self, spent: Duration) -> Self {
        Self {
            cpu_seconds: Some(spent.as_secs_f64()),
            ..self
        }
    }

    /// Found of what was expected, as a share.
    pub fn recall(&self) -> Option<f64> {
        (self.expected > 0).then(|| self.found as f64 / self.expected as f64)
    }

    fn score(
        name: &'static str,
        judged: &Judgement<'_>,
        (truths, span): (&[Truth], Span),
        own: impl Fn(&Claim) -> bool,
        wanted: impl Fn(&Truth) -> bool,
    ) -> Self {
        let said: Vec<_> = judged
            .judged
            .iter()
            .filter(|(claim, _)| own(claim))
            .collect();
        let right = said
            .iter()
            .filter(|(_, right)| *right == Right::Yes)
            .count();
        let wrong = said.iter().filter(|(_, right)| *right == Right::No);
        let high = wrong.filter(|(claim, _)| claim.severity == Severity::High);
        let high: usize = high.map(|(claim, _)| claim.partners.len()).sum();
        let mut delays = Vec::new();
        let mut by_size = vec![(0, 0); SIZES.len()];
        let (mut found, mut expected) = (0, 0);
        for (truth, told) in truths
            .iter()
            .zip(&judged.told)
            .filter(|(truth, _)| wanted(truth))
        {
            expected += 1;
            let first = told
                .iter()
                .map(|index| judged.judged[*index].0)
                .find(|claim| own(claim));
            found += usize::from(first.is_some());
            if let Some(size) = truth.size {
                let class = SIZES.iter().rposition(|least| size >= *least).unwrap_or(0);
                by_size[class].1 += 1;
                by_size[class].0 += usize::from(first.is_some());
                delays.extend(first.map(|claim| claim.at as i64 - truth.half_rise as i64));
            }
        }
        delays.sort_unstable();
        let per_day = |count: usize| count as f64 / span.days;
        Self {
            name,
            alerts: said.len(),
            right,
            precision: (!said.is_empty()).then(|| right as f64 / said.len() as f64),
            found,
            expected,
            delay_median: quantile(&delays, 0.5),
            delay_p90: quantile(&delays, 0.9),
            false_per_day: per_day(said.len() - right),
            false_high_per_partner_week: per_day(high) * 7.0 / span.partners as f64,
            alerts_per_sensor_day: per_day(said.len()) / span.sensors as f64,
            by_size,
            cpu_seconds: None,
        }
    }
}

fn quantile(sorted: &[i64], share: f64) -> Option<i64> {
    let rank = ((sorted.len() as f64 * share).ceil() as usize).max(1);
    sorted.get(rank - 1).copied()
}

/// What came of each thing that happened.
pub fn courses(judged: &Judgement<'_>, truths: &[Truth]) -> Vec<Course> {
    let each = truths.iter().zip(&judged.told).map(|(truth, told)| {
        let claims: Vec<&Claim> = match truth.verdict {
            Verdict::Expected(_) => told.iter().map(|index| judged.judged[*index].0).collect(),
            Verdict::Silent => provoked(judged, truth),
        };
        let subjects: BTreeSet<&str> = claims.iter().map(|claim| claim.subject.as_str()).collect();
        Course {
            truth: truth.clone(),
            alerts: claims.len(),
            subjects: subjects.len(),
            delay: claims
                .first()
                .map(|claim| claim.at as i64 - truth.half_rise as i64),
        }
    });
    each.collect()
}

/// What partners were told wrongly while this went on, and within two hours after it.
fn provoked<'a>(judged: &Judgement<'a>, truth: &Truth) -> Vec<&'a Claim> {
    let span = truth.start..=truth.end + 2 * 3_600;
    let wrong = judged.judged.iter().filter(|(claim, right)| {
        *right == Right::No && claim.is_pushed() && span.contains(&claim.at)
    });
    let about =
        wrong.filter(|(claim, _)| truth.act == "spoofed storm" || is_about(claim, &truth.about));
    about.map(|(claim, _)| *claim).collect()
}

/// The first false claims, in order of time.
pub fn wrong(judged: &Judgement<'_>) -> Vec<Claim> {
    let wrong = judged
        .judged
        .iter()
        .filter(|(_, right)| *right == Right::No);
    let mut wrong: Vec<Claim> = wrong.map(|(claim, _)| (*claim).clone()).collect();
    wrong.sort_by_key(|claim| claim.at);
    wrong.truncate(WRONG_MAX);
    wrong
}

/// What each partner was told, by shift.
pub fn shifts(judged: &Judgement<'_>, (from, until): (u64, u64)) -> Vec<Shifts> {
    let mut counts: BTreeMap<&str, BTreeMap<u64, usize>> = BTreeMap::new();
    for (claim, _) in &judged.judged {
        // what is for the record is in the list, not in anybody's ear
        if !claim.is_pushed() || claim.severity == Severity::Info {
            continue;
        }
        for partner in &claim.partners {
            let shift = (claim.at - from) / SHIFT;
            *counts.entry(partner).or_default().entry(shift).or_default() += 1;
        }
    }
    let all = (until - from).div_ceil(SHIFT) as f64;
    let each = counts.into_iter().map(|(partner, by_shift)| {
        let pushes: usize = by_shift.values().sum();
        Shifts {
            partner: partner.to_owned(),
            pushes,
            per_shift: pushes as f64 / all,
            most: by_shift.values().copied().max().unwrap_or(0),
        }
    });
    each.collect()
}
