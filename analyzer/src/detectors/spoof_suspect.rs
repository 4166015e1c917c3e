//! Bursts of sources that nobody is behind: framing.
//!
//! A SYN is easily forged, and one machine can bear every address of a partner's prefix to
//! frame it. What it cannot forge is where it stands: all its packets cross the same number
//! of hops. So new sources that fill a prefix within minutes at a constant time-to-live do
//! not stand for hosts, and no host among them is named: the prefix is, once. Hosts known
//! before the burst are not touched. An outbreak of real bots in one network comes over
//! many paths, from some of its addresses, and stays what it is. Where all of an access
//! network has one path, bots show by what they cost: they go on sending. Then they are named
//! after all, but none of them is surer than a forged packet is. Only IPv4 is judged: nobody
//! fills an IPv6 prefix.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use noroshi_proto::time::Millis;
use noroshi_store::alert::Kind;
use noroshi_store::origin::Origin;
use noroshi_store::window::Sighting;

use super::Fill;
use super::generations::Generations;
use super::sources::Activity;
use crate::finding::{About, Finding, Reason, SENSORS_MAX, SERVICES_MAX, Support};
use crate::settings::SpoofSuspect;

/// Lengths of the networks that are judged, shortest first.
const LENGTHS: [u8; 2] = [16, 24];

/// New sources of each network, as long as they keep coming.
#[derive(Debug)]
pub struct Crowds {
    settings: SpoofSuspect,
    networks: Generations<(u8, u32), Crowd>,
    /// Those whose crowd is, or was, taken to be forged.
    suspected: BTreeSet<(u8, u32)>,
}

/// The new sources of one network.
#[derive(Clone, Debug, Default)]
struct Crowd {
    began: Millis,
    last: Millis,
    sources: u64,
    packets: u64,
    lowest: u32,
    highest: u32,
    /// Which times-to-live, and which sensors (the first 64 of a window), were seen.
    ttl: [u64; 4],
    watches: u64,
    /// What is framed, while that is clear.
    framed: Option<Ipv4Net>,
    /// It was clear once.
    suspected: bool,
}

impl Crowds {
    /// Knows no network yet.
    pub fn new(settings: &SpoofSuspect) -> Self {
        Self {
            networks: Generations::new(settings.remembered_max),
            settings: settings.clone(),
            suspected: BTreeSet::new(),
        }
    }

    /// How many networks are remembered.
    pub fn fill(&self) -> Fill {
        self.networks.fill("new_source_networks")
    }

    /// Takes in a source that was seen in the window which began at `start`: that it is new,
    /// or that it goes on.
    pub fn add(
        &mut self,
        source: IpAddr,
        activity: &mut Activity,
        seen: &[&Sighting],
        start: Millis,
    ) {
        let IpAddr::V4(source) = source else { return };
        if seen.iter().any(|sighting| sighting.late) {
            return;
        }
        if activity.first < start {
            self.go_on(source, activity, seen);
            return;
        }
        for length in LENGTHS {
            let key = key(source, length);
            let crowd = self.networks.touch(key, Crowd::default);
            crowd.add(source, seen, &self.settings);
        }
    }

    /// A source that is not new counts for the suspected crowd it came with.
    fn go_on(&mut self, source: Ipv4Addr, activity: &mut Activity, seen: &[&Sighting]) {
        for length in LENGTHS {
            let key = key(source, length);
            if !self.suspected.contains(&key) {
                continue;
            }
            let crowd = self.networks.get_mut(&key);
            if let Some(crowd) = crowd.filter(|crowd| crowd.has(activity.first)) {
                let packets = seen.iter().map(|sighting| sighting.flow.tally.packets);
                crowd.packets += packets.sum::<u64>();
                activity.forgeable |= crowd.suspected;
            }
        }
    }

    /// Takes findings about forged sources back, and says once per network that it is
    /// framed.
    pub fn judge(&mut self, findings: Vec<Finding>) -> Vec<Finding> {
        let mut kept = Vec::with_capacity(findings.len());
        let mut framed: Vec<Finding> = Vec::new();
        for finding in findings {
            let Some(prefix) = self.forged(&finding) else {
                kept.push(finding);
                continue;
            };
            let subject =
                |about: &About| matches!(about, About::Prefix(known, _) if *known == prefix);
            match framed.iter_mut().find(|known| subject(&known.about)) {
                Some(known) => absorb(known, &finding),
                None => framed.push(frame(finding, prefix)),
            }
        }
        for finding in &mut framed {
            self.complete(finding);
        }
        kept.append(&mut framed);
        kept
    }

    /// The network of which this source is a forged one.
    fn forged(&mut self, finding: &Finding) -> Option<IpNet> {
        let About::Source(IpAddr::V4(source), _) = finding.about else {
            return None;
        };
        for length in LENGTHS {
            let key = key(source, length);
            let crowd = self.networks.get_mut(&key);
            let Some(crowd) = crowd.filter(|crowd| crowd.has(finding.first)) else {
                continue;
            };
            if crowd.is_forged(length, &self.settings) {
                self.suspect(key);
                return Some(IpNet::V4(network(key)));
            }
        }
        None
    }

