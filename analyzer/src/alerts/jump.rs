//! Jumps in the number of new infected hosts of a partner, or of one of its networks (AS).
//!
//! One infected host is a matter of days. Many new ones within an hour are an outbreak: one
//! urgent case that lists them; about the AS only where the partner as a whole has none, so
//! no outbreak is told twice. What is new is what opened a case; what is usual follows
//! from when earlier cases were opened, so open cases tell it again after a restart.
//!
//! When nobody has watched for long, all that are infected are new at once: counting begins
//! anew.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;
use noroshi_store::alert::{Kind, Severity};

use super::addressing::Addressed;
use crate::detectors::statistics::Usual;
use crate::finding::VICTIMS_MAX;
use crate::finding::{About, Estimates, Finding, Reason, SENSORS_MAX, SERVICES_MAX, Support};
use crate::settings::Jump;

const HOUR: u64 = 3_600;
/// Hours without a window, or after a restart without a case, from which on what was usual
/// says nothing (as for surges: a longer pause was not watched).
const PAUSE_HOURS_MAX: u64 = 6;

/// New infected hosts of every partner, and of every AS of theirs, by the hour.
#[derive(Debug)]
pub(super) struct Jumps {
    settings: Jump,
    /// The hour in which counting began, and the last that was watched.
    watched: Option<(u64, u64)>,
    hour: u64,
    /// Of a partner as a whole (no AS), then of each AS.
    networks: BTreeMap<(String, Option<u32>), Hosts>,
}

/// New infected hosts of one network.
#[derive(Debug, Default)]
struct Hosts {
    by_hour: BTreeMap<u64, u64>,
    hour: u64,
    listed: BTreeSet<IpAddr>,
    services: BTreeMap<Service, u64>,
    last: Option<(Finding, Addressed)>,
}

impl Jumps {
    pub(super) fn new(settings: &Jump) -> Self {
        Self {
            settings: settings.clone(),
            watched: None,
            hour: 0,
            networks: BTreeMap::new(),
        }
    }

    /// Second `at` is watched.
    pub(super) fn watch(&mut self, at: u64) {
        let hour = at / HOUR;
        self.watched = match self.watched {
            Some((began, last)) if hour <= last + PAUSE_HOURS_MAX => Some((began, hour.max(last))),
            _ => {
                self.networks.clear();
                Some((hour, hour))
            }
        };
    }

    /// A case about a host of this AS that was opened before a restart, at second `at`.
    pub(super) fn remember(&mut self, partner: &str, asn: Option<u32>, at: u64) {
        let hour = at / HOUR;
        let (began, last) = self.watched.unwrap_or((hour, hour));
        self.watched = Some((began.min(hour), last.max(hour)));
        for hosts in self.networks(partner, asn) {
            *hosts.by_hour.entry(hour).or_default() += 1;
            hosts.hour = hosts.hour.max(hour);
        }
    }

    /// A host for which a case has just been opened.
    pub(super) fn count(&mut self, finding: &Finding, addressed: &Addressed) {
        let (Some(partner), Some(address)) = (&addressed.partner, finding.about.address()) else {
            return;
        };
        let hour = finding.at / HOUR;
        let oldest = hour.saturating_sub(self.settings.history_max as u64);
        if hour != self.hour {
            self.hour = hour;
            self.networks.retain(|_, hosts| hosts.hour >= oldest);
        }
        let asn = finding.about.origin().map(|origin| origin.asn);
        for hosts in self.networks(partner.as_str(), asn.filter(|asn| *asn != 0)) {
            hosts.turn(hour, oldest);
            hosts.count(address, finding);
            hosts.last = Some((finding.clone(), addressed.clone()));
        }
    }

    /// The partner as a whole, and the AS.
    fn networks(&mut self, partner: &str, asn: Option<u32>) -> impl Iterator<Item = &mut Hosts> {
        let whole = (partner.to_owned(), None);
        let part = (partner.to_owned(), asn);
        for key in [&whole, &part] {
            self.networks.entry(key.clone()).or_default();
        }
        let both = self.networks.range_mut(whole.clone()..=part.clone());
        both.filter_map(move |(key, hosts)| (*key == whole || *key == part).then_some(hosts))
    }

