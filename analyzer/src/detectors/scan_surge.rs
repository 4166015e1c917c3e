//! More distinct sources than usual ask for a service, or for one that nobody asked for.
//!
//! Sources are counted, never packets: one source weighs one, however loud. Published
//! scanners and sources that cannot be real are counted apart. A bin (ten minutes) is
//! compared with the last day, and with the same hour of past days and weeks as far as they
//! are known: deviations from the median in units of the median absolute deviation, and the
//! chance under a negative binomial; the past that speaks least for a surge decides. Of all
//! series tested in a bin (services; services by country and by partner) a fixed share of
//! false discoveries is allowed (Benjamini and Hochberg), and two of three bins must agree.
//! Slow growth is found by what exceeds the usual over many bins (Page's cumulative sum).
//!
//! Without a day of history nothing is said; while it is young, bounds are wider. A level
//! that lasts half a day becomes usual. An outage of sensors, its end, and a reloaded geo
//! database are no surge.
//!
//! | module      | takes                | gives                                  |
//! |-------------|----------------------|----------------------------------------|
//! | `bin`       | flows                | who asked for what, while a bin lasts  |
//! | `counts`    | a bin, or a rollup   | every series of it, as numbers         |
//! | `history`   | counts               | what is usual                          |
//! | `follow`    | counts and the usual | which series surge                     |
//! | `novel`     | counts               | which services are new                 |

mod bin;
mod counts;
mod follow;
mod history;
mod novel;

use std::collections::HashMap;

use foldhash::fast::FixedState;
use noroshi_store::alert::Kind;
use noroshi_store::origin::{Origin, PartnerId};
use noroshi_store::past::PastBin;
use noroshi_store::window::{Sighting, Window};

use self::bin::{Bin, Who};
use self::counts::{Counts, Place};
use self::follow::{Onset, Surging, Tracks};
use self::history::History;
use self::novel::{Novelties, Novelty};
use super::crowd::{Compact, Standing};
use super::labels::Labels;
use super::moves::{Move, Moves};
use super::sources::Sensors;
use super::{Detector, Facts, Fill, WarmUp};
use crate::finding::{About, Finding, Reason, Support};
use crate::settings::ScanSurge;

/// Finds surges of scanning, and new services.
#[derive(Debug)]
pub struct ScanSurges {
    settings: ScanSurge,
    open: Option<Bin>,
    history: History,
    tracks: Tracks,
    novelties: Novelties,
    moves: Moves,
    labels: Labels,
    partners: Partners,
    sensors: Sensors,
}

/// Short numbers for partners, from 1 on.
#[derive(Debug, Default)]
struct Partners {
    names: Vec<PartnerId>,
    numbers: HashMap<PartnerId, u16, FixedState>,
}

impl Partners {
    /// The number of a partner; 65,535 and more share the last.
    fn number(&mut self, partner: &PartnerId) -> u16 {
        if let Some(number) = self.numbers.get(partner) {
            return *number;
        }
        let number = u16::try_from(self.names.len() + 1).unwrap_or(u16::MAX);
        if number < u16::MAX {
            self.names.push(partner.clone());
            self.numbers.insert(partner.clone(), number);
        }
        number
    }

    fn name(&self, number: u16) -> Option<&PartnerId> {
        self.names.get(usize::from(number).checked_sub(1)?)
    }
}

impl ScanSurges {
    /// Without history.
    pub fn new(settings: &ScanSurge) -> Self {
        let days = (settings.history_max * settings.bin_seconds).div_ceil(86_400);
        let days = u16::try_from(days).unwrap_or(u16::MAX);
        Self {
            open: None,
            history: History::new(settings),
            tracks: Tracks::default(),
            novelties: Novelties::default(),
            moves: Moves::new(days),
            labels: Labels::new(days),
            partners: Partners::default(),
            sensors: Sensors::default(),
            settings: settings.clone(),
        }
    }

    /// Closes the bins before `index`.
    fn advance_to(&mut self, index: u64) -> Vec<Finding> {
        let closed = match &self.open {
            Some(open) if open.index < index => self.open.take(),
            _ => None,
        };
        let Some(closed) = closed else {
            return Vec::new();
        };
        let counts = Counts::of(&closed, &self.settings);
        let (last, addresses) = (closed.index, counts.addresses);
        let findings = self.close(&counts, Some(&closed));
        let passed = index - last - 1;
        if passed * self.settings.bin_seconds > self.settings.pause_seconds_max {
            self.tracks.clear();
            return findings;
        }
        for silent in last + 1..index {
            self.close(&Counts::silent(silent, addresses), None);
        }
        findings
    }

    /// What follows from a bin that has closed; of a recalled one nothing is said.
    fn close(&mut self, counts: &Counts, bin: Option<&Bin>) -> Vec<Finding> {
        self.history.advance_to(counts.index);
        let (settings, watched) = (&self.settings, self.history.days());
        let surging = self.tracks.follow(counts, &mut self.history, settings);
        let new = self.novelties.follow(counts, bin, watched, settings);
        self.history.push(counts);
        let Some(bin) = bin else {
            return Vec::new();
        };
        let mut findings: Vec<Finding> = surging
            .iter()
            .filter_map(|one| self.surge(one, bin))
            .collect();
        let unknown = new.iter().filter(|one| !self.tracks.knows(one.service));
        findings.extend(unknown.filter_map(|one| self.novelty(one, bin)));
        findings
    }

