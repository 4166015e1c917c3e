//! Aggressive scanners: the loudest sources of a day, a label beside what they are.
//!
//! Three definitions, of which any makes a source aggressive (Anand, Kallitsis, Sippe,
//! Dainotti: Aggressive Internet-Wide Scanners, 2023, at Merit's ORION telescope): it asked
//! for a tenth of all telescope addresses; it is among the first 1e-4 of sources by packets
//! of a day; or by services of a day. A day (UTC) is measured against the one before, which
//! is known as a whole; where that had too few sources for a quantile, or one that is too
//! low, floors hold.
//!
//! # Promises
//! - Room: two histograms of fixed size, and the services of at most 2,048 sources.

use std::net::IpAddr;
use std::sync::LazyLock;

use noroshi_proto::traffic::Service;
use noroshi_store::window::Sighting;

use super::distinct::{Distinct, mix};
use super::generations::Generations;
use super::scanner::Bar;
use super::sources::{Activity, CONVERSATIONS_MAX};
use crate::finding::Aggression;
use crate::settings;

const DAY_MILLIS: u64 = 86_400_000;
/// Sources whose services are counted at once: those with more than their activity holds.
const BROAD_MAX: usize = 2_048;
/// Buckets of a histogram: every value of 64 bits has one.
const BUCKETS: usize = 2_256;
/// Ratio of neighbouring buckets: quantiles are right within 2 % (as DDSketch: Masson, Rim,
/// Lee, 2019).
const RATIO: f64 = 1.02;

/// What all sources of a day send.
#[derive(Debug)]
pub struct Days {
    settings: settings::Aggressive,
    day: u64,
    packets: Histogram,
    services: Histogram,
    broad: Generations<IpAddr, Broad>,
    /// Packets, and services, from which a source is among the first.
    bars: (u64, u64),
}

/// Packets of one source on one day (since 1970).
#[derive(Clone, Copy, Debug, Default)]
pub struct Today {
    day: u64,
    packets: u64,
}

/// Services of one source on one day.
#[derive(Debug, Default)]
struct Broad {
    day: u64,
    services: Distinct,
    /// How many those are: as the histogram has it.
    counted: u64,
}

/// How many sources have about which value.
#[derive(Clone, Debug)]
struct Histogram(Vec<u64>);

/// Values of which the bucket is looked up: most sources send few packets, and a logarithm of
/// each costs more than all else that is done with it.
const FEW: usize = 1_024;
static BUCKET_OF_FEW: LazyLock<[u16; FEW]> =
    LazyLock::new(|| std::array::from_fn(|value| bucket_by_logarithm(value.max(1) as u64) as u16));

impl Days {
    /// Knows no day yet.
    pub fn new(settings: &settings::Aggressive) -> Self {
        Self {
            settings: settings.clone(),
            day: 0,
            packets: Histogram::new(),
            services: Histogram::new(),
            broad: Generations::new(BROAD_MAX),
            bars: (settings.packets_min, settings.services_min),
        }
    }

    /// Takes in what was seen of a source in a window that began at `start` (milliseconds).
    pub fn add(&mut self, source: IpAddr, activity: &mut Activity, seen: &[&Sighting], start: u64) {
        self.turn(start / DAY_MILLIS);
        let today = &mut activity.today;
        if today.day != self.day {
            *today = Today {
                day: self.day,
                packets: 0,
            };
        }
        let before = today.packets;
        let packets = seen.iter().map(|sighting| sighting.flow.tally.packets);
        today.packets = before.saturating_add(packets.sum());
        self.packets.move_one(before, today.packets);
        if activity.conversations.len() == CONVERSATIONS_MAX {
            self.add_services(source, activity, seen);
        }
    }

    fn add_services(&mut self, source: IpAddr, activity: &Activity, seen: &[&Sighting]) {
        let broad = self.broad.touch(source, Broad::default);
        if broad.day != self.day {
            *broad = Broad {
                day: self.day,
                ..Broad::default()
            };
            let conversations = activity.conversations.iter();
            for one in conversations.filter(|one| one.last.0 / DAY_MILLIS >= self.day) {
                broad.services.insert(hash(one.service));
            }
        }
        for sighting in seen {
            let service = sighting.flow.tuple.transport.service();
            broad.services.insert(hash(service));
        }
        let before = std::mem::replace(&mut broad.counted, broad.services.count());
        self.services.move_one(before, broad.counted);
    }

    /// Which definitions the source at the bar meets.
    pub fn judge(&self, bar: &Bar<'_>, activity: &Activity) -> Aggression {
        let targets = (self.settings.targets_share * bar.watched as f64).ceil() as u64;
        let today = activity.today;
        let broad = self
            .broad
            .get(&bar.source)
            .filter(|one| one.day == self.day);
        Aggression {
            targets: bar.source.is_ipv4() && bar.targets >= targets.max(self.settings.targets_min),
            packets: today.day == self.day && today.packets >= self.bars.0,
            services: broad.is_some_and(|one| one.counted >= self.bars.1),
        }
    }

    /// Begins another day: what was reached on the last one is what counts now.
    fn turn(&mut self, day: u64) {
        if day <= self.day {
            return;
        }
        let settings = &self.settings;
        self.bars = (settings.packets_min, settings.services_min);
        let sources = self.packets.count();
        if day == self.day + 1 && sources >= settings.sources_min {
            let first = (sources as f64 * settings.share) as u64;
            self.bars.0 = self.bars.0.max(self.packets.value_of(first));
            self.bars.1 = self.bars.1.max(self.services.value_of(first));
        }
        self.day = day;
        self.packets = Histogram::new();
        self.services = Histogram::new();
    }
}

impl Histogram {
    fn new() -> Self {
        Self(vec![0; BUCKETS])
    }

    /// A source had `before` (0: it was not counted), and has `after`.
    fn move_one(&mut self, before: u64, after: u64) {
        if before > 0 {
            let count = &mut self.0[bucket(before)];
            *count = count.saturating_sub(1);
        }
        if after > 0 {
            self.0[bucket(after)] += 1;
        }
    }

    /// Sources.
    fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// What the source at this place has, counted from the top; 0 where there are fewer.
    fn value_of(&self, place: u64) -> u64 {
        let mut above = 0;
        for (bucket, count) in self.0.iter().enumerate().rev() {
            above += count;
            if above >= place.max(1) {
                return RATIO.powi(bucket as i32) as u64;
            }
        }
        0
    }
}

fn bucket(value: u64) -> usize {
    match BUCKET_OF_FEW.get(value as usize) {
        Some(bucket) => usize::from(*bucket),
        None => bucket_by_logarithm(value),
    }
}

fn bucket_by_logarithm(value: u64) -> usize {
    (((value as f64).ln() / RATIO.ln()).ceil() as usize).min(BUCKETS - 1)
}

fn hash(service: Service) -> u64 {
    mix((service.protocol as u64) << 16 | u64::from(service.port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_right_within_a_bucket() {
        let mut histogram = Histogram::new();
        for value in 1..=100_000_u64 {
            histogram.move_one(0, 1);
            histogram.move_one(1, value);
        }
        assert_eq!(histogram.count(), 100_000);
        for (place, value) in [(1, 100_000.0), (10, 99_991.0), (50_000, 50_001.0)] {
            let off = histogram.value_of(place) as f64 / value - 1.0;
            assert!(off.abs() <= 0.02, "place {place}: {off}");
        }
        assert_eq!(histogram.value_of(100_001), 0);
        assert!(RATIO.powi(BUCKETS as i32 - 1) > u64::MAX as f64);
    }
}
