//! Jumps in the number of a partner's new infected hosts.
//!
//! One infected host is a matter of days. Many new ones within an hour are an outbreak: one
//! urgent case that lists them. What is new is what opened a case; what is usual follows
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

/// Every partner's new infected hosts, by the hour.
#[derive(Debug)]
pub(super) struct Jumps {
    settings: Jump,
    /// The hour in which counting began, and the last that was watched.
    watched: Option<(u64, u64)>,
    partners: BTreeMap<String, Hosts>,
}

/// One partner's new infected hosts.
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
            partners: BTreeMap::new(),
        }
    }

    /// Second `at` is watched.
    pub(super) fn watch(&mut self, at: u64) {
        let hour = at / HOUR;
        self.watched = match self.watched {
            Some((began, last)) if hour <= last + PAUSE_HOURS_MAX => Some((began, hour.max(last))),
            _ => {
                self.partners.clear();
                Some((hour, hour))
            }
        };
    }

    /// A case that was opened before a restart, at second `at`.
    pub(super) fn remember(&mut self, partner: &str, at: u64) {
        let hour = at / HOUR;
        let (began, last) = self.watched.unwrap_or((hour, hour));
        self.watched = Some((began.min(hour), last.max(hour)));
        let hosts = self.partners.entry(partner.to_owned()).or_default();
        *hosts.by_hour.entry(hour).or_default() += 1;
    }

    /// A host for which a case has just been opened.
    pub(super) fn count(&mut self, finding: &Finding, addressed: &Addressed) {
        let (Some(partner), Some(address)) = (&addressed.partner, finding.about.address()) else {
            return;
        };
        let hour = finding.at / HOUR;
        let hosts = self
            .partners
            .entry(partner.as_str().to_owned())
            .or_default();
        if hosts.hour != hour {
            hosts.hour = hour;
            hosts.listed.clear();
            hosts.services.clear();
            let oldest = hour.saturating_sub(self.settings.history_max as u64);
            hosts.by_hour = hosts.by_hour.split_off(&oldest);
        }
        *hosts.by_hour.entry(hour).or_default() += 1;
        if hosts.listed.len() < VICTIMS_MAX {
            hosts.listed.insert(address);
        }
        for (service, packets) in &finding.services {
            if hosts.services.len() < SERVICES_MAX || hosts.services.contains_key(service) {
                *hosts.services.entry(*service).or_default() += packets;
            }
        }
        hosts.last = Some((finding.clone(), addressed.clone()));
    }

    /// The partners whose hosts, as counted since the last call, are a jump.
    pub(super) fn found(&mut self) -> Vec<(Finding, Addressed)> {
        let settings = &self.settings;
        let began = self.watched.map(|(began, _)| began);
        let mut found = Vec::new();
        for (partner, hosts) in &mut self.partners {
            let Some((last, addressed)) = hosts.last.take() else {
                continue;
            };
            let Some(usual) = hosts.usual_if_exceeded(settings, began) else {
                continue;
            };
            let addressed = Addressed {
                severity: Severity::High,
                ..addressed
            };
            found.push((hosts.finding(partner, last, usual), addressed));
        }
        found
    }
}

impl Hosts {
    /// The median of earlier hours, where this one is a jump.
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
        if counts.len() < settings.history_min {
            return (count >= settings.hosts_unknown_min).then_some(0.0);
        }
        let usual = Usual::of(&mut counts)?;
        let jumps = usual.deviations(count as f64) > settings.deviations
            && usual.tail(count) < settings.chance;
        jumps.then_some(usual.median)
    }

    fn finding(&self, partner: &str, last: Finding, usual: f64) -> Finding {
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
            about: About::Network(partner.to_owned()),
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
