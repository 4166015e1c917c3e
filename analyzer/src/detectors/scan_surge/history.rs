//! What was asked for in past bins, series by series, and what is usual by it.
//!
//! # Promises
//! - A bin costs as much as it has series, however long the past is.
//! - What is usual is worked out once an hour for a series, and only for those that enough
//!   sources ask for.
//! - Beyond [`ENTRIES_MAX`] the oldest days are forgotten: what is usual then rests on less.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use super::counts::{COUNT_MIN, Counts, Key};
use crate::detectors::Fill;
use crate::detectors::statistics::{Cusum, Usual, long_run};
use crate::settings::ScanSurge;

/// Counts kept over all series: 192 MiB.
const ENTRIES_MAX: usize = 16 << 20;
/// Forgotten counts at the front of a series before they are moved out.
const STALE_MAX: usize = 256;
/// Times the limit of growth beyond which it is not added up: it must be able to end.
const GROWTH_MAX: f64 = 3.0;
/// Past weeks that are asked for the same hour.
const WEEKS: u32 = 4;
/// Past days that are asked for the same hour.
const DAYS: u32 = 7;
/// Weeks without which a weekly rhythm is not known, and days for a daily one.
const WEEKS_MIN: usize = 1;
const DAYS_MIN: usize = 3;

/// All series.
#[derive(Debug)]
pub(super) struct History {
    /// Bins that were watched, ascending, with the addresses that were up.
    observed: VecDeque<(u32, u64)>,
    series: HashMap<Key, Series, FixedState>,
    entries: usize,
    trailing: usize,
    bins: Bins,
    bins_max: u32,
    /// The slack, and the most that comes together.
    growth: (f64, f64),
    reference: Option<Reference>,
}

/// How long things last, in bins.
#[derive(Clone, Copy, Debug)]
struct Bins {
    hour: u32,
    day: u32,
    week: u32,
}

/// One series.
#[derive(Debug, Default)]
pub(super) struct Series {
    entries: Vec<Entry>,
    /// What exceeded the usual lately, added up, and when it was last.
    growth: (Cusum, u32),
    baseline: Option<((u32, u64), Baseline)>,
    /// The hours of the last day for which a baseline was made.
    hours: Vec<Hour>,
}

/// What was known of an hour.
#[derive(Clone, Copy, Debug)]
struct Hour {
    /// Its first bin.
    bin: u32,
    /// What was usual in it, by past days or weeks.
    season: Option<f32>,
    /// How bins of the day before it were alike.
    long_run: f32,
}

impl Hour {
    const UNKNOWN: Self = Self {
        bin: u32::MAX,
        season: None,
        long_run: 1.0,
    };
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    bin: u32,
    sources: u32,
    networks: u32,
}

/// Which past bins an hour is compared with, each with what its counts are scaled by.
#[derive(Debug)]
struct Reference {
    /// The hour, and the addresses that are up.
    stamp: (u32, u64),
    hour_bins: u32,
    day_bins: u32,
    day: Vec<(u32, f64)>,
    days: Vec<(u32, f64)>,
    weeks: Vec<(u32, f64)>,
}

/// What is usual for a series in one hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Baseline {
    /// Over the last day, its rhythm taken out as far as it is known.
    day: Usual,
    /// In the same hour of past days.
    days: Option<Usual>,
    /// In the same hour of past weeks.
    weeks: Option<Usual>,
    /// How much farther sums of bins stray than if no source stayed from one to the next.
    long_run: f64,
}

impl Baseline {
    /// All that is known of the past.
    fn all(&self) -> impl Iterator<Item = Usual> {
        [Some(self.day), self.days, self.weeks]
            .into_iter()
            .flatten()
    }

    /// Robust deviations, by the past that speaks least for a surge: so neither the hour
    /// nor the weekday makes one, nor a level that has lasted for half a day.
    pub(super) fn deviations(&self, sources: u32) -> f64 {
        let each = self.all().map(|usual| usual.deviations(sources.into()));
        each.fold(f64::INFINITY, f64::min)
    }

    /// The chance of so many sources or more, as above.
    pub(super) fn chance(&self, sources: u32) -> f64 {
        let each = self.all().map(|usual| usual.tail(sources.into()));
        each.fold(0.0, f64::max)
    }

