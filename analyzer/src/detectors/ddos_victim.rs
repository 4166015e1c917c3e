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
//! An attack on many addresses of one prefix at once is one finding about the prefix; an
//! attack by several protocols is one attack.

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
use super::{Detector, Facts, Fill, WarmUp};
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
        let mut each = |attack: &mut Attack| {
            for answer in answers {
                let watch = &window.watches[answer.watch];
                let sensor = self.sensors.number(&watch.sensor);
                attack.add(answer, watch, sensor, settings);
            }
        };
        each(self.victims.touch(victim, Attack::default));
        for (length, part) in carpets(victim) {
            let together = self
                .prefixes
                .touch(network(victim, *length), Attack::default);
            each(together);
            together.add_part(network(victim, *part).addr(), answers);
        }
    }

    /// What these victims amount to: of carpets the widest, else each for itself.
    fn judge(&mut self, victims: &[IpAddr], carpets: &[(u8, u8)], at: u64) -> Vec<Finding> {
        let Some(((length, part), narrower)) = carpets.split_first() else {
            let alone = victims.iter().filter_map(|victim| self.alone(*victim, at));
            return alone.collect();
        };
        let mut findings = Vec::new();
        for group in victims.chunk_by(|a, b| network(*a, *length) == network(*b, *length)) {
            match self.carpet(network(group[0], *length), *part, at) {
                Some(finding) => findings.push(finding),
                None => findings.extend(self.judge(group, narrower, at)),
            }
        }
        findings
    }

    /// Many parts of one prefix, under attack together.
    fn carpet(&mut self, prefix: IpNet, part: u8, at: u64) -> Option<Finding> {
        let attack = self.prefixes.get_mut(&prefix)?;
        attack.strength(&self.settings)?;
        if !attack.is_spread(self.settings.carpet_min) {
            return None;
        }
        let about = About::Prefix(prefix, attack.origin.clone());
        let mut finding = attack.finding(about, &self.sensors);
        finding.reason = Reason::CarpetBombing;
        let mut victims: Vec<IpAddr> = attack.parts().collect();
        if part < prefix.max_prefix_len() {
            // the parts are networks: each knows its own victims
            let within = victims.iter().map(|first| network(*first, part));
            let within = within.filter_map(|network| self.prefixes.get(&network));
            victims = within.flat_map(Attack::parts).take(VICTIMS_MAX).collect();
        }
        finding.victims = victims;
        finding.at = at;
        Some(finding)
    }

    fn alone(&mut self, victim: IpAddr, at: u64) -> Option<Finding> {
        let attack = self.victims.get_mut(&victim)?;
        let strength = attack.strength(&self.settings)?;
        let about = About::Victim(victim, attack.origin.clone());
        let mut finding = attack.finding(about, &self.sensors);
        finding.reason = match strength {
            Strength::Lasting => Reason::Backscatter,
            Strength::Overwhelming => Reason::BackscatterBurst,
        };
        finding.at = at;
        Some(finding)
    }
}

impl Detector for DdosVictims {
    fn tables(&self) -> Vec<Fill> {
        vec![
            self.victims.fill("victims"),
            self.prefixes.fill("victim_prefixes"),
        ]
    }

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
            findings.extend(self.judge(&victims, carpets(victims[0]), window.end()));
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

/// Lengths of the prefixes that may be bombed as a whole, widest first, each with the length
/// of its parts: addresses of a /24 or /64, and /64 networks of a /48 (what one site has).
fn carpets(address: IpAddr) -> &'static [(u8, u8)] {
    match address {
        IpAddr::V4(_) => &[(24, 32)],
        IpAddr::V6(_) => &[(48, 64), (64, 128)],
    }
}

/// Whether two addresses belong to the same widest prefix of [`carpets`].
fn are_neighbours(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()) >> 8 == 0,
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()) >> 80 == 0,
        _ => false,
    }
}

fn network(address: IpAddr, length: u8) -> IpNet {
    IpNet::new(address, length)
        .expect("lengths of carpets are lengths of their family")
        .trunc()
}
