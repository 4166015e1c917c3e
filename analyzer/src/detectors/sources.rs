//! What each source has been doing, across all sensors: the fold that detectors keyed by
//! source share.
//!
//! A conversation is what one source asks in one traffic class of one service, wherever it
//! is seen (as the scanner events of Merit's ORION telescope); it ends after a silence that
//! depends on how many addresses could have heard it. A source forgotten for want of room
//! begins anew when it comes back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::FixedState;
use noroshi_proto::flow::{Flow, Marks, OptionLayout};
use noroshi_proto::id::SensorId;
use noroshi_proto::sample::SAMPLE_MAX;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Service, Traffic};
use noroshi_store::origin::Origin;
use noroshi_store::window::{Sighting, Watch, Window};
use smallvec::SmallVec;

use super::Fill;
use super::aggressive::Today;
use super::generations::Generations;
use super::views::Views;
use crate::finding::SENSORS_MAX;
use crate::settings;

/// Conversations kept per source; beyond it the one with the fewest packets gives way.
pub const CONVERSATIONS_MAX: usize = 32;
/// Distinct targets kept per conversation, one by one.
const FEW_MAX: usize = 3;

/// All sources that matter to one detector.
#[derive(Debug)]
pub struct Sources {
    pauses: Pauses,
    wanted: fn(&Flow) -> bool,
    table: Generations<IpAddr, Activity>,
    sensors: Sensors,
}

/// Short numbers for sensors.
#[derive(Debug, Default)]
pub struct Sensors {
    names: Vec<SensorId>,
    numbers: HashMap<SensorId, u16, FixedState>,
}

/// What one source did.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Where and whose it is, as last seen.
    pub origin: Arc<Origin>,
    /// First packet.
    pub first: Millis,
    /// Last packet.
    pub last: Millis,
    /// Fingerprint matches of all conversations.
    pub marks: Marks,
    /// What each sensor saw.
    pub views: Views,
    /// What it asks for. The first stands here itself, as in [`Views`].
    pub conversations: SmallVec<[Conversation; 1]>,
    /// Packets, not yet reported, of conversations that gave way.
    pub others: u64,
    /// Part of it arrived late.
    pub late: bool,
    /// Already told apart, for as long as the activity lasts (reflection only).
    pub settled: Option<crate::finding::Reason>,
    /// It came with a crowd that one machine may have forged.
    pub forgeable: bool,
    /// Its packets of the day, however often it paused.
    pub today: Today,
}

/// What one source asks in one traffic class of one service.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// In which class.
    pub traffic: Traffic,
    /// Of which service.
    pub service: Service,
    /// First packet.
    pub first: Millis,
    /// Last packet.
    pub last: Millis,
    /// Packets so far.
    pub packets: u64,
    /// Packets not yet reported.
    pub fresh: u64,
    /// Targets in the interval that had most.
    pub most: u32,
    /// Targets of each interval, added up: how often it asked anybody.
    pub asked: u64,
    /// Source port of its first packet.
    pub source_port: u16,
    /// Option layout of its first SYN.
    pub options: OptionLayout,
    /// Highest time-to-live.
    pub ttl_max: u8,
    few: [(u16, u32); FEW_MAX],
    few_count: u8,
}

impl Sources {
    /// Follows the flows that are `wanted`.
    pub fn new(settings: &settings::Sources, wanted: fn(&Flow) -> bool) -> Self {
        Self {
            pauses: Pauses::new(settings),
            wanted,
            table: Generations::new(settings.remembered_max),
            sensors: Sensors::default(),
        }
    }

    /// Takes a window in; `tell` hears of every source seen in it, in ascending order,
    /// with the wanted sightings of this window.
    pub fn observe(
        &mut self,
        window: &Window,
        mut tell: impl FnMut(IpAddr, &mut Activity, &Sensors, &[&Sighting]),
    ) {
        let sensors = &mut self.sensors;
        let numbers: Vec<u16> = window
            .watches
            .iter()
            .map(|watch| sensors.number(&watch.sensor))
            .collect();
        let mut seen = Vec::new();
        for group in window
            .flows
            .chunk_by(|a, b| a.flow.tuple.source == b.flow.tuple.source)
        {
            seen.clear();
            seen.extend(
                group
                    .iter()
                    .filter(|sighting| (self.wanted)(&sighting.flow)),
            );
            let Some(any) = seen.first() else { continue };
            let source = any.flow.tuple.source;
            let activity = self.table.touch(source, || Activity::begin(any));
            for sighting in &seen {
                let watch = &window.watches[sighting.watch];
                activity.add(sighting, watch, numbers[sighting.watch], &self.pauses);
            }
            tell(source, activity, &self.sensors, &seen);
        }
    }