    fn suspect(&mut self, key: (u8, u32)) {
        if !self.suspected.insert(key) {
            return;
        }
        let networks = &self.networks;
        self.suspected
            .retain(|key| networks.get(key).is_some_and(|crowd| crowd.suspected));
    }

    /// Puts in what is known of the network as a whole, and narrows it to what was forged.
    fn complete(&self, finding: &mut Finding) {
        let About::Prefix(IpNet::V4(prefix), origin) = &finding.about else {
            return;
        };
        let length = prefix.prefix_len();
        let key = key(prefix.network(), length);
        let Some(crowd) = self.networks.get(&key) else {
            return;
        };
        finding.sources = Some(crowd.sources);
        finding.first = crowd.began;
        if let Some(framed) = crowd.framed {
            finding.about = About::Prefix(IpNet::V4(framed), Arc::clone(origin));
        }
    }
}

impl Crowd {
    fn add(&mut self, source: Ipv4Addr, seen: &[&Sighting], settings: &SpoofSuspect) {
        let Some(first) = seen.iter().map(|sighting| sighting.flow.tally.first).min() else {
            return;
        };
        let span = settings.seconds_max * 1000;
        let is_over = if self.framed.is_some() {
            self.last
        } else {
            self.began
        };
        if self.sources == 0 || first.0 > is_over.0 + span {
            *self = Self {
                began: first,
                lowest: u32::MAX,
                ..Self::default()
            };
        }
        self.began = self.began.min(first);
        self.sources += 1;
        self.lowest = self.lowest.min(source.to_bits());
        self.highest = self.highest.max(source.to_bits());
        for sighting in seen {
            let tally = &sighting.flow.tally;
            self.last = self.last.max(tally.last);
            self.packets += tally.packets;
            self.watches |= 1 << (sighting.watch % 64);
            for ttl in [tally.ttl_min, tally.ttl_max] {
                self.ttl[usize::from(ttl / 64)] |= 1 << (ttl % 64);
            }
        }
    }

    /// Whether a source that was first seen then came with it.
    fn has(&self, first: Millis) -> bool {
        first >= self.began && first <= self.last
    }

    /// Whether these are too many, too quickly, over one path, and cost a forger hardly
    /// anything. It stays so while they come, and no longer than they are cheap; what was
    /// released by that is not taken back for a few that come later.
    fn is_forged(&mut self, length: u8, settings: &SpoofSuspect) -> bool {
        let most = if length == 24 {
            settings.sources_min
        } else {
            settings.sources_wide_min
        };
        let paths: u32 = self.ttl.iter().map(|word| word.count_ones()).sum();
        let is_one_path = paths <= settings.ttls_max * self.watches.count_ones();
        let is_thin = self.packets <= settings.packets_per_source * self.sources;
        let is_edged = self.lowest & 0xff == 0 && self.highest & 0xff == 0xff;
        let released = self.suspected && self.framed.is_none();
        if !is_thin && !is_edged {
            self.framed = None;
        } else if self.sources >= most && is_one_path && (is_edged || !released) {
            let narrowed = around(self.lowest, self.highest);
            let whole = Ipv4Net::new(narrowed.network(), narrowed.prefix_len().min(24));
            self.framed = self.framed.or(whole.ok().map(|net| net.trunc()));
        }
        self.suspected |= self.framed.is_some();
        self.framed.is_some()
    }
}

/// The network of this length around a source.
fn key(source: Ipv4Addr, length: u8) -> (u8, u32) {
    (length, source.to_bits() >> (32 - length))
}

fn network((length, bits): (u8, u32)) -> Ipv4Net {
    Ipv4Net::new(Ipv4Addr::from_bits(bits << (32 - length)), length)
        .expect("16 and 24 are lengths of IPv4 prefixes")
}

/// The smallest prefix that holds both.
fn around(lowest: u32, highest: u32) -> Ipv4Net {
    let length = (lowest ^ highest).leading_zeros() as u8;
    Ipv4Net::new(Ipv4Addr::from_bits(lowest), length)
        .expect("32 bits have at most 32 leading zeros")
        .trunc()
}

fn frame(finding: Finding, prefix: IpNet) -> Finding {
    let origin = finding
        .about
        .origin()
        .map_or_else(|| Arc::new(Origin::default()), Arc::clone);
    Finding {
        kind: Kind::SpoofSuspect,
        reason: Reason::Framing,
        about: About::Prefix(prefix, origin),
        support: Support::Plain,
        source_port: None,
        usual: None,
        rate: None,
        ..finding
    }
}

/// One more forged source of the same network.
fn absorb(known: &mut Finding, finding: &Finding) {
    known.last = known.last.max(finding.last);
    known.packets += finding.packets;
    known.targets = known.targets.max(finding.targets);
    for (service, packets) in &finding.services {
        let room = known.services.len() < SERVICES_MAX;
        match known.services.iter_mut().find(|(one, _)| one == service) {
            Some((_, sum)) => *sum += packets,
            None if room => known.services.push((*service, *packets)),
            None => {}
        }
    }
    for sensor in &finding.sensors {
        if known.sensors.len() < SENSORS_MAX && !known.sensors.contains(sensor) {
            known.sensors.push(sensor.clone());
        }
    }
}
