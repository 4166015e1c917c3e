//! How many sources each country had in past bins.

use std::collections::{BTreeMap, HashMap, VecDeque};

use foldhash::fast::FixedState;
use noroshi_store::origin::Country;
use noroshi_store::past::PastBin;

use crate::detectors::distinct::Distinct;
use crate::detectors::statistics::Usual;
use crate::settings::CountrySilence;

/// Bins after which what is usual is worked out again: six hours of a week.
const STALE_BINS: u64 = 36;
/// Bins that no larger telescope than now must have watched: an hour. While a sensor is down,
/// what a country had before says nothing, for the sensor may have been all that saw it.
const ALIKE_MIN: usize = 6;

/// Past bins, oldest first.
#[derive(Debug)]
pub(super) struct Past {
    bins: VecDeque<PastCounts>,
    settings: CountrySilence,
    /// Countries with enough sources, and their medians; when that was worked out, and for
    /// how many addresses.
    usual: (BTreeMap<Country, f64>, (u64, u64)),
    /// Where a country's history begins, if not at the beginning.
    since: HashMap<Option<Country>, u64, FixedState>,
}

/// Sources by country in one bin.
#[derive(Clone, Debug)]
pub(super) struct PastCounts {
    pub(super) index: u64,
    /// The fewest addresses that were up.
    pub(super) addresses: u64,
    /// Ascending by country.
    sources: Vec<(Option<Country>, u32)>,
    all: u64,
}

impl PastCounts {
    pub(super) fn of(
        index: u64,
        addresses: u64,
        sources: &HashMap<Option<Country>, Distinct, FixedState>,
    ) -> Self {
        let counted = sources.iter().map(|(country, set)| (*country, set.count()));
        Self::sorted(index, addresses, counted)
    }

    pub(super) fn recalled(past: &PastBin) -> Self {
        let index = past.start / past.seconds;
        Self::sorted(index, past.addresses, past.countries.iter().copied())
    }

    fn sorted(
        index: u64,
        addresses: u64,
        counted: impl Iterator<Item = (Option<Country>, u64)>,
    ) -> Self {
        let few = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let mut sources: Vec<_> = counted
            .map(|(country, count)| (country, few(count)))
            .collect();
        sources.sort_unstable();
        Self {
            index,
            addresses,
            all: sources.iter().map(|(_, count)| u64::from(*count)).sum(),
            sources,
        }
    }

    /// Sources of a country.
    pub(super) fn sources(&self, country: Option<Country>) -> u32 {
        let at = self
            .sources
            .binary_search_by_key(&country, |(country, _)| *country);
        at.map_or(0, |at| self.sources[at].1)
    }
}

impl Past {
    pub(super) fn new(settings: &CountrySilence) -> Self {
        Self {
            bins: VecDeque::new(),
            settings: settings.clone(),
            usual: (BTreeMap::new(), (0, 0)),
            since: HashMap::default(),
        }
    }

    /// Whether a bin, or a later one, was taken in.
    pub(super) fn has(&self, index: u64) -> bool {
        self.bins.back().is_some_and(|last| last.index >= index)
    }

    pub(super) fn push(&mut self, counts: PastCounts) {
        if self.has(counts.index) {
            return;
        }
        let oldest = counts
            .index
            .saturating_sub(self.settings.history_max as u64);
        while self.bins.front().is_some_and(|front| front.index < oldest) {
            self.bins.pop_front();
        }
        self.since.retain(|_, since| *since > oldest);
        self.bins.push_back(counts);
    }

    /// Forgets what a country was: its label stands for others now.
    pub(super) fn begin_anew(&mut self, country: Option<Country>, index: u64) {
        self.since.insert(country, index);
        if let Some(country) = country {
            self.usual.0.remove(&country);
        }
    }

    /// The bins that no more addresses watched: like is compared with like.
    fn alike(&self, addresses: u64) -> impl Iterator<Item = &PastCounts> {
        let bins = self.bins.iter();
        bins.filter(move |bin| bin.addresses <= addresses)
    }

    /// The sources a country usually has; `None` for those with few.
    pub(super) fn usual(&self, country: Country) -> Option<f64> {
        self.usual.0.get(&country).copied()
    }

    /// Countries with enough sources and enough history, with what is usual for them while so
    /// many addresses are up.
    pub(super) fn countries(&mut self, index: u64, addresses: u64) -> Vec<(Country, f64)> {
        if self.bins.len() < self.settings.history_min {
            return Vec::new();
        }
        let (made, of) = self.usual.1;
        if self.usual.0.is_empty() || index >= made + STALE_BINS || of != addresses {
            self.usual = (self.medians(addresses), (index, addresses));
        }
        self.usual
            .0
            .iter()
            .map(|(country, usual)| (*country, *usual))
            .collect()
    }

    fn medians(&self, addresses: u64) -> BTreeMap<Country, f64> {
        let mut all: BTreeMap<Country, Vec<u32>> = BTreeMap::new();
        for bin in self.alike(addresses) {
            for (country, count) in &bin.sources {
                if let Some(country) = country
                    && bin.index > self.since(*country)
                {
                    all.entry(*country).or_default().push(*count);
                }
            }
        }
        let median = |(country, mut counts): (Country, Vec<u32>)| {
            let since = self.since(country);
            let known = self.bins.iter().filter(|bin| bin.index > since).count();
            let alike = self.alike(addresses).filter(|bin| bin.index > since);
            let alike = alike.count();
            if known < self.settings.history_min || alike < ALIKE_MIN {
                return None;
            }
            counts.resize(alike, 0); // bins without a source of it
            let (_, median, _) = counts.select_nth_unstable(alike / 2);
            let median = f64::from(*median);
            (median >= self.settings.usual_min).then_some((country, median))
        };
        all.into_iter().filter_map(median).collect()
    }

    fn since(&self, country: Country) -> u64 {
        self.since.get(&Some(country)).copied().unwrap_or(0)
    }

    /// The chance that a country has as few sources as in this bin, or fewer.
    pub(super) fn chance(&self, country: Country, counts: &PastCounts) -> f64 {
        let since = self.since(country);
        let alike = self.alike(counts.addresses);
        let bins = alike.filter(|bin| bin.index > since);
        let mut values: Vec<f64> = bins.map(|bin| bin.sources(Some(country)).into()).collect();
        let sources = u64::from(counts.sources(Some(country)));
        Usual::of(&mut values).map_or(1.0, |usual| 1.0 - usual.tail(sources + 1))
    }

    /// The sources of all other countries, as a share of the usual.
    pub(super) fn others(&self, country: Country, counts: &PastCounts) -> f64 {
        let others = |bin: &PastCounts| bin.all as f64 - f64::from(bin.sources(Some(country)));
        let mut values: Vec<f64> = self.alike(counts.addresses).map(others).collect();
        Usual::of(&mut values).map_or(0.0, |usual| others(counts) / usual.median.max(1.0))
    }
}
