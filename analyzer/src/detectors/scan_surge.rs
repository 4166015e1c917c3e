//! More distinct sources than usual ask for a service.
//!
//! Sources are counted, never packets: one source weighs one, however loud. Published
//! scanners and sources that cannot be real do not count. A bin (ten minutes) is compared
//! with the same time of week in past weeks, or with the last day where those are not
//! known: deviations from the median in units of the median absolute deviation, and the
//! chance under a negative binomial. Of all services tested in a bin a fixed share of
//! false discoveries is allowed (Benjamini and Hochberg), and two of three bins must agree.
//!
//! Without a day of history nothing is said. A level that lasts half a day becomes usual.

mod bin;
mod history;

use std::collections::BTreeMap;

use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;
use noroshi_store::alert::Kind;
use noroshi_store::origin::Country;
use noroshi_store::window::Window;

use self::bin::{Asked, Bin};
use self::history::{History, Past};
use super::sources::Sensors;
use super::statistics::{Usual, discovery_limit};
use super::{Detector, Facts, WarmUp};
use crate::finding::{About, Finding, Reason, Support};
use crate::settings::ScanSurge;

/// Bins of which some must agree.
const RECENT_BINS: u32 = 3;

/// Finds surges of scanning.
#[derive(Debug)]
pub struct ScanSurges {
    settings: ScanSurge,
    open: Option<Bin>,
    history: History,
    /// Services that deviated lately, or still do.
    tracks: BTreeMap<Service, Track>,
    sensors: Sensors,
}

/// A service that deviated lately.
#[derive(Clone, Debug)]
struct Track {
    /// One bit per bin, the newest lowest.
    deviated: u32,
    /// Where it comes from, and when it began, once it is a surge.
    surge: Option<(Option<Country>, Millis)>,
    quiet: u32,
}

/// A service in the bin that closes.
struct Tested {
    service: Service,
    sources: u64,
    usual: Usual,
    chance: f64,
}

impl ScanSurges {
    /// Without history.
    pub fn new(settings: &ScanSurge) -> Self {
        Self {
            open: None,
            history: History::new(settings),
            tracks: BTreeMap::new(),
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
        let (last, addresses) = (closed.index, closed.addresses);
        let mut findings = self.close(closed);
        let passed = index - last - 1;
        if passed * self.settings.bin_seconds > self.settings.pause_seconds_max {
            self.tracks.clear(); // nobody watched: what went on then is not known
            return findings;
        }
        for silent in last + 1..index {
            findings.extend(self.close(Bin::new(silent, addresses)));
        }
        findings
    }

    fn close(&mut self, bin: Bin) -> Vec<Finding> {
        let tested = self.test(&bin);
        let findings = self.follow(&bin, &tested);
        self.history.push(Past::of(&bin));
        findings
    }

    /// The services that many ask for, with what is usual for them.
    fn test(&self, bin: &Bin) -> Vec<Tested> {
        if self.history.len() < self.settings.history_min {
            return Vec::new();
        }
        let mut tested = Vec::new();
        for (service, asked) in &bin.services {
            let sources = asked.sources.count();
            if !self.is_worth_testing(asked, sources, bin.addresses) {
                continue;
            }
            let Some(usual) = self.history.usual(*service, bin) else {
                continue;
            };
            tested.push(Tested {
                service: *service,
                sources,
                usual,
                chance: usual.tail(sources),
            });
        }
        tested
    }

    fn is_worth_testing(&self, asked: &Asked, sources: u64, addresses: u64) -> bool {
        let targets_min = if addresses > 0 {
            self.settings.targets_min.min(addresses)
        } else {
            self.settings.targets_min
        };
        sources >= self.settings.sources_min
            && asked.networks.len() >= self.settings.networks_min
            && asked.targets() >= targets_min
    }

    /// What becomes of services that deviate, deviated or were surging.
    fn follow(&mut self, bin: &Bin, tested: &[Tested]) -> Vec<Finding> {
        let mut chances: Vec<f64> = tested.iter().map(|one| one.chance).collect();
        let limit = discovery_limit(&mut chances, self.settings.false_discoveries);
        for track in self.tracks.values_mut() {
            track.deviated <<= 1;
        }
        for one in tested {
            let deviates = one.usual.deviations(one.sources as f64) > self.settings.deviations;
            if deviates && one.chance <= limit {
                let track = self.tracks.entry(one.service).or_insert_with(Track::new);
                track.deviated |= 1;
            }
        }
        let mut findings = Vec::new();
        for (service, track) in &mut self.tracks {
            let usual = self.history.usual(*service, bin);
            let asked = bin.services.get(service);
            if let Some((asked, usual)) = asked.zip(usual)
                && track.goes_on(asked, &usual, &self.settings)
            {
                let found = track.finding(*service, bin, asked, &usual);
                let sensors = self.sensors.names(asked.sensors.iter().copied());
                findings.push(Finding { sensors, ..found });
            } else {
                track.quiet += 1;
            }
        }
        let quiet_bins = self.settings.quiet_bins;
        self.tracks.retain(|_, track| {
            if track.quiet >= quiet_bins {
                track.surge = None;
            }
            track.surge.is_some() || track.recent() > 0
        });
        findings
    }
}

impl Track {
    fn new() -> Self {
        Self {
            deviated: 0,
            surge: None,
            quiet: 0,
        }
    }