    /// Robust deviations from the same hour of past days and weeks; `None` while the rhythms
    /// of day and week are not known.
    pub(super) fn growth(&self, sources: u32) -> Option<f64> {
        let of = |usual: Usual| usual.deviations(sources.into());
        Some(of(self.days?).min(of(self.weeks?)))
    }

    /// What such a deviation counts for among those that are added up.
    pub(super) fn lasting(&self, deviations: f64) -> f64 {
        deviations / self.long_run
    }

    /// Whether there are more than over the last day.
    pub(super) fn is_above_day(&self, sources: u32) -> bool {
        f64::from(sources) > self.day.median
    }

    /// The level that sources were compared with.
    pub(super) fn level(&self) -> f64 {
        self.all().map(|usual| usual.median).fold(0.0, f64::max)
    }

    /// The level that growth was compared with.
    pub(super) fn level_of_days(&self) -> f64 {
        let medians = [self.days, self.weeks];
        let medians = medians.iter().flatten().map(|usual| usual.median);
        medians.fold(0.0, f64::max)
    }
}

impl History {
    pub(super) fn new(settings: &ScanSurge) -> Self {
        let bins = |seconds: u64| (seconds / settings.bin_seconds).max(1) as u32;
        Self {
            observed: VecDeque::new(),
            series: HashMap::default(),
            entries: 0,
            trailing: settings.history_min,
            bins: Bins {
                hour: bins(3_600),
                day: bins(86_400),
                week: bins(7 * 86_400),
            },
            bins_max: settings.history_max as u32,
            growth: (settings.growth_slack, settings.growth_limit * GROWTH_MAX),
            reference: None,
        }
    }

    /// Counts kept, and the most.
    pub(super) fn fill(&self) -> Fill {
        Fill::of("surge_counts", self.entries, ENTRIES_MAX)
    }

    /// Bins that were watched.
    pub(super) fn len(&self) -> usize {
        self.observed.len()
    }

    /// Days that were watched.
    pub(super) fn days(&self) -> f64 {
        self.observed.len() as f64 / f64::from(self.bins.day)
    }

    /// The newest bin.
    pub(super) fn last(&self) -> Option<u64> {
        self.observed.back().map(|(bin, _)| u64::from(*bin))
    }

    /// Forgets what is too old to say anything about this bin: after a long pause, all of it.
    pub(super) fn advance_to(&mut self, bin: u64) {
        let bin = bin as u32;
        self.forget(bin.saturating_sub(self.bins_max + self.bins.hour), bin);
    }

    /// Takes a closed bin in.
    pub(super) fn push(&mut self, counts: &Counts) {
        let bin = counts.index as u32;
        let counted = counts.each.iter();
        for count in counted.filter(|count| count.sources >= COUNT_MIN) {
            let entries = &mut self.series.entry(count.key).or_default().entries;
            if entries.len() == entries.capacity() {
                // by an eighth: doubled, all of them would take twice what their limit says
                entries.reserve_exact(entries.len() / 8 + 1);
            }
            entries.push(Entry {
                bin,
                sources: count.sources,
                networks: count.networks,
            });
            self.entries += 1;
        }
        self.observed.push_back((bin, counts.addresses));
        let span = self.bins_max + self.bins.hour;
        let mut oldest = bin.saturating_sub(span);
        if self.entries > ENTRIES_MAX {
            let front = self.observed.front().map_or(bin, |(bin, _)| *bin);
            oldest = oldest.max(front + self.bins.day);
        }
        self.forget(oldest, bin);
    }

    /// Forgets bins before `oldest`: those of the front at once, counts day by day.
    fn forget(&mut self, oldest: u32, bin: u32) {
        let before = self.observed.len();
        while self.observed.front().is_some_and(|(bin, _)| *bin < oldest) {
            self.observed.pop_front();
        }
        let a_day_later = bin.is_multiple_of(self.bins.day);
        if self.entries <= ENTRIES_MAX && (before == self.observed.len() || !a_day_later) {
            return;
        }
        let mut entries = 0;
        self.series.retain(|_, series| {
            series.forget(oldest);
            entries += series.entries.len();
            series.entries.last().is_some_and(|last| last.bin >= oldest)
        });
        self.entries = entries;
    }

