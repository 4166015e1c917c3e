//! What was asked for in past bins.

use std::collections::VecDeque;

use noroshi_proto::traffic::Service;

use super::bin::Bin;
use crate::detectors::statistics::Usual;
use crate::settings::ScanSurge;

/// Counts kept over all past bins; beyond it the oldest bins go: 64 MiB.
const COUNTS_MAX: usize = 8 << 20;
/// Sources below which a count is not kept and reads as none.
const COUNT_MIN: u64 = 2;
/// Bins on each side of the same time of week that tell what is usual.
const AROUND: u64 = 3;
/// Past weeks that are asked.
const WEEKS: u64 = 4;

/// Past bins, oldest first.
#[derive(Debug)]
pub(super) struct History {
    bins: VecDeque<Past>,
    counts: usize,
    trailing: usize,
    week: u64,
    bins_max: u64,
}

/// A bin that has closed.
#[derive(Debug)]
pub(super) struct Past {
    index: u64,
    addresses: u64,
    /// Sources by service, ascending.
    sources: Vec<(Service, u32)>,
}

impl Past {
    pub(super) fn of(bin: &Bin) -> Self {
        let mut sources: Vec<(Service, u32)> = bin
            .services
            .iter()
            .map(|(service, asked)| (*service, asked.sources.count()))
            .filter(|(_, sources)| *sources >= COUNT_MIN)
            .map(|(service, sources)| (service, u32::try_from(sources).unwrap_or(u32::MAX)))
            .collect();
        sources.sort_unstable();
        Self {
            index: bin.index,
            addresses: bin.addresses,
            sources,
        }
    }

    /// Sources of a service, had this many addresses been watched.
    fn sources(&self, service: Service, addresses: u64) -> f64 {
        let Ok(at) = self.sources.binary_search_by_key(&service, |(s, _)| *s) else {
            return 0.0;
        };
        let sources = f64::from(self.sources[at].1);
        if self.addresses == 0 || addresses == 0 {
            return sources;
        }
        sources * addresses as f64 / self.addresses as f64
    }
}

impl History {
    pub(super) fn new(settings: &ScanSurge) -> Self {
        Self {
            bins: VecDeque::new(),
            counts: 0,
            trailing: settings.history_min,
            week: 7 * 86_400 / settings.bin_seconds,
            bins_max: settings.history_max,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bins.len()
    }

    pub(super) fn push(&mut self, past: Past) {
        let oldest = past.index.saturating_sub(self.bins_max + AROUND);
        self.counts += past.sources.len();
        self.bins.push_back(past);
        while let Some(front) = self.bins.front()
            && (front.index < oldest || self.counts > COUNTS_MAX)
        {
            self.counts -= front.sources.len();
            self.bins.pop_front();
        }
    }

    /// What is usual for a service at the time of `bin`: around the same time in each of
    /// the past weeks, or over the last day.
    pub(super) fn usual(&self, service: Service, bin: &Bin) -> Option<Usual> {
        let mut values = Vec::new();
        for week in 1..=WEEKS {
            let Some(same) = bin.index.checked_sub(week * self.week) else {
                break;
            };
            for index in same.saturating_sub(AROUND)..=same + AROUND {
                let past = self.bins.binary_search_by_key(&index, |past| past.index);
                values.extend(
                    past.ok()
                        .map(|at| self.bins[at].sources(service, bin.addresses)),
                );
            }
        }
        if values.len() < (WEEKS * (2 * AROUND + 1)) as usize {
            values.clear();
            let trailing = self.bins.iter().rev().take(self.trailing);
            values.extend(trailing.map(|past| past.sources(service, bin.addresses)));
        }
        Usual::of(&mut values)
    }
}
