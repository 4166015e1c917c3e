//! Which series surge: when a surge begins, goes on and is over.
//!
//! A surge begins when the series deviated in two of three bins, or has grown for long. It
//! goes on while it is clearly above the usual, and is over after three quiet bins. Within a
//! day of its end the same series begins a new one only when it is half as large again as
//! the last one was: what flickers is told once, and what is worse is told at once.
//!
//! Countries and partners are told apart from the region, not beside it: while a service
//! surges or deviates in the region, and for a day after, its other series say nothing, for
//! they are part of the same. Such a surge is one country's where four fifths of what
//! exceeds the usual come from there. What a country's series then tells by itself is what
//! the region as a whole does not show.

use std::collections::BTreeMap;

use noroshi_proto::traffic::Service;
use noroshi_store::origin::Country;

use super::counts::{Count, Counts, Key, Place};
use super::history::{Baseline, History};
use crate::detectors::statistics::discovery_limit;
use crate::settings::ScanSurge;

/// Bins of which some must agree.
const RECENT_BINS: usize = 3;
/// How much less likely two chances must be together than one alone: a product of two has
/// more ways to be small.
const TOGETHER: f64 = 20.0;

/// Robust deviations up to which a series is as usual.
const AS_USUAL: f64 = 1.0;

/// Series that deviated lately, surge, or surged.
#[derive(Debug, Default)]
pub(super) struct Tracks(BTreeMap<Key, Track>);

/// One of them.
#[derive(Clone, Debug, Default)]
struct Track {
    /// The chances of the last bins in which it deviated, the newest first.
    deviated: [Option<Chance>; RECENT_BINS],
    surge: Option<Surge>,
    quiet: u32,
    /// The last surge: the bin after it, the most sources it had, how it began.
    past: Option<(u64, u32, Onset)>,
}

/// How likely a deviation is by chance.
#[derive(Clone, Copy, Debug)]
struct Chance {
    chance: f64,
    /// Among all series of its bin it is a discovery by itself.
    is_discovery: bool,
}

/// A surge that goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surge {
    pub(super) onset: Onset,
    /// The country that most of it comes from, if one does.
    pub(super) country: Option<Country>,
    most: u32,
}

/// How a surge began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Onset {
    /// Within some bins.
    Burst,
    /// Over hours or days.
    Growth,
}

/// A series that surges in the bin that closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surging {
    pub(super) count: Count,
    pub(super) surge: Surge,
    pub(super) usual: f64,
}

/// A series in the bin that closes.
struct Tested {
    count: Count,
    baseline: Baseline,
    chance: f64,
    /// What has grown together, and how far it is above the usual now.
    growth: Option<(f64, f64)>,
}

impl Tracks {
    /// Nobody watched: what went on is not known.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether a service surges in the region, or did so lately.
    pub(super) fn knows(&self, service: Service) -> bool {
        let place = Place::Region;
        let track = self.0.get(&Key { service, place });
        track.is_some_and(|track| track.surge.is_some() || track.past.is_some())
    }

    /// Takes a closed bin in, and says which series surge in it.
    pub(super) fn follow(
        &mut self,
        counts: &Counts,
        history: &mut History,
        settings: &ScanSurge,
    ) -> Vec<Surging> {
        let tested = test(counts, history, settings);
        for track in self.0.values_mut() {
            track.deviated.rotate_right(1);
            track.deviated[0] = None;
        }
        self.mark(&tested, (counts, history), settings);
        self.begin(&tested, (counts, history), settings);
        let surging = self.go_on((counts, history), settings);
        let index = counts.index;
        self.0.retain(|_, track| track.lasts(index, settings));
        surging
    }

    /// Notes which series deviate in this bin.
    fn mark(
        &mut self,
        tested: &[Tested],
        (counts, history): (&Counts, &mut History),
        settings: &ScanSurge,
    ) {
        let mut chances: Vec<f64> = tested.iter().map(|one| one.chance).collect();
        let limit = discovery_limit(&mut chances, settings.false_discoveries);
        for one in tested {
            let deviations = one.baseline.deviations(one.count.sources);
            if deviations <= settings.deviations {
                continue;
            }
            // many more sources of the same networks are one network's matter
            let networks = history.usual_networks(one.count.key, counts);
            let spread = networks.map(|usual| usual.deviations(one.count.networks.into()));
            if spread.is_some_and(|spread| spread > settings.deviations_continuing) {
                let track = self.0.entry(one.count.key).or_default();
                track.deviated[0] = Some(Chance {
                    chance: one.chance,
                    is_discovery: one.chance <= limit,
                });
            }
        }
    }

