//! Victims of floods with forged sources, seen by their answers (backscatter).
//!
//! A victim that is flooded in the name of random addresses answers to all of them, some of
//! which we watch (Moore et al., Inferring Internet Denial-of-Service Activity, 2006). Its
//! answers hit another address almost every time; what keeps hitting one address is
//! misdirected, or an attack on that address. Retransmissions of an answer go to the same
//! address, so the size of an attack is told by distinct targets, not packets. Of ICMP
//! errors the victim is the quoted address, as the sensor has decided. Answers from
//! amplifier ports (`BackscatterUdp`) name reflectors, not victims, and do not count.
//!
//! An attack on many addresses of one prefix at once is one finding about the prefix.

mod attack;

use std::net::IpAddr;

use ipnet::IpNet;
use noroshi_proto::flow::Flow;
use noroshi_proto::traffic::Traffic;
use noroshi_store::alert::Kind;
use noroshi_store::window::{Sighting, Window};

use self::attack::{Attack, Strength};
use super::generations::Generations;
use super::sources::Sensors;
use super::{Detector, Facts, WarmUp};
use crate::finding::{About, Finding, Reason, VICTIMS_MAX};
use crate::settings::DdosVictim;

/// Finds victims of floods.
#[derive(Debug)]
pub struct DdosVictims {
    settings: DdosVictim,
    victims: Generations<IpAddr, Attack>,
    prefixes: Generations<IpNet, Attack>,
    sensors: Sensors,
}

impl DdosVictims {
    /// Knows no victim yet.
    pub fn new(settings: &DdosVictim) -> Self {
        Self {
            victims: Generations::new(settings.remembered_max),
            prefixes: Generations::new(settings.remembered_max / 4),
            sensors: Sensors::default(),
            settings: settings.clone(),
        }
    }

    /// Takes in one victim's answers.
    fn add(&mut self, window: &Window, answers: &[&Sighting]) {
        let victim = answers[0].flow.tuple.source;
        let settings = &self.settings;
        let alone = self.victims.touch(victim, Attack::default);
        let together = self.prefixes.touch(neighbours(victim), Attack::default);
        for answer in answers {
            let watch = &window.watches[answer.watch];
            let sensor = self.sensors.number(&watch.sensor);
            alone.add(answer, watch, sensor, settings);
            together.add(answer, watch, sensor, settings);
        }
        together.add_victim(victim, answers);
    }

    /// What the victims of one prefix amount to.
    fn judge(&mut self, prefix: IpNet, victims: &[IpAddr], at: u64) -> Vec<Finding> {
        let settings = &self.settings;
        let mut findings = Vec::new();
        if let Some(attack) = self.prefixes.get_mut(&prefix) {
            let strength = attack.strength(settings);
            if strength.is_some() && attack.is_spread(settings.carpet_min) {
                let about = About::Prefix(prefix, attack.origin.clone());
                let mut finding = attack.finding(about, &self.sensors);
                finding.reason = Reason::CarpetBombing;
                finding.victims = attack.victims().take(VICTIMS_MAX).collect();
                finding.at = at;
                findings.push(finding);
                return findings;
            }
        }
        for victim in victims {
            let Some(attack) = self.victims.get_mut(victim) else {
                continue;
            };
            let Some(strength) = attack.strength(settings) else {
                continue;
            };
            let about = About::Victim(*victim, attack.origin.clone());
            let mut finding = attack.finding(about, &self.sensors);
            finding.reason = match strength {
                Strength::Lasting => Reason::Backscatter,
                Strength::Overwhelming => Reason::BackscatterBurst,
            };
            finding.at = at;
            findings.push(finding);
        }
        findings
    }
}

impl Detector for DdosVictims {
    fn facts(&self) -> Facts {
        Facts {
            name: "ddos_victim",
            kinds: &[Kind::DdosVictim],
            warm_up: WarmUp::Windows { seconds: 86_400 },
        }
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let answers: Vec<&Sighting> = window
            .flows
            .iter()
            .filter(|sighting| !sighting.late && is_answer(&sighting.flow))
            .collect();
        let mut findings = Vec::new();
        let source = |answer: &&Sighting| answer.flow.tuple.source;
        for group in answers.chunk_by(|a, b| are_neighbours(source(a), source(b))) {
            let mut victims = Vec::new();
            for of_one in group.chunk_by(|a, b| source(a) == source(b)) {
                self.add(window, of_one);
                victims.push(source(&of_one[0]));
            }
            findings.extend(self.judge(neighbours(victims[0]), &victims, window.end()));
        }
        findings
    }
}

fn is_answer(flow: &Flow) -> bool {
    match flow.tuple.traffic {
        Traffic::BackscatterTcp | Traffic::BackscatterIcmp => true,
        // an error that quotes what never came from its target is itself forged
        Traffic::BackscatterIcmpError => {
            u64::from(flow.tally.marks.mismatched) * 2 <= flow.tally.packets
        }
        _ => false,
    }
}

/// Whether two addresses belong to the same /24 or /64.
fn are_neighbours(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()) >> 8 == 0,
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()) >> 64 == 0,
        _ => false,
    }
}

/// The /24 or /64 an address belongs to.
fn neighbours(address: IpAddr) -> IpNet {
    let length = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, length)
        .expect("24 and 64 are lengths of these families")
        .trunc()
}
