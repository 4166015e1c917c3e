//! A country of which hardly any source is seen any more, while all others go on: an outage.
//!
//! The method is that of IODA's telescope signal (Dainotti et al., Analysis of Country-wide
//! Internet Outages Caused by Censorship, 2011): distinct sources per country against the
//! median of a week. Scans only, without published scanners and impossible sources.
//!
//! # Never
//! - while the collector was down or a sensor is being worked on: such bins are neither judged
//!   nor remembered;
//! - by what a larger telescope saw: while a sensor is down, a country is judged by the bins
//!   since then, from an hour on;
//! - when the labels moved and not the hosts: a reloaded geo database begins a country's
//!   history anew.

mod past;

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::Kind;
use noroshi_store::origin::Country;
use noroshi_store::past::PastBin;
use noroshi_store::window::{Sighting, Window};

use self::past::{Past, PastCounts};
use super::crowd::Compact;
use super::distinct::Distinct;
use super::moves::{Move, Moves};
use super::{Detector, Facts, Maintenance, WarmUp};
use crate::finding::{About, Finding, Reason, SENSORS_MAX, Support};
use crate::settings::CountrySilence;

/// Share of a bin's minutes without a window of which it was not watched, in per cent.
const WATCHED_MIN: u64 = 90;
/// Times the share of silence up to which a country stays silent once it is.
const RECOVERED: f64 = 2.0;
/// Days after which a source may move once more.
const MOVED_DAYS: u16 = 7;

/// Finds silent countries.
#[derive(Debug)]
pub struct CountrySilences {
    settings: CountrySilence,
    open: Option<Open>,
    past: Past,
    moves: Moves,
    silent: BTreeMap<Country, Silent>,
    works: Vec<Maintenance>,
}

/// A bin, while it is open.
#[derive(Debug)]
struct Open {
    index: u64,
    sources: HashMap<Option<Country>, Distinct, FixedState>,
    /// Sources that have left a country's label.
    moved: HashMap<Option<Country>, u64, FixedState>,
    /// Its minutes of which there is a window, and the last of them.
    minutes: (u64, u64),
    /// The fewest addresses that were up.
    addresses: u64,
    sensors: Vec<SensorId>,
}

/// A country that is silent, or may be.
#[derive(Clone, Copy, Debug)]
struct Silent {
    since: u64,
    last: u64,
    bins: u32,
}

impl CountrySilences {
    /// Without history.
    pub fn new(settings: &CountrySilence) -> Self {
        Self {
            open: None,
            past: Past::new(settings),
            moves: Moves::new(MOVED_DAYS),
            silent: BTreeMap::new(),
            works: Vec::new(),
            settings: settings.clone(),
        }
    }

    fn close(&mut self, bin: &Open) -> Vec<Finding> {
        let counts = PastCounts::of(bin.index, bin.addresses, &bin.sources);
        for (country, moved) in &bin.moved {
            let usual = country.and_then(|country| self.past.usual(country));
            let usual = usual.unwrap_or(self.settings.usual_min);
            if *moved as f64 >= usual * self.settings.moved_share {
                self.past.begin_anew(*country, bin.index);
            }
        }
        if !self.is_whole(bin) {
            return Vec::new();
        }
        let silent = self.judge_all(&counts);
        let findings = silent
            .into_iter()
            .map(|(country, usual, silent)| self.finding(country, usual, silent, (bin, &counts)))
            .collect();
        self.past.push(counts);
        findings
    }

    /// Every country that is silent, with what is usual for it.
    fn judge_all(&mut self, counts: &PastCounts) -> Vec<(Country, f64, Silent)> {
        let countries = self.past.countries(counts.index, counts.addresses);
        let judged = countries.into_iter().filter_map(|(country, usual)| {
            let silent = self.judge(country, usual, counts)?;
            Some((country, usual, silent))
        });
        judged.collect()
    }

    /// Whether the bin was watched from beginning to end, and nobody worked on a sensor.
    fn is_whole(&self, bin: &Open) -> bool {
        let seconds = self.settings.bin_seconds;
        let span = bin.index * seconds..(bin.index + 1) * seconds;
        let overlaps =
            |work: &Maintenance| work.span.start < span.end && work.span.end > span.start;
        bin.minutes.0 * 60 * 100 >= seconds * WATCHED_MIN && !self.works.iter().any(overlaps)
    }

