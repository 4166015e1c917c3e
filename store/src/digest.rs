//! What can wait for the daily digest, grouped as its reader works: by AS, then by network.
//!
//! One infected customer with a new address each day, or a hundred customers of one access
//! network, are one line and not a hundred.

use std::collections::btree_map::{BTreeMap, Entry};
use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use noroshi_proto::time::Millis;
use serde::Serialize;

use crate::alert::{Alert, Kind, State, Subject, millis};
use crate::cases::subject;

/// Subjects named in one line, at most.
const SUBJECTS_MAX: usize = 256;

/// One line of a digest: cases of one kind in one network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Whom it concerns; `None` for the centre.
    pub partner: Option<String>,
    /// The AS, where known.
    pub asn: Option<u32>,
    /// The /24 (IPv6: /48); `None` of what is about no address.
    pub network: Option<IpNet>,
    /// Of which kind.
    pub kind: Kind,
    /// How many.
    pub cases: u64,
    /// Whom they are about, at most 256.
    pub subjects: Vec<String>,
    /// Packets of all.
    pub packets: u64,
    /// First packet.
    #[serde(serialize_with = "millis::serialize")]
    pub first_seen: Millis,
    /// Last packet.
    #[serde(serialize_with = "millis::serialize")]
    pub last_seen: Millis,
}

/// Which of a partner's cases came together.
type Key = (Option<String>, Option<u32>, Option<IpNet>, Kind);

/// The digest of a span of time: cases that can wait and were seen in it, most cases first
/// within each partner.
pub fn digest<'a>(alerts: impl IntoIterator<Item = &'a Alert>, span: &Range<Millis>) -> Vec<Line> {
    let mut lines: BTreeMap<Key, Line> = BTreeMap::new();
    for alert in alerts {
        let is_then = alert.first_seen < span.end && alert.last_seen >= span.start;
        if !is_then || alert.state == State::Withdrawn || !alert.is_for_digest() {
            continue;
        }
        match lines.entry(key(alert)) {
            Entry::Occupied(mut known) => known.get_mut().add(alert),
            Entry::Vacant(place) => {
                place.insert(Line::of(alert));
            }
        }
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    lines.sort_by(|a, b| a.partner.cmp(&b.partner).then(b.cases.cmp(&a.cases)));
    lines
}

fn key(alert: &Alert) -> Key {
    let (asn, address) = match &alert.subject {
        Subject::Source { source, asn } => (*asn, Some(*source)),
        Subject::Victim { victim, asn } => (*asn, first_address(victim)),
        _ => (None, None),
    };
    let network = address.and_then(network);
    (alert.partner.clone(), asn, network, alert.kind)
}

/// The first address of an address or a prefix.
fn first_address(victim: &str) -> Option<IpAddr> {
    let prefix = victim.split('/').next()?;
    prefix.parse().ok()
}

fn network(address: IpAddr) -> Option<IpNet> {
    let length = if address.is_ipv4() { 24 } else { 48 };
    Some(IpNet::new(address, length).ok()?.trunc())
}

impl Line {
    fn of(alert: &Alert) -> Self {
        let (partner, asn, network, kind) = key(alert);
        let mut line = Self {
            partner,
            asn,
            network,
            kind,
            cases: 0,
            subjects: Vec::new(),
            packets: 0,
            first_seen: alert.first_seen,
            last_seen: alert.last_seen,
        };
        line.add(alert);
        line
    }

    fn add(&mut self, alert: &Alert) {
        self.cases += 1;
        self.packets += alert.evidence.packets;
        self.first_seen = self.first_seen.min(alert.first_seen);
        self.last_seen = self.last_seen.max(alert.last_seen);
        let subject = subject(&alert.subject);
        if self.subjects.len() < SUBJECTS_MAX && !self.subjects.contains(&subject) {
            self.subjects.push(subject);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::alert::{Confidence, Evidence, Severity, Tlp};

    const DAY: Range<Millis> = Millis(86_400_000)..Millis(172_800_000);

    /// A case of a host.
    pub(crate) fn alert(address: &str, asn: u32) -> Alert {
        let seen = Millis(100_000_000);
        Alert {
            id: Uuid::nil(),
            kind: Kind::InfectedHost,
            state: State::Continuing,
            severity: Severity::Medium,
            confidence: Confidence::Low,
            tlp: Tlp::Amber,
            partner: Some("th-cert".to_owned()),
            country: None,
            attribution: None,
            opened_at: seen,
            first_seen: seen,
            last_seen: seen,
            detected_at: seen,
            subject: Subject::Source {
                source: address.parse().expect("an address"),
                asn: Some(asn),
            },
            evidence: Evidence {
                packets: 3,
                ..Evidence::default()
            },
            reason_code: "mirai_syn".to_owned(),
            explanation: String::new(),
            exercise: false,
        }
    }

    #[test]
    fn one_network_of_one_as_is_one_line() {
        let mut alerts: Vec<Alert> = (0..12)
            .map(|host| alert(&format!("203.0.113.{host}"), 64_500))
            .collect();
        alerts.push(alert("203.0.112.9", 64_500));
        alerts.push(alert("203.0.113.9", 64_501));
        alerts.push(alert("2001:db8:7:1::9", 64_500));
        alerts.push(alert("2001:db8:7:2::9", 64_500));
        let lines = digest(&alerts, &DAY);
        let gist: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line.asn,
                    line.network.map(|net| net.to_string()),
                    line.cases,
                )
            })
            .collect();
        let line = |asn, network: &str, cases| (Some(asn), Some(network.to_owned()), cases);
        let expected = [
            line(64_500, "203.0.113.0/24", 12),
            line(64_500, "2001:db8:7::/48", 2),
            line(64_500, "203.0.112.0/24", 1),
            line(64_501, "203.0.113.0/24", 1),
        ];
        assert_eq!(gist, expected);
        assert_eq!(lines[0].packets, 36);
        assert_eq!(lines[0].subjects.len(), 12);
    }

    #[test]
    fn a_digest_holds_what_can_wait_and_was_seen_then() {
        let waits = alert("203.0.113.1", 64_500);
        let urgent = Alert {
            confidence: Confidence::High,
            ..waits.clone()
        };
        let before = Alert {
            first_seen: Millis(1),
            last_seen: Millis(86_399_999),
            ..waits.clone()
        };
        let after = Alert {
            first_seen: Millis(172_800_000),
            last_seen: Millis(172_800_000),
            ..waits.clone()
        };
        let withdrawn = Alert {
            state: State::Withdrawn,
            ..waits.clone()
        };
        assert!(digest(&[urgent, before, after, withdrawn], &DAY).is_empty());
        let lasting = Alert {
            first_seen: Millis(1),
            last_seen: Millis(900_000_000),
            ..waits.clone()
        };
        let bombed = Alert {
            kind: Kind::SpoofSuspect,
            severity: Severity::Low,
            confidence: Confidence::Medium,
            subject: Subject::Victim {
                victim: "203.0.113.0/25".to_owned(),
                asn: None,
            },
            ..waits
        };
        let lines = digest(&[lasting, bombed], &DAY);
        let network = Some("203.0.113.0/24".parse().expect("a prefix"));
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.network == network));
    }
}
