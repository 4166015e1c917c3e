//! What must come of a scenario, and what must not.

use noroshi_proto::traffic::Service;
use noroshi_store::alert::Kind;
use serde::Serialize;

use super::act::{Act, FLOOR, Scheduled, Whence};
use super::population::Population;
use super::region::{LANDS, Tie, partner, partner_of};

/// The truth about one thing that happens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truth {
    /// Its name.
    pub campaign: String,
    /// What it is part of.
    pub group: &'static str,
    /// What happens.
    pub act: &'static str,
    /// What must come of it.
    pub verdict: Verdict,
    /// Whom or what an alert about it names.
    pub about: About,
    /// The service it is after, where that is not what an alert names.
    pub service: Option<String>,
    /// The partner it concerns, where it is one.
    pub partner: Option<String>,
    /// The country it comes from or concerns, where it is one.
    pub country: Option<&'static str>,
    /// Its first second, since 1970.
    pub start: u64,
    /// The second at which it has half its height.
    pub half_rise: u64,
    /// The second after its last.
    pub end: u64,
    /// Its height as a multiple of the usual, for scans.
    pub size: Option<f64>,
    /// Sources within ten minutes: the usual ones, for scans.
    pub usual: Option<f64>,
}

/// What must come of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An alert of one of these kinds.
    Expected(&'static [Kind]),
    /// No alert to any partner.
    Silent,
}

/// Whom or what an alert names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// One of these services.
    Services(Vec<String>),
    /// An address.
    Address(std::net::Ipv4Addr),
    /// An address of this network.
    Network(ipnet::Ipv4Net),
    /// A country.
    Country(&'static str),
    /// Nobody in particular.
    Anything,
}

/// What must come of everything that happens, in order of the script.
pub fn truths(script: &[Scheduled], population: &Population, rate: f64) -> Vec<Truth> {
    let each = script.iter().map(|one| truth(one, population, rate));
    each.collect()
}

fn truth(one: &Scheduled, population: &Population, rate: f64) -> Truth {
    let mut truth = Truth {
        campaign: one.name.clone(),
        group: one.group,
        act: one.act.name(),
        verdict: match one.act.is_null() {
            true => Verdict::Silent,
            false => Verdict::Expected(one.act.expected()),
        },
        about: about(&one.act),
        service: None,
        partner: None,
        country: None,
        start: one.from,
        half_rise: one.from,
        end: one.until,
        size: None,
        usual: None,
    };
    match &one.act {
        Act::Scan(scan) => {
            truth.half_rise = one.from + scan.ramp.half_rise();
            truth.size = Some(scan.size);
            truth.usual = Some(population.usual(scan.asked, rate).max(FLOOR));
            if let Whence::Land(land) = scan.whence {
                truth.country = LANDS[land].country;
                let held = matches!(LANDS[land].tie, Tie::Prefix | Tie::Country);
                truth.partner = held.then(|| partner(land));
            }
        }
        Act::Infection { land, port, .. } => {
            truth.service = Some(tcp(*port).to_string());
            truth.country = LANDS[*land].country;
            truth.partner = Some(partner(*land));
        }
        Act::Backscatter { victim, .. } => truth.partner = partner_of(*victim),
        Act::Carpet { network, .. } => truth.partner = partner_of(*network),
        Act::Recon { source, .. } | Act::Burst { source, .. } => {
            truth.partner = partner_of(*source);
        }
        Act::CountryOutage { country } => truth.country = Some(country),
        _ => {}
    }
    truth
}

fn about(act: &Act) -> About {
    let service = |asked: super::ports::Asked| asked.parts().1.service().to_string();
    match act {
        Act::Scan(scan) => About::Services(vec![service(scan.asked)]),
        Act::LowAndSlow { ports, .. } => {
            About::Services(ports.iter().map(|port| tcp(*port).to_string()).collect())
        }
        Act::Backscatter { victim, .. } => About::Address((*victim).into()),
        Act::Recon { source, .. } => About::Address((*source).into()),
        Act::Carpet { network, .. } => {
            About::Network(ipnet::Ipv4Net::new_assert((*network).into(), 24))
        }
        Act::CountryOutage { country } => About::Country(country),
        Act::Infection { land, .. } => About::Country(LANDS[*land].country.unwrap_or("")),
        Act::Burst { port, .. } | Act::Storm { port, .. } => {
            About::Services(vec![tcp(*port).to_string()])
        }
        Act::SensorOutage { .. } | Act::GeoReload | Act::ClockSkew { .. } | Act::Gap => {
            About::Anything
        }
    }
}

fn tcp(port: u16) -> Service {
    Service {
        protocol: noroshi_proto::traffic::Protocol::Tcp,
        port,
    }
}
