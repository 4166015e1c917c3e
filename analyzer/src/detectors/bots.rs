//! Botnets without a mark in their packets, known by the ports their bots ask for.
//!
//! Which ports belong together is what NICT's analysts labelled on eight telescopes in
//! October 2018 (Han, Takeuchi, Takahashi, Inoue: Dark-TRACER, 2022). Most of them are
//! rarely asked for by anybody else; a source that asks for them together, for hardly
//! anything else, and with no scanning tool, is taken for one of these bots. Such bots try
//! Telnet too, so that counts neither way.

use noroshi_proto::traffic::{Protocol, Traffic};

use super::sources::{Activity, Conversation};
use crate::finding::Fingerprint;

/// Share of a source's SYNs that are for the family's ports, as for other fingerprints.
const SHARE: f64 = 0.9;
/// Ports of Telnet, which bots of all families try.
const TELNET: [u16; 2] = [23, 2_323];

/// What the bots of one family ask for.
#[derive(Debug)]
struct Family {
    fingerprint: Fingerprint,
    /// All of these,
    always: &'static [u16],
    /// and so many
    among_min: usize,
    /// of these.
    among: &'static [u16],
}

const FAMILIES: [Family; 3] = [
    Family {
        fingerprint: Fingerprint::Hajime,
        always: &[5_358, 9_000],
        among_min: 0,
        among: &[],
    },
    Family {
        fingerprint: Fingerprint::Hns,
        always: &[2_480, 5_984],
        among_min: 0,
        among: &[],
    },
    Family {
        fingerprint: Fingerprint::Mikrotik,
        // mail and web servers' ports say nothing without the router's own
        always: &[8_291],
        among_min: 3,
        among: &[21, 25, 110, 443, 23_023, 65_000],
    },
];

/// The family whose bot a source is, by what it asks for.
pub fn family(activity: &Activity) -> Option<Fingerprint> {
    let asked = activity.conversations.iter().filter_map(tcp_port);
    let asked: Vec<(u16, u64)> = asked.collect();
    let family = FAMILIES.iter().find(|family| family.explains(&asked))?;
    Some(family.fingerprint)
}

fn tcp_port(one: &Conversation) -> Option<(u16, u64)> {
    let is_syn = one.traffic == Traffic::ScanSyn && one.service.protocol == Protocol::Tcp;
    is_syn.then_some((one.service.port, one.packets))
}

impl Family {
    /// Whether a bot of it asks for these ports, so often each.
    fn explains(&self, asked: &[(u16, u64)]) -> bool {
        let is_asked = |port: &u16| asked.iter().any(|(one, _)| one == port);
        let among = self.among.iter().filter(|port| is_asked(port)).count();
        if !self.always.iter().all(is_asked) || among < self.among_min {
            return false;
        }
        let all: u64 = asked.iter().map(|(_, packets)| packets).sum();
        let own = asked.iter().filter(|(port, _)| {
            [self.always, self.among, &TELNET]
                .iter()
                .any(|ports| ports.contains(port))
        });
        let own: u64 = own.map(|(_, packets)| packets).sum();
        own as f64 >= SHARE * all as f64
    }
}