    /// What is usual for a series in a bin, and its growth; `None` without a day of history.
    pub(super) fn usual(&mut self, key: Key, counts: &Counts) -> Option<Baseline> {
        if self.observed.len() < self.trailing {
            return None;
        }
        let bin = counts.index as u32;
        let stamp = (bin - bin % self.bins.hour, counts.addresses);
        if self.reference.as_ref().is_none_or(|one| one.stamp != stamp) {
            self.reference = Some(self.reference(stamp));
        }
        let reference = self.reference.as_ref()?;
        let young = 1.0 + 1.0 / self.days();
        let Some(series) = self.series.get_mut(&key) else {
            return Series::default().baseline(reference, young);
        };
        if let Some((made, baseline)) = series.baseline
            && made == stamp
        {
            return Some(baseline);
        }
        let baseline = series.baseline(reference, young)?;
        series.baseline = Some((stamp, baseline));
        Some(baseline)
    }

    /// What is usual of the networks of a series.
    pub(super) fn usual_networks(&mut self, key: Key, counts: &Counts) -> Option<Usual> {
        self.usual(key, counts)?;
        let reference = self.reference.as_ref()?;
        let past = if reference.weeks.is_empty() {
            &reference.day
        } else {
            &reference.weeks
        };
        let nothing = Series::default();
        let series = self.series.get(&key).unwrap_or(&nothing);
        Usual::of(&mut series.values(past, |entry| entry.networks))
    }

    /// Adds what a series deviates to its growth, and says how much has come together.
    pub(super) fn grow(&mut self, key: Key, bin: u64, deviations: f64) -> f64 {
        let (bin, slack) = (bin as u32, self.growth.0);
        let Some(series) = self.series.get_mut(&key) else {
            return 0.0; // never seen before: a burst, not growth
        };
        let (growth, last) = &mut series.growth;
        growth.pass(bin.saturating_sub(*last + 1), slack);
        *last = bin;
        growth.add(deviations, self.growth)
    }

    /// Growth was told: it begins anew.
    pub(super) fn reset_growth(&mut self, key: Key) {
        if let Some(series) = self.series.get_mut(&key) {
            series.growth.0 = Cusum::default();
        }
    }

    fn reference(&self, stamp: (u32, u64)) -> Reference {
        let (hour, addresses) = stamp;
        let trailing = self.observed.len().saturating_sub(self.trailing);
        let day = self.observed.range(trailing..);
        let same = |times: u32, step: u32, least: usize| {
            let mut bins = Vec::new();
            for back in (1..=times).rev() {
                let Some(same) = hour.checked_sub(back * step) else {
                    continue;
                };
                let hour = same.saturating_sub(1)..same + self.bins.hour + 1;
                bins.extend(hour.filter_map(|bin| self.scaled(bin, addresses)));
            }
            // an hour and a bin on each side of it, and a little may be missing
            let enough = least * self.bins.hour as usize;
            if bins.len() < enough {
                Vec::new()
            } else {
                bins
            }
        };
        Reference {
            stamp,
            hour_bins: self.bins.hour,
            day_bins: self.bins.day,
            day: day
                .map(|(bin, past)| (*bin, scale(*past, addresses)))
                .collect(),
            days: same(DAYS, self.bins.day, DAYS_MIN),
            weeks: same(WEEKS, self.bins.week, WEEKS_MIN),
        }
    }

    fn scaled(&self, bin: u32, addresses: u64) -> Option<(u32, f64)> {
        let at = self
            .observed
            .binary_search_by_key(&bin, |(bin, _)| *bin)
            .ok()?;
        Some((bin, scale(self.observed[at].1, addresses)))
    }
}

impl Reference {
    /// Hours of a day.
    fn hours(&self) -> usize {
        (self.day_bins / self.hour_bins).max(1) as usize
    }

    /// The place of an hour, by its first bin, among those of a day.
    fn slot(&self, hour: u32) -> usize {
        (hour / self.hour_bins) as usize % self.hours()
    }
}

/// What a past count is multiplied by: more addresses see up to as many times more sources;
/// fewer may see no fewer, because a scanner finds all of them. So an outage is no surge,
/// nor is its end.
fn scale(past: u64, now: u64) -> f64 {
    if past == 0 || now == 0 {
        return 1.0;
    }
    (now as f64 / past as f64).max(1.0)
}

