//! Whether the silence of a host that its partner calls clean is more than an accident.
//!
//! A case was seen at a rate of its own: packets per address and second watched by the sensors
//! that saw it. Had nothing changed, the chance to see nothing while as much was watched as
//! since its last packet is `exp(-rate × watched)`. Below 1 % the case is confirmed; whatever
//! silence cannot prove stays quiet, with the reason.

use std::collections::BTreeSet;
use std::ops::Range;

use noroshi_proto::id::SensorId;
use noroshi_proto::limits::CLOCK_BEHIND_MAX;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Subject};
use noroshi_store::ledger::Watermark;
use noroshi_store::maintenance::Maintenance;
use noroshi_store::observations::Observation;
use noroshi_store::origin::Country;
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution::{Reason, Whereabouts};
use noroshi_store::registry::partner::PrefixUse;
use noroshi_store::remedy::{Event, Remedy, Standing};

/// Silence is proof where it had been less likely than this.
pub const CHANCE: f64 = 0.01;
/// No silence is judged before a day: much of what is infected runs by day only.
const SILENT_SECONDS_MIN: u64 = 86_400;
/// A rate is measured over an hour at least, so that one burst is not taken for a habit.
const ACTIVE_SECONDS_MIN: u64 = 3_600;
/// A sensor is behind when it has not completed what ended so long ago.
const BEHIND_SECONDS: u64 = 3_600;

/// What there is to know of the telescopes at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sky<'a> {
    /// How far each sensor has come that was heard of lately.
    pub watermarks: &'a [Watermark],
    /// When sensors are worked on.
    pub maintenance: &'a [Maintenance],
    /// The moment, in seconds since 1970.
    pub now: u64,
}

/// When a case was seen, and when nothing more was: what has to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretches {
    /// First packet to last.
    pub active: Range<u64>,
    /// Since the last packet, maintenance left out.
    pub silent: Vec<Range<u64>>,
}

/// What the case's sensors watched, in addresses × seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// While it was seen.
    pub active: f64,
    /// Since.
    pub silent: f64,
}

/// What the telescopes say of a case that its partner calls clean.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Too early to tell.
    Wait,
    /// It is seen again.
    Reappeared,
    /// Its silence is no accident.
    Confirmed {
        /// How likely the silence would be had nothing changed.
        probability: f64,
    },
    /// Silence proves nothing.
    Quiet {
        /// Why not.
        doubt: Doubt,
        /// How likely the silence would be had nothing changed, where that can be said.
        probability: Option<f64>,
    },
}

/// Why silence proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Another host may bear the address by now.
    Dynamic,
    /// Many hosts share the address.
    Shared,
    /// Nobody registered what stands behind the address.
    UnknownUse,
    /// Seen too little to know how often it would be seen.
    FewPackets,
    /// A sensor is down, or still holds what it saw.
    Behind(SensorId),
    /// Not enough was watched.
    Coverage,
}

impl Doubt {
    /// In words, for the partner, who is not told which sensors there are.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Dynamic => "dynamic prefix: another host may bear the address by now",
            Self::Shared => "carrier-grade NAT: many hosts share the address",
            Self::UnknownUse => "no registered prefix: what stands behind the address is not known",
            Self::FewPackets => "seen too little to tell how often it would be seen",
            Self::Behind(_) => "a sensor is down or still holds what it saw",
            Self::Coverage => "too little was watched since to tell",
        }
    }

    /// Whether waiting will not cure it.
    fn lasts(&self) -> bool {
        !matches!(self, Self::Behind(_) | Self::Coverage)
    }
}

/// A case whose silence is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Silent<'a> {
    /// The case.
    pub alert: &'a Alert,
    /// Where it stands on its partner's side.
    pub standing: &'a Standing,
    /// The sensors that saw it.
    pub sensors: &'a BTreeSet<SensorId>,
}