    /// Begins what deviated often enough or has grown for long: the region first.
    fn begin(
        &mut self,
        tested: &[Tested],
        (counts, history): (&Counts, &mut History),
        settings: &ScanSurge,
    ) {
        let grown = tested.iter().filter_map(|one| one.growth);
        let mut chances: Vec<f64> = grown
            .map(|(sum, _)| (-2.0 * settings.growth_slack * sum).exp())
            .collect();
        // no later bin has to agree: what is false is counted by day, not by bin
        let by_day = settings.bin_seconds as f64 / 86_400.0;
        let limit = discovery_limit(&mut chances, settings.false_discoveries * by_day);
        for one in tested {
            let key = one.count.key;
            let is_part = key.place != Place::Region && self.is_part(key, counts.index, settings);
            let track = self.0.get(&key);
            if track.is_some_and(|track| track.surge.is_some()) {
                history.reset_growth(key); // it is told already
                continue;
            }
            if is_part {
                continue;
            }
            let burst = track.is_some_and(|track| track.bursts(tested.len(), settings));
            let onset = if burst {
                Onset::Burst
            } else if has_grown(one, limit, settings) {
                history.reset_growth(key);
                Onset::Growth
            } else {
                continue;
            };
            let past = track.and_then(|track| track.past);
            if past.is_some_and(|past| is_damped(past, onset, one.count.sources, settings)) {
                continue;
            }
            let surge = Surge {
                onset,
                country: whose(one, (counts, history), settings),
                most: 0,
            };
            let track = self.0.entry(key).or_default();
            (track.surge, track.quiet) = (Some(surge), 0);
        }
    }

    /// Whether another series surges that this one is part of, or did so within a day: the
    /// region's, or, of a partner, a country's.
    fn is_part(&self, key: Key, index: u64, settings: &ScanSurge) -> bool {
        let region = Key {
            place: Place::Region,
            ..key
        };
        let of_partner = matches!(key.place, Place::Partner(_));
        let whole = |other: &Key| match other.place {
            Place::Region => true,
            Place::Country(_) => of_partner,
            Place::Partner(_) => false,
        };
        self.0
            .range(region..key)
            .any(|(other, track)| whole(other) && track.holds_back(index, settings))
    }

    fn go_on(
        &mut self,
        (counts, history): (&Counts, &mut History),
        settings: &ScanSurge,
    ) -> Vec<Surging> {
        let mut surging = Vec::new();
        let keys: Vec<Key> = self.0.keys().copied().collect();
        for key in keys {
            let is_part = key.place != Place::Region && self.is_part(key, counts.index, settings);
            let Some(track) = self.0.get_mut(&key) else {
                continue;
            };
            let count = counts.get(key).filter(|count| count.is_sound() && !is_part);
            let baseline = history.usual(key, counts);
            let goes_on = match (count, baseline, &mut track.surge) {
                (Some(count), Some(baseline), Some(surge))
                    if surge.goes_on(count.sources, &baseline, settings) =>
                {
                    surge.most = surge.most.max(count.sources);
                    surging.push(Surging {
                        count: *count,
                        surge: *surge,
                        usual: surge.level(&baseline),
                    });
                    true
                }
                _ => false,
            };
            track.quiet = if goes_on { 0 } else { track.quiet + 1 };
            if track.quiet >= settings.quiet_bins
                && let Some(over) = track.surge.take()
            {
                track.past = Some((counts.index, over.most, over.onset));
            }
        }
        surging
    }
}

impl Track {
    fn recent(&self) -> usize {
        self.deviated.iter().flatten().count()
    }

    /// Whether it deviates now, and enough bins agree: each a discovery by itself, or
    /// together less likely than a discovery among so many series.
    fn bursts(&self, tested: usize, settings: &ScanSurge) -> bool {
        let agree = settings.persistence as usize;
        if self.deviated[0].is_none() || self.recent() < agree {
            return false;
        }
        let recent = || self.deviated.iter().flatten();
        let together: f64 = recent().map(|one| one.chance).product();
        recent().filter(|one| one.is_discovery).count() >= agree
            || together * TOGETHER * tested as f64 <= settings.false_discoveries
    }

    /// Whether its parts say nothing of their own.
    fn holds_back(&self, index: u64, settings: &ScanSurge) -> bool {
        let lately = |(over, ..): (u64, u32, Onset)| {
            (index - over) * settings.bin_seconds < settings.renewed_seconds
        };
        // what deviates in the region as well may be about to surge there
        self.surge.is_some() || self.recent() > 0 || self.past.is_some_and(lately)
    }