    /// The networks whose hosts, as counted since the last call, are a jump.
    pub(super) fn found(&mut self) -> Vec<(Finding, Addressed)> {
        let settings = &self.settings;
        let began = self.watched.map(|(began, _)| began);
        let mut found = Vec::new();
        let mut told: Option<&str> = None;
        for ((partner, asn), hosts) in &mut self.networks {
            let Some((last, addressed)) = hosts.last.take() else {
                continue;
            };
            if told == Some(partner.as_str()) {
                continue;
            }
            let Some(usual) = hosts.usual_if_exceeded(settings, began) else {
                continue;
            };
            if asn.is_none() {
                told = Some(partner);
            }
            let network = asn.map_or_else(|| partner.clone(), |asn| format!("AS{asn}"));
            let addressed = Addressed {
                severity: Severity::High,
                ..addressed
            };
            found.push((hosts.finding(&network, last, usual), addressed));
        }
        found
    }
}

/// What is usual while what was there before is still being met for the first time: less and
/// less of it, so nothing but an outbreak exceeds the busiest hour.
fn busiest(counts: &[f64]) -> Usual {
    let most = counts.iter().copied().fold(0.0, f64::max);
    Usual {
        median: most,
        mad: 0.0,
        mean: most,
        variance: most,
    }
}

impl Hosts {
    /// Begins to list anew where another hour has begun, and forgets what is too old.
    fn turn(&mut self, hour: u64, oldest: u64) {
        if self.hour == hour {
            return;
        }
        self.hour = hour;
        self.listed.clear();
        self.services.clear();
        self.by_hour = self.by_hour.split_off(&oldest);
    }

    fn count(&mut self, address: IpAddr, finding: &Finding) {
        *self.by_hour.entry(self.hour).or_default() += 1;
        if self.listed.len() < VICTIMS_MAX {
            self.listed.insert(address);
        }
        for (service, packets) in &finding.services {
            if self.services.len() < SERVICES_MAX || self.services.contains_key(service) {
                *self.services.entry(*service).or_default() += packets;
            }
        }
    }

    /// What is usual in an hour, where this one is a jump.
    fn usual_if_exceeded(&self, settings: &Jump, began: Option<u64>) -> Option<f64> {
        let count = self.by_hour.get(&self.hour).copied().unwrap_or(0);
        if count < settings.hosts_min {
            return None;
        }
        let hours = self.hour.saturating_sub(began.unwrap_or(self.hour));
        let hours = hours.min(settings.history_max as u64);
        let earlier = self.hour - hours..self.hour;
        let counts = earlier.map(|hour| self.by_hour.get(&hour).copied().unwrap_or(0) as f64);
        let mut counts: Vec<f64> = counts.collect();
        let usual = if counts.len() >= settings.history_min {
            Usual::of(&mut counts)?
        } else {
            if counts.len() < settings.history_day && count < settings.hosts_unknown_min {
                return None;
            }
            busiest(&counts)
        };
        let jumps = usual.deviations(count as f64) > settings.deviations
            && usual.tail(count) < settings.chance;
        jumps.then_some(usual.median)
    }

    fn finding(&self, network: &str, last: Finding, usual: f64) -> Finding {
        let mut services: Vec<(Service, u64)> = self
            .services
            .iter()
            .map(|(one, sum)| (*one, *sum))
            .collect();
        services.sort_by_key(|(service, packets)| (std::cmp::Reverse(*packets), *service));
        let mut sensors = last.sensors;
        sensors.truncate(SENSORS_MAX);
        Finding {
            kind: Kind::InfectedHost,
            about: About::Network(network.to_owned()),
            first: Millis(self.hour * HOUR * 1000).min(last.last),
            last: last.last,
            at: last.at,
            packets: last.packets,
            targets: last.targets,
            sources: self.by_hour.get(&self.hour).copied(),
            sensors,
            services,
            source_port: None,
            fingerprint: last.fingerprint,
            usual: Some(usual),
            rate: None,
            estimates: Estimates::default(),
            support: Support::Plain,
            reason: Reason::InfectionJump,
            late: false,
            victims: self.listed.iter().copied().collect(),
        }
    }
}