impl Silent<'_> {
    /// What has to be measured before the silence can be judged.
    pub fn stretches(&self, sky: &Sky<'_>) -> Stretches {
        let first = self.alert.first_seen.seconds();
        let last = self.alert.last_seen.seconds() + 1;
        let own = |mark: &&Watermark| self.sensors.contains(&mark.sensor);
        let complete = sky.watermarks.iter().filter(own);
        let through = complete.map(|mark| mark.complete_through).min();
        let end = through.unwrap_or(last).min(sky.now).max(last);
        let own = |window: &&Maintenance| self.sensors.contains(&window.sensor);
        let windows = sky.maintenance.iter().filter(own);
        let whole: Vec<Range<u64>> = std::iter::once(last..end).collect();
        let silent = windows.fold(whole, |silent, window| {
            let window = window.from.seconds()..window.until.seconds();
            let parts = silent.into_iter().flat_map(|range| without(range, &window));
            parts.collect()
        });
        Stretches {
            active: first..last.max(first + ACTIVE_SECONDS_MIN),
            silent,
        }
    }

    /// What the telescopes say, given what was watched; `quiet_seconds` after the last packet
    /// waiting ends.
    pub fn judge(
        &self,
        sky: &Sky<'_>,
        registry: &Registry,
        watched: Watched,
        quiet_seconds: u64,
    ) -> Judgement {
        let is_over = self.standing.state.after(Event::Reappear).is_ok();
        if is_over && self.alert.last_seen > self.standing.since {
            return self.seen_again(sky);
        }
        let silence = sky.now.saturating_sub(self.alert.last_seen.seconds());
        // attacks and surges are over when their case is: only hosts are cleaned
        let is_host = matches!(self.alert.subject, Subject::Source { .. });
        let can_be_proven =
            is_host && matches!(self.standing.state, Remedy::Resolved | Remedy::Quiet);
        if !can_be_proven || silence < SILENT_SECONDS_MIN || self.is_worked_on(sky) {
            return Judgement::Wait;
        }
        let probability = self.probability(watched);
        let doubt = match (self.doubt(sky, registry), probability) {
            (Some(doubt), _) => doubt,
            (None, None) => Doubt::FewPackets,
            (None, Some(probability)) if probability < CHANCE => {
                return Judgement::Confirmed { probability };
            }
            (None, Some(_)) => Doubt::Coverage,
        };
        let may_say_so = doubt.lasts() || silence >= quiet_seconds;
        if self.standing.state == Remedy::Quiet || !may_say_so {
            return Judgement::Wait;
        }
        Judgement::Quiet { doubt, probability }
    }

    /// Told on another day than it was called clean: who could call it clean, send a probe and look
    /// again at once would learn within minutes whether that met a telescope.
    fn seen_again(&self, sky: &Sky<'_>) -> Judgement {
        let called = Observation::day_of(self.standing.since);
        if called < Observation::day_of(Millis(sky.now * 1000)) {
            return Judgement::Reappeared;
        }
        Judgement::Wait
    }

    /// The chance of seeing nothing, had nothing changed; `None` where the rate is not known.
    fn probability(&self, watched: Watched) -> Option<f64> {
        // the first packet began the measurement: it is not one of those that fell into it
        let packets = self.alert.evidence.packets.checked_sub(1)?;
        if packets == 0 || watched.active <= 0.0 {
            return None;
        }
        Some((-(packets as f64) * watched.silent / watched.active).exp())
    }

    fn is_worked_on(&self, sky: &Sky<'_>) -> bool {
        let now = Millis(sky.now * 1000);
        let mut windows = sky.maintenance.iter();
        windows.any(|window| window.holds(now) && self.sensors.contains(&window.sensor))
    }

    fn doubt(&self, sky: &Sky<'_>, registry: &Registry) -> Option<Doubt> {
        let Subject::Source { source, asn } = &self.alert.subject else {
            return Some(Doubt::UnknownUse);
        };
        let whereabouts = Whereabouts {
            source: *source,
            asn: asn.unwrap_or(0),
            country: self.alert.country.as_deref().and_then(Country::new),
        };
        let owner = registry.owner(whereabouts, self.alert.last_seen);
        let usage = owner.and_then(|owner| match owner.by {
            Reason::Prefix(claim) => Some(claim.usage),
            Reason::Asn(_) | Reason::Country(_) => None,
        });
        match usage {
            None => return Some(Doubt::UnknownUse),
            Some(PrefixUse::Dynamic) => return Some(Doubt::Dynamic),
            Some(PrefixUse::Cgn) => return Some(Doubt::Shared),
            Some(PrefixUse::Static | PrefixUse::Research | PrefixUse::Critical) => {}
        }
        if self.sensors.is_empty() {
            return Some(Doubt::FewPackets);
        }
        self.behind(sky).map(Doubt::Behind)
    }

    /// A sensor that may still hold something: one of the case's own that is not up, or any
    /// that has not delivered what the centre would still take.
    fn behind(&self, sky: &Sky<'_>) -> Option<SensorId> {
        let behind = |mark: &Watermark| mark.complete_through + BEHIND_SECONDS < sky.now;
        let heard_of = |sensor: &SensorId| {
            let mut marks = sky.watermarks.iter();
            marks.any(|mark| mark.sensor == *sensor && !behind(mark))
        };
        if let Some(down) = self.sensors.iter().find(|sensor| !heard_of(sensor)) {
            return Some(down.clone());
        }
        let taken = CLOCK_BEHIND_MAX.as_secs();
        let late = sky
            .watermarks
            .iter()
            .find(|mark| behind(mark) && mark.complete_through + taken >= sky.now);
        late.map(|mark| mark.sensor.clone())
    }
}

/// A range without what lies in another.
fn without(range: Range<u64>, other: &Range<u64>) -> Vec<Range<u64>> {
    let before = range.start..range.end.min(other.start);
    let after = range.start.max(other.end)..range.end;
    let parts = [before, after].into_iter();
    parts.filter(|part| part.start < part.end).collect()
}

#[cfg(test)]
mod tests;
