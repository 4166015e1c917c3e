//! Too many new cases at once, gathered in one.
//!
//! Forged sources could make a partner a thousand alerts in an hour. Beyond the limit the
//! addresses are gathered in one case, which counts them and lists the first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use noroshi_store::alert::{Confidence, Kind, Severity};
use noroshi_store::origin::Country;

use super::addressing::Addressed;
use super::text::Ground;
use crate::finding::{About, Finding, Reason, SENSORS_MAX, SERVICES_MAX, Support, VICTIMS_MAX};
use crate::settings::Settings;

/// Addresses of one flood that are told apart.
const ADDRESSES_MAX: usize = 65_536;
/// A flood is another one after so many seconds.
const PAUSE_SECONDS: u64 = 3_600;

/// Floods by partner and kind.
#[derive(Debug)]
pub(super) struct Floods {
    openings_per_hour: u32,
    floods: BTreeMap<(Option<String>, Kind), Flood>,
}

#[derive(Debug, Default)]
struct Flood {
    addresses: BTreeSet<IpAddr>,
    last: u64,
    /// What came in this window, added up, and to whom.
    gathered: Option<(Finding, Addressed)>,
}

impl Floods {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            openings_per_hour: settings.cases.openings_per_hour,
            floods: BTreeMap::new(),
        }
    }

    /// Takes in a finding that may open no case of its own. Only addresses can be gathered.
    pub(super) fn gather(&mut self, finding: &Finding, addressed: &Addressed) {
        let Some(address) = finding.about.address() else {
            return;
        };
        let partner = addressed.partner.as_ref().map(|id| id.as_str().to_owned());
        let flood = self.floods.entry((partner, finding.kind)).or_default();
        if finding.at > flood.last + PAUSE_SECONDS {
            flood.addresses.clear();
        }
        flood.last = flood.last.max(finding.at);
        if flood.addresses.len() < ADDRESSES_MAX {
            flood.addresses.insert(address);
        }
        match &mut flood.gathered {
            Some((sum, _)) => add(sum, finding),
            None => flood.gathered = Some((finding.clone(), addressed.clone())),
        }
    }

    /// What was gathered since this was last asked, as findings of its own, found at `at`.
    pub(super) fn gathered(&mut self, at: u64) -> Vec<(Finding, Addressed)> {
        let usual = f64::from(self.openings_per_hour);
        let gathered = self.floods.values_mut().filter_map(|flood| {
            let (sum, addressed) = flood.gathered.take()?;
            let service = sum.services.iter().max_by_key(|(_, packets)| *packets)?.0;
            let scope = addressed.country.as_deref().and_then(Country::new);
            let finding = Finding {
                kind: Kind::SpoofSuspect,
                about: About::Service(service, scope),
                at,
                sources: Some(flood.addresses.len() as u64),
                source_port: None,
                usual: Some(usual),
                rate: None,
                support: Support::Plain,
                reason: Reason::Flood,
                victims: flood.addresses.iter().take(VICTIMS_MAX).copied().collect(),
                ..sum
            };
            let addressed = Addressed {
                attribution: None,
                severity: Severity::Medium,
                confidence: Confidence::Medium,
                grounds: vec![Ground::Forgeable],
                scanner: None,
                ..addressed
            };
            Some((finding, addressed))
        });
        let gathered = gathered.collect();
        self.floods
            .retain(|_, flood| at <= flood.last + PAUSE_SECONDS);
        gathered
    }
}

fn add(sum: &mut Finding, finding: &Finding) {
    sum.first = sum.first.min(finding.first);
    sum.last = sum.last.max(finding.last);
    sum.packets += finding.packets;
    sum.targets = sum.targets.max(finding.targets);
    sum.late |= finding.late;
    for (service, packets) in &finding.services {
        match sum.services.iter().position(|(known, _)| known == service) {
            Some(index) => sum.services[index].1 += packets,
            None if sum.services.len() < SERVICES_MAX => sum.services.push((*service, *packets)),
            None => {}
        }
    }
    for sensor in &finding.sensors {
        if sum.sensors.len() < SENSORS_MAX && !sum.sensors.contains(sensor) {
            sum.sensors.push(sensor.clone());
        }
    }
}
