//! Sources per service in ten minutes: what rules of others are judged on.
//!
//! Counted as our own detector of surges counts them: one source weighs one; known scanners
//! and sources that cannot be real are left out.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use foldhash::fast::FixedState;
use noroshi_proto::traffic::Service;
use noroshi_store::window::Window;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::claim::Claim;
use super::{changefinder, dshield, poisson};
use crate::detectors::distinct::mix;
use crate::scenario::BIN_SECONDS;

/// Sources in a bin below which no rule says anything: the floor of our own detector, in
/// favour of rules that have none.
pub const SOURCES_MIN: f64 = 5.0;
/// Quiet bins after which what is said again is something new, as for our own surges.
const QUIET_BINS: usize = 3;

/// A rule: from the sources of one service and of all services, bin by bin, the bins in
/// which it gives alarm.
pub type Rule = fn(&[f64], &[f64]) -> Vec<usize>;

/// The rules of others.
pub const RULES: [(&str, Rule); 3] = [
    ("changefinder", changefinder::alarms),
    ("dshield", dshield::alarms),
    ("poisson", poisson::alarms),
];

/// Sources per service in each ten minutes that were watched.
#[derive(Clone, Debug, Default)]
pub struct Series {
    open: Option<u64>,
    seen: HashSet<u64, FixedState>,
    counts: HashMap<Service, u16, FixedState>,
    /// Bins, since 1970.
    bins: Vec<u64>,
    /// Sources of all services.
    totals: Vec<f64>,
    services: HashMap<Service, Vec<(u32, u16)>, FixedState>,
}

impl Series {
    /// Takes a window in; windows come in order.
    pub fn take(&mut self, window: &Window) {
        let bin = window.interval.start() / BIN_SECONDS;
        if self.open != Some(bin) {
            self.close();
            self.open = Some(bin);
        }
        for sighting in &window.flows {
            let (tuple, origin) = (&sighting.flow.tuple, &sighting.origin);
            let counts = tuple.traffic.is_scan() && origin.bogon.is_none();
            let IpAddr::V4(source) = tuple.source else {
                continue;
            };
            if !counts || origin.scanner.is_some() {
                continue;
            }
            let service = tuple.transport.service();
            let key = u64::from(source.to_bits()) << 32
                | (service.protocol as u64) << 16
                | u64::from(service.port);
            if self.seen.insert(mix(key)) {
                let count = self.counts.entry(service).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// Closes the bin that is open.
    pub fn close(&mut self) {
        let Some(bin) = self.open.take() else { return };
        let index = self.bins.len() as u32;
        self.bins.push(bin);
        let total: u32 = self.counts.values().map(|count| u32::from(*count)).sum();
        self.totals.push(total.into());
        for (service, count) in self.counts.drain() {
            self.services
                .entry(service)
                .or_default()
                .push((index, count));
        }
        self.seen.clear();
    }

    /// What a rule says of every service, in order of time.
    pub fn claims(&self, rule: Rule) -> Vec<Claim> {
        let busy: Vec<_> = self
            .services
            .iter()
            .filter(|(_, bins)| {
                bins.iter()
                    .any(|(_, count)| f64::from(*count) >= SOURCES_MIN)
            })
            .collect();
        let each = busy.par_iter().map(|(service, bins)| {
            let mut values = vec![0.0; self.bins.len()];
            for (index, count) in bins.iter() {
                values[*index as usize] = f64::from(*count);
            }
            let alarms = rule(&values, &self.totals);
            let loud = alarms.into_iter().filter(|bin| values[*bin] >= SOURCES_MIN);
            self.spans(**service, loud)
        });
        let mut claims: Vec<Claim> = each.collect::<Vec<_>>().concat();
        claims.sort_by(|one, other| (one.at, &one.subject).cmp(&(other.at, &other.subject)));
        claims
    }

    /// Alarms that follow each other closely are one claim.
    fn spans(&self, service: Service, alarms: impl Iterator<Item = usize>) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        let mut last = None;
        for bin in alarms {
            let end = (self.bins[bin] + 1) * BIN_SECONDS;
            match claims.last_mut() {
                Some(claim) if last.is_some_and(|last| bin - last <= QUIET_BINS) => {
                    claim.until = end;
                }
                _ => claims.push(Claim::of_series(service, end)),
            }
            last = Some(bin);
        }
        claims
    }
}