    fn lasts(&mut self, index: u64, settings: &ScanSurge) -> bool {
        let remembered = |(over, _, onset): (u64, u32, Onset)| {
            (index - over) * settings.bin_seconds < damped_seconds(onset, settings)
        };
        self.past = self.past.filter(|past| remembered(*past));
        self.surge.is_some() || self.recent() > 0 || self.past.is_some()
    }
}

impl Surge {
    fn goes_on(&self, sources: u32, baseline: &Baseline, settings: &ScanSurge) -> bool {
        let least = settings.deviations_continuing;
        match self.onset {
            Onset::Burst => baseline.deviations(sources) > least,
            Onset::Growth => {
                let growth = baseline.growth(sources);
                // what is slow is near the usual for long: half of it is enough
                growth.is_some_and(|deviations| deviations > least / 2.0)
                    && baseline.is_above_day(sources)
            }
        }
    }

    fn level(&self, baseline: &Baseline) -> f64 {
        match self.onset {
            Onset::Burst => baseline.level(),
            Onset::Growth => baseline.level_of_days(),
        }
    }
}

/// How long the end of a surge is remembered.
fn damped_seconds(onset: Onset, settings: &ScanSurge) -> u64 {
    match onset {
        Onset::Burst => settings.renewed_seconds,
        Onset::Growth => settings.growth_renewed_seconds,
    }
}

/// Whether a surge is no news after the last one of its series.
fn is_damped(
    (_, most, last): (u64, u32, Onset),
    onset: Onset,
    sources: u32,
    settings: &ScanSurge,
) -> bool {
    // a burst is news after growth has been told
    let alike = onset == last || onset == Onset::Growth;
    alike && f64::from(sources) < f64::from(most) * settings.renewed_ratio
}

/// The series that enough sources ask for, with what is usual for them.
fn test(counts: &Counts, history: &mut History, settings: &ScanSurge) -> Vec<Tested> {
    if history.len() < settings.history_min {
        return Vec::new();
    }
    let mut tested = Vec::new();
    for count in &counts.each {
        let enough = u64::from(count.sources) >= settings.sources_min
            && count.networks as usize >= settings.networks_min;
        if !enough || !count.is_sound() {
            continue;
        }
        let Some(baseline) = history.usual(count.key, counts) else {
            continue;
        };
        let growth = baseline.growth(count.sources).map(|deviations| {
            // one bin adds no more than a surge would have to
            let most = settings.deviations;
            let capped = deviations.clamp(-most, most);
            let sum = history.grow(count.key, counts.index, baseline.lasting(capped));
            (sum, deviations)
        });
        tested.push(Tested {
            count: *count,
            chance: chance(count.sources, &baseline),
            baseline,
            growth,
        });
    }
    tested
}

/// The chance of so many sources. What is as usual has one beyond any rate of discoveries, and
/// needs no working out: nearly all series are.
fn chance(sources: u32, baseline: &Baseline) -> f64 {
    if baseline.deviations(sources) <= AS_USUAL {
        return 1.0;
    }
    baseline.chance(sources)
}

/// Whether a series has grown for long, by an amount that matters.
fn has_grown(one: &Tested, limit: f64, settings: &ScanSurge) -> bool {
    let Some((sum, deviations)) = one.growth else {
        return false;
    };
    let level = one.baseline.level_of_days();
    let more = f64::from(one.count.sources) - level;
    // what stands out in one bin is a burst, if the next one agrees
    sum >= settings.growth_limit
        && one.baseline.deviations(one.count.sources) <= settings.deviations
        && (-2.0 * settings.growth_slack * sum).exp() <= limit
        && deviations > settings.deviations_continuing
        && one.baseline.is_above_day(one.count.sources)
        && more >= settings.sources_min as f64
        && more >= level * settings.growth_min
}

/// The country that nearly all of what exceeds the usual comes from.
fn whose(
    one: &Tested,
    (counts, history): (&Counts, &mut History),
    settings: &ScanSurge,
) -> Option<Country> {
    let more = f64::from(one.count.sources) - one.baseline.level();
    let service = one.count.key.service;
    let of_service = |count: &&Count| count.key.service == service;
    let from = counts
        .each
        .partition_point(|count| count.key < one.count.key);
    let parts: Vec<Count> = counts.each[from..]
        .iter()
        .take_while(of_service)
        .copied()
        .collect();
    parts.into_iter().find_map(|count| {
        let Place::Country(country) = count.key.place else {
            return None;
        };
        if f64::from(count.sources) < more * settings.country_share {
            return None;
        }
        let usual = history.usual(count.key, counts)?.level();
        let its = f64::from(count.sources) - usual;
        (its >= more * settings.country_share).then_some(country)
    })
}