    /// How many sources are remembered, as a table of this name.
    pub fn fill(&self, table: &'static str) -> Fill {
        self.table.fill(table)
    }
}

impl Sensors {
    /// The number of a sensor; 65,536 and more share the last.
    pub fn number(&mut self, sensor: &SensorId) -> u16 {
        if let Some(number) = self.numbers.get(sensor) {
            return *number;
        }
        let number = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        if number < u16::MAX {
            self.names.push(sensor.clone());
            self.numbers.insert(sensor.clone(), number);
        }
        number
    }

    /// The sensors with these numbers, by name, at most [`SENSORS_MAX`].
    pub fn names(&self, numbers: impl Iterator<Item = u16>) -> Vec<SensorId> {
        let mut names: Vec<SensorId> = numbers
            .filter_map(|number| self.names.get(usize::from(number)).cloned())
            .collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(SENSORS_MAX);
        names
    }
}

impl Activity {
    fn begin(sighting: &Sighting) -> Self {
        let tally = &sighting.flow.tally;
        Self {
            origin: Arc::clone(&sighting.origin),
            first: tally.first,
            last: tally.first,
            marks: Marks::default(),
            views: Views::default(),
            conversations: SmallVec::new(),
            others: 0,
            late: false,
            settled: None,
            forgeable: false,
            today: Today::default(),
        }
    }

    fn add(&mut self, sighting: &Sighting, watch: &Watch, sensor: u16, pauses: &Pauses) {
        let tally = &sighting.flow.tally;
        let heard = self.views.addresses_with(sensor, watch.addresses);
        let pause = pauses.longest(heard, sighting.flow.tuple.source);
        if tally.first.0 > self.last.0.saturating_add(pause) {
            *self = Self {
                today: self.today,
                ..Self::begin(sighting)
            };
        }
        self.origin = Arc::clone(&sighting.origin);
        self.first = self.first.min(tally.first);
        self.last = self.last.max(tally.last);
        self.late |= sighting.late;
        self.marks.merge(&tally.marks);
        self.views.add(tally, watch, sensor, SAMPLE_MAX);
        self.converse(&sighting.flow, sensor, pause);
    }

    fn converse(&mut self, flow: &Flow, sensor: u16, pause: u64) {
        let (traffic, service) = (flow.tuple.traffic, flow.tuple.transport.service());
        let known = self
            .conversations
            .iter()
            .position(|one| one.service == service && one.traffic == traffic);
        let index = known.unwrap_or_else(|| self.room());
        let one = if index == self.conversations.len() {
            self.conversations.push(Conversation::begin(flow));
            &mut self.conversations[index]
        } else {
            &mut self.conversations[index]
        };
        let resumed = flow.tally.first.0 > one.last.0.saturating_add(pause);
        if known.is_none() || resumed {
            self.others += if known.is_none() { one.fresh } else { 0 };
            *one = Conversation::begin(flow);
        }
        one.add(flow, sensor);
    }

    /// Where the next conversation goes.
    fn room(&self) -> usize {
        if self.conversations.len() < CONVERSATIONS_MAX {
            return self.conversations.len();
        }
        self.conversations
            .iter()
            .enumerate()
            .min_by_key(|(_, one)| one.packets)
            .map_or(0, |(index, _)| index)
    }

    /// Distinct targets.
    pub fn targets(&self) -> u64 {
        self.views.targets()
    }

    /// Packets of all conversations that are still remembered.
    pub fn packets(&self) -> u64 {
        self.conversations.iter().map(|one| one.packets).sum()
    }

    /// From first to last packet, in seconds.
    pub fn lasted(&self) -> f64 {
        (self.last.0 - self.first.0.min(self.last.0)) as f64 / 1000.0
    }

    /// Estimated packets per second to all of IPv4; `None` on fewer than 10 packets, in less
    /// than a second, or for IPv6.
    pub fn rate(&self, source: IpAddr) -> Option<f64> {
        let (packets, seconds) = (self.packets(), self.lasted());
        let share = self.views.addresses() as f64 / 2.0_f64.powi(32);
        let known = source.is_ipv4() && packets >= 10 && seconds >= 1.0 && share > 0.0;
        known.then(|| (packets as f64 / seconds / share).round())
    }
}