    fn surge(&self, one: &Surging, bin: &Bin) -> Option<Finding> {
        let key = one.count.key;
        let service = key.service;
        let (about, reason) = match (key.place, one.surge.onset) {
            (Place::Region, Onset::Burst) => {
                (About::Service(service, one.surge.country), Reason::Surge)
            }
            (Place::Region, Onset::Growth) => (
                About::Service(service, one.surge.country),
                Reason::SlowSurge,
            ),
            (Place::Country(country), _) => (
                About::Service(service, Some(country)),
                Reason::NationalSurge,
            ),
            (Place::Partner(number), _) => {
                let partner = self.partners.name(number)?.clone();
                (About::ServiceOf(service, partner), Reason::PartnerSurge)
            }
        };
        let found = self.finding(bin, key, about)?;
        Some(Finding {
            kind: Kind::ScanSurge,
            sources: Some(one.count.sources.into()),
            usual: Some(tenths(one.usual)),
            reason,
            ..found
        })
    }

    fn novelty(&self, one: &Novelty, bin: &Bin) -> Option<Finding> {
        let key = counts::Key {
            service: one.service,
            place: Place::Region,
        };
        let found = self.finding(bin, key, About::Service(one.service, None))?;
        Some(Finding {
            kind: Kind::NewService,
            sources: Some(one.sources),
            usual: Some(tenths(one.usual)),
            reason: Reason::NewService,
            ..found
        })
    }

    /// What all findings of a bin have in common.
    fn finding(&self, bin: &Bin, key: counts::Key, about: About) -> Option<Finding> {
        let asked = bin.services.get(&key.service)?;
        let part = asked.part(key.place, bin.index * bin.seconds * 1_000);
        let targets = asked.targets();
        Some(Finding {
            kind: Kind::ScanSurge,
            about,
            first: part.first,
            last: part.last,
            at: bin.end(),
            packets: part.packets,
            targets,
            sources: None,
            sensors: self.sensors.names(asked.sensors.iter().copied()),
            services: vec![(key.service, part.packets)],
            source_port: None,
            fingerprint: None,
            usual: None,
            rate: None,
            estimates: Default::default(),
            support: if targets >= 10 {
                Support::Broad
            } else {
                Support::Plain
            },
            reason: Reason::Surge,
            late: false,
            victims: Vec::new(),
        })
    }

    /// Counts what one source did in a window.
    fn count(&mut self, group: &[Sighting], numbers: &[u16], day: u64) {
        let mut who = None;
        for sighting in group {
            if sighting.late || !sighting.flow.tuple.traffic.is_scan() {
                continue;
            }
            let who = who.get_or_insert_with(|| {
                let source = sighting.flow.tuple.source;
                identify(
                    source,
                    &sighting.origin,
                    day,
                    (&mut self.moves, &mut self.labels),
                    &mut self.partners,
                )
            });
            if let Some(open) = &mut self.open {
                let sensor = numbers[sighting.watch];
                open.count(who, sighting, sensor, self.settings.services_max);
            }
        }
    }
}

/// A source, with how it counts.
fn identify(
    source: std::net::IpAddr,
    origin: &Origin,
    day: u64,
    (moves, labels): (&mut Moves, &mut Labels),
    partners: &mut Partners,
) -> Who {
    let (hash, address) = Compact::of(source);
    let is_counted = origin.bogon.is_none() && origin.scanner.is_none();
    let has_moved = is_counted && {
        let is_new = labels.is_new(source, origin.country, day);
        moves.note(hash, origin.country, day) != Move::No || is_new
    };
    let standing = if origin.bogon.is_some() {
        Standing::Bogon
    } else if origin.scanner.is_some() {
        Standing::Scanner
    } else if has_moved {
        Standing::Moved
    } else {
        Standing::Counts
    };
    Who {
        hash,
        address,
        country: origin.country,
        partner: origin
            .partner
            .as_ref()
            .map_or(0, |partner| partners.number(partner)),
        standing,
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Detector for ScanSurges {
    fn tables(&self) -> Vec<Fill> {
        vec![self.history.fill(), self.novelties.fill()]
    }

    fn facts(&self) -> Facts {
        Facts {
            name: "scan_surge",
            kinds: &[Kind::ScanSurge, Kind::NewService],
            warm_up: WarmUp::Rollups {
                seconds: (self.settings.history_max + 1) * self.settings.bin_seconds,
            },
        }
    }

    fn recall(&mut self, past: &PastBin) {
        if past.seconds != self.settings.bin_seconds {
            return; // other bins than the rollups': its past begins with the windows
        }
        let counts = Counts::recalled(past, |partner| self.partners.number(partner));
        let last = self.history.last();
        if last.is_some_and(|last| last >= counts.index) {
            return;
        }
        let passed = last.map_or(0, |last| counts.index - last - 1);
        if passed * self.settings.bin_seconds > self.settings.pause_seconds_max {
            self.tracks.clear();
        }
        self.close(&counts, None);
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let seconds = self.settings.bin_seconds;
        let index = window.interval.start() / seconds;
        let closed = self.history.last().is_some_and(|last| last >= index);
        if closed || self.open.as_ref().is_some_and(|open| open.index > index) {
            return Vec::new(); // its bin has closed: too late for a count
        }
        let findings = self.advance_to(index);
        let open = self.open.get_or_insert_with(|| Bin::new(index, seconds));
        if !window.flows.first().is_some_and(|sighting| sighting.late) {
            open.watch(window.addresses());
        }
        let numbers: Vec<u16> = window
            .watches
            .iter()
            .map(|watch| self.sensors.number(&watch.sensor))
            .collect();
        let same = |a: &Sighting, b: &Sighting| a.flow.tuple.source == b.flow.tuple.source;
        let day = window.interval.start() / 86_400;
        for group in window.flows.chunk_by(same) {
            self.count(group, &numbers, day);
        }
        findings
    }
}