    /// Whether a country is silent, and since when.
    fn judge(&mut self, country: Country, usual: f64, counts: &PastCounts) -> Option<Silent> {
        let sources = counts.sources(Some(country));
        let known = self.silent.get(&country).copied();
        let known = known.filter(|silent| silent.last + 1 == counts.index);
        let was_silent = known.is_some_and(|silent| silent.bins >= self.settings.persistence);
        let share = if was_silent {
            self.settings.share * RECOVERED
        } else {
            self.settings.share
        };
        let is_few = f64::from(sources) <= usual * share;
        let is_silent = is_few
            && (was_silent || self.past.chance(country, counts) < self.settings.chance)
            && self.past.others(country, counts) >= self.settings.others_share;
        if !is_silent {
            self.silent.remove(&country);
            return None;
        }
        let silent = Silent {
            since: known.map_or(counts.index, |silent| silent.since),
            last: counts.index,
            bins: known.map_or(1, |silent| silent.bins + 1),
        };
        self.silent.insert(country, silent);
        (silent.bins >= self.settings.persistence).then_some(silent)
    }

    fn finding(
        &self,
        country: Country,
        usual: f64,
        silent: Silent,
        (bin, counts): (&Open, &PastCounts),
    ) -> Finding {
        let seconds = self.settings.bin_seconds;
        let end = (bin.index + 1) * seconds;
        Finding {
            kind: Kind::CountrySilence,
            about: About::Country(country),
            first: Millis(silent.since * seconds * 1_000),
            last: Millis(end * 1_000),
            at: end,
            packets: 0,
            targets: 0,
            sources: Some(counts.sources(Some(country)).into()),
            sensors: bin.sensors.clone(),
            services: Vec::new(),
            source_port: None,
            fingerprint: None,
            usual: Some(usual.round()),
            rate: None,
            estimates: Default::default(),
            support: if bin.sensors.len() > 1 {
                Support::Steady
            } else {
                Support::Plain
            },
            reason: Reason::CountrySilence,
            late: false,
            victims: Vec::new(),
        }
    }
}

impl Open {
    fn new(index: u64) -> Self {
        Self {
            index,
            sources: HashMap::default(),
            moved: HashMap::default(),
            minutes: (0, 0),
            addresses: u64::MAX,
            sensors: Vec::new(),
        }
    }

    fn watch(&mut self, window: &Window) {
        let minute = window.interval.start() / 60;
        if self.minutes.1 != minute {
            self.minutes = (self.minutes.0 + 1, minute);
        }
        self.addresses = self.addresses.min(window.addresses());
        let names = window.watches.iter().take(SENSORS_MAX);
        self.sensors.clear();
        self.sensors.extend(names.map(|watch| watch.sensor.clone()));
    }

    fn count(&mut self, sighting: &Sighting, day: u64, moves: &mut Moves) {
        let (hash, _) = Compact::of(sighting.flow.tuple.source);
        let country = sighting.origin.country;
        if let Move::Now(from) = moves.note(hash, country, day) {
            *self.moved.entry(from).or_default() += 1;
        }
        self.sources.entry(country).or_default().insert(hash);
    }
}

/// Whether a flow tells that its source's country is there.
fn counts(sighting: &Sighting) -> bool {
    let origin = &sighting.origin;
    !sighting.late
        && sighting.flow.tuple.traffic.is_scan()
        && origin.bogon.is_none()
        && origin.scanner.is_none()
}

impl Detector for CountrySilences {
    fn facts(&self) -> Facts {
        Facts {
            name: "country_silence",
            kinds: &[Kind::CountrySilence],
            warm_up: WarmUp::Rollups {
                seconds: self.settings.history_max as u64 * self.settings.bin_seconds,
            },
        }
    }

    fn recall(&mut self, past: &PastBin) {
        let is_whole = u64::from(past.watched) >= WATCHED_MIN;
        if past.seconds == self.settings.bin_seconds && is_whole {
            let counts = PastCounts::recalled(past);
            self.judge_all(&counts);
            self.past.push(counts);
        }
    }

    fn maintain(&mut self, works: &[Maintenance]) {
        self.works = works.to_vec();
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let index = window.interval.start() / self.settings.bin_seconds;
        let is_late = window.flows.first().is_some_and(|sighting| sighting.late);
        let open = self.open.as_ref().map(|open| open.index);
        if is_late || open.is_some_and(|open| open > index) || self.past.has(index) {
            return Vec::new();
        }
        let closed = match &self.open {
            Some(open) if open.index < index => self.open.take(),
            _ => None,
        };
        let findings = closed.map_or_else(Vec::new, |bin| self.close(&bin));
        let open = self.open.get_or_insert_with(|| Open::new(index));
        open.watch(window);
        let day = window.interval.start() / 86_400;
        let same = |a: &Sighting, b: &Sighting| a.flow.tuple.source == b.flow.tuple.source;
        for group in window.flows.chunk_by(same) {
            if let Some(sighting) = group.iter().find(|sighting| counts(sighting)) {
                open.count(sighting, day, &mut self.moves);
            }
        }
        findings
    }
}