impl Conversation {
    fn begin(flow: &Flow) -> Self {
        let tally = &flow.tally;
        Self {
            traffic: flow.tuple.traffic,
            service: flow.tuple.transport.service(),
            first: tally.first,
            last: tally.first,
            packets: 0,
            fresh: 0,
            most: 0,
            asked: 0,
            source_port: tally.source_port,
            options: tally.options,
            ttl_max: tally.ttl_max,
            few: [(0, 0); FEW_MAX],
            few_count: 0,
        }
    }

    fn add(&mut self, flow: &Flow, sensor: u16) {
        let tally = &flow.tally;
        self.first = self.first.min(tally.first);
        self.last = self.last.max(tally.last);
        self.packets += tally.packets;
        self.fresh += tally.packets;
        self.most = self.most.max(tally.targets);
        self.asked += u64::from(tally.targets);
        self.ttl_max = self.ttl_max.max(tally.ttl_max);
        for masked in tally.sample.as_slice() {
            let count = usize::from(self.few_count);
            if count == FEW_MAX {
                break;
            }
            let target = (sensor, *masked);
            if !self.few[..count].contains(&target) {
                self.few[count] = target;
                self.few_count += 1;
            }
        }
    }

    /// Distinct targets, at least: exact up to three, and within one interval.
    pub fn targets(&self) -> u64 {
        u64::from(self.most).max(self.few_count.into())
    }
}

/// How long a source may pause within one activity:
/// `T = ln(1 / chance) / (rate × share of IPv4)`, as published scanner events imply
/// (Merit: 475,136 addresses, 100 packets/s, 1e-3 → 624 s).
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// `ln(1 / chance)`.
    expected: f64,
    slowest_rate: f64,
    seconds_min: f64,
    seconds_max: f64,
}

impl Pauses {
    /// By these settings.
    pub fn new(settings: &settings::Sources) -> Self {
        Self {
            expected: (1.0 / settings.cut_chance).ln(),
            slowest_rate: settings.slowest_rate,
            seconds_min: settings.silence_seconds_min as f64,
            seconds_max: settings.silence_seconds_max as f64,
        }
    }

    /// The longest pause of a source that so many addresses can hear, in milliseconds.
    pub fn longest(&self, addresses: u64, source: IpAddr) -> u64 {
        let share = addresses as f64 / 2.0_f64.powi(32);
        let seconds = if source.is_ipv4() && share > 0.0 {
            self.expected / (self.slowest_rate * share)
        } else {
            f64::INFINITY // nobody scans all of IPv6: no rate to expect
        };
        (seconds.clamp(self.seconds_min, self.seconds_max) * 1000.0) as u64
    }
}

/// How many hops away a packet began, if it began with the usual 32, 64, 128 or 255.
pub fn hops(ttl: u8) -> u8 {
    let initial = match ttl {
        0..=32 => 32,
        33..=64 => 64,
        65..=128 => 128,
        129..=255 => 255,
    };
    initial - ttl
}

/// How far apart in hops two times-to-live are, at least: hosts behind one address may begin
/// with different values, and a path may lead across two of them.
pub fn hops_spread(ttl_min: u8, ttl_max: u8) -> u8 {
    let counted = hops(ttl_min).abs_diff(hops(ttl_max));
    counted.min(ttl_max.abs_diff(ttl_min))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_reproduce_published_constants() {
        let pauses = Pauses::new(&settings::Sources::default());
        let source = IpAddr::from([192, 0, 2, 1]);
        let seconds = |addresses| pauses.longest(addresses, source) / 1000;
        assert_eq!(seconds(475_136), 624);
        assert_eq!(seconds(65_536), 4_527);
        assert_eq!(seconds(4_096), 72_433);
        assert_eq!(seconds(256), 86_400);
        assert_eq!(seconds(1 << 24), 300);
        assert_eq!(
            pauses.longest(0, "2001:db8::1".parse().expect("address")),
            86_400_000
        );
    }

    #[test]
    fn hops_are_counted_from_the_next_usual_start() {
        assert_eq!([hops(0), hops(32), hops(63), hops(64)], [32, 0, 1, 0]);
        assert_eq!([hops(117), hops(246), hops(255)], [11, 9, 0]);
        assert_eq!(hops_spread(237, 246), 9);
        assert_eq!(hops_spread(50, 114), 0);
        assert_eq!(hops_spread(30, 34), 4);
    }
}