impl Series {
    fn baseline(&mut self, reference: &Reference, young: f64) -> Option<Baseline> {
        let usual = |bins: &[(u32, f64)]| Usual::of(&mut self.values(bins, |entry| entry.sources));
        let (days, weeks) = (usual(&reference.days), usual(&reference.weeks));
        let season = weeks.or(days).map(|usual| usual.median);
        let mut of_day = self.values(&reference.day, |entry| entry.sources);
        self.hours.resize(reference.hours(), Hour::UNKNOWN);
        self.hours[reference.slot(reference.stamp.0)] = Hour {
            bin: reference.stamp.0,
            season: season.map(|season| season as f32),
            ..Hour::UNKNOWN
        };
        if let Some(season) = season {
            self.take_out_rhythm(reference, season, &mut of_day);
        }
        let long_run = self.long_run(reference, &of_day);
        let widened = |usual: Usual| usual.widened(young);
        Some(Baseline {
            long_run,
            day: Usual::of(&mut of_day).map(widened)?,
            days: days.map(widened),
            weeks: weeks.map(widened),
        })
    }

    /// How alike successive bins of a day are: in the mean over the hours that are remembered,
    /// so that what begins to grow does not speak against itself.
    fn long_run(&mut self, reference: &Reference, of_day: &[f64]) -> f64 {
        let lags = 2 * reference.hour_bins as usize;
        let this = reference.slot(reference.stamp.0);
        self.hours[this].long_run = long_run(of_day, lags) as f32;
        let known = self.hours.iter().filter(|hour| hour.bin != u32::MAX);
        let (sum, count) = known.fold((0.0, 0.0), |(sum, count), hour| {
            (sum + f64::from(hour.long_run), count + 1.0)
        });
        sum / count
    }

    /// Shifts each value of the last day by what its hour is above or below this one, as far
    /// as both are known.
    fn take_out_rhythm(&self, reference: &Reference, season: f64, values: &mut [f64]) {
        for ((bin, _), value) in reference.day.iter().zip(values) {
            let hour = bin - bin % reference.hour_bins;
            let known = self.hours[reference.slot(hour)];
            if known.bin == hour
                && let Some(median) = known.season
            {
                *value = (*value + season - f64::from(median)).max(0.0);
            }
        }
    }

    /// What was counted in these bins, ascending.
    fn values(&self, bins: &[(u32, f64)], of: impl Fn(&Entry) -> u32) -> Vec<f64> {
        let mut at = 0;
        let mut values = Vec::with_capacity(bins.len());
        for (bin, scale) in bins {
            at = first_from(&self.entries, at, *bin);
            let found = self.entries.get(at).filter(|entry| entry.bin == *bin);
            values.push(found.map_or(0.0, |entry| f64::from(of(entry)) * scale));
        }
        values
    }

    fn forget(&mut self, oldest: u32) {
        let stale = self.entries.partition_point(|entry| entry.bin < oldest);
        if stale >= STALE_MAX || stale == self.entries.len() {
            self.entries.drain(..stale);
        }
    }
}

/// The first entry from `at` on that is not before `bin`. Bins ascend and differ: so between two
/// there are at most as many entries as bins, and where none is missing its place is known.
fn first_from(entries: &[Entry], at: usize, bin: u32) -> usize {
    let (Some(here), Some(last)) = (entries.get(at), entries.last()) else {
        return entries.len();
    };
    if here.bin >= bin {
        return at;
    }
    if last.bin < bin {
        return entries.len();
    }
    let farthest = (at + (bin - here.bin) as usize).min(entries.len() - 1);
    if entries[farthest].bin == bin {
        return farthest;
    }
    let nearest = (entries.len() - 1).saturating_sub((last.bin - bin) as usize);
    let nearest = nearest.max(at + 1);
    nearest + entries[nearest..farthest].partition_point(|entry| entry.bin < bin)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_entry_is_found_as_by_looking_at_each(
            gaps in prop::collection::vec(prop_oneof![4 => Just(1_u32), 1 => 2..40_u32], 0..60),
            at in 0..60_usize,
            bin in 0..400_u32,
        ) {
            let bins = gaps.iter().scan(0, |bin, gap| {
                *bin += gap;
                Some(*bin)
            });
            let entries: Vec<Entry> = bins
                .map(|bin| Entry { bin, sources: 1, networks: 1 })
                .collect();
            let at = at.min(entries.len());
            let wanted = (at..entries.len()).find(|index| entries[*index].bin >= bin);
            prop_assert_eq!(first_from(&entries, at, bin), wanted.unwrap_or(entries.len()));
        }
    }
}