    fn recent(&self) -> u32 {
        (self.deviated & ((1 << RECENT_BINS) - 1)).count_ones()
    }

    /// Whether the service is surging in the bin that closes.
    fn goes_on(&mut self, asked: &Asked, usual: &Usual, settings: &ScanSurge) -> bool {
        let begins = self.recent() >= settings.persistence;
        if self.surge.is_none() && begins {
            self.surge = Some((asked.country.only(), asked.first));
        }
        let deviations = usual.deviations(asked.sources.count() as f64);
        let goes_on = self.surge.is_some() && deviations > settings.deviations_continuing;
        if goes_on {
            self.quiet = 0;
        }
        goes_on
    }

    fn finding(&self, service: Service, bin: &Bin, asked: &Asked, usual: &Usual) -> Finding {
        let (scope, first) = self.surge.unwrap_or((None, asked.first));
        let targets = asked.targets();
        Finding {
            kind: Kind::ScanSurge,
            about: About::Service(service, scope),
            first,
            last: asked.last,
            at: bin.end,
            packets: asked.packets,
            targets,
            sources: Some(asked.sources.count()),
            sensors: Vec::new(),
            services: vec![(service, asked.packets)],
            source_port: None,
            fingerprint: None,
            usual: Some((usual.median * 10.0).round() / 10.0),
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
        }
    }
}

impl Detector for ScanSurges {
    fn facts(&self) -> Facts {
        let bins = self.settings.history_min as u64 + u64::from(RECENT_BINS) + 1;
        Facts {
            name: "scan_surge",
            kinds: &[Kind::ScanSurge],
            warm_up: WarmUp::Windows {
                seconds: bins * self.settings.bin_seconds,
            },
        }
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let seconds = self.settings.bin_seconds;
        let index = window.interval.start() / seconds;
        if self.open.as_ref().is_some_and(|open| open.index > index) {
            return Vec::new(); // its bin has closed: too late for a count
        }
        let findings = self.advance_to(index);
        let open = self.open.get_or_insert_with(|| Bin::new(index, 0));
        open.end = (index + 1) * seconds;
        open.addresses = open.addresses.max(window.addresses());
        let numbers: Vec<u16> = window
            .watches
            .iter()
            .map(|watch| self.sensors.number(&watch.sensor))
            .collect();
        for sighting in &window.flows {
            open.count(
                sighting,
                numbers[sighting.watch],
                self.settings.services_max,
            );
        }
        findings
    }
}
