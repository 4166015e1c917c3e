//! Alerts that the tests of every format render: one of each shape.

use std::collections::BTreeSet;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{
    Alert, Attribution, Basis, Confidence, Evidence, Kind, Severity, State, Subject, Tlp,
};
use noroshi_store::changes::Shown;
use noroshi_store::observations::{Observation, Sighting};
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::{Event, Standing};
use uuid::Uuid;

use crate::channel::MailSettings;
use crate::mail::post::{Security, Server};

/// 2 November 2026, 06:00 UTC.
const START: u64 = 1_793_599_200_000;

/// A centre's mail that goes nowhere.
pub(crate) fn mail_settings(operator: Option<&str>) -> MailSettings {
    MailSettings {
        server: Server {
            host: "127.0.0.1".to_owned(),
            port: 25,
            security: Security::None,
            login: None,
        },
        from: "noroshi@centre.example".to_owned(),
        signing_key: None,
        operator: operator.map(str::to_owned),
    }
}

pub(crate) fn partner(name: &str) -> PartnerId {
    PartnerId::new(name).expect("a name")
}

/// An infected host of Thailand's.
pub(crate) fn infected(number: u128) -> Alert {
    Alert {
        id: Uuid::from_u128(number),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: Some("th-cert".to_owned()),
        country: Some("TH".to_owned()),
        attribution: Some(Attribution {
            basis: Basis::Prefix,
            matched: "203.0.113.0/24".to_owned(),
            registry_version: "1f0c33a9b1d2".to_owned(),
        }),
        opened_at: Millis(START + 10_000),
        first_seen: Millis(START + 2_345),
        last_seen: Millis(START + 9_900),
        detected_at: Millis(START + 10_000),
        subject: Subject::Source {
            source: "203.0.113.7".parse().expect("an address"),
            asn: Some(64_500),
        },
        evidence: Evidence {
            services: vec!["tcp/23".to_owned(), "tcp/2323".to_owned()],
            packets: 31,
            targets: 29,
            sensors: 2,
            source_port: Some(40_123),
            fingerprint: Some("mirai".to_owned()),
            rule: "mirai_syn".to_owned(),
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: "Packets bearing 203.0.113.7 asked 29 unused addresses, \"with\" | = \\ 感染"
            .to_owned(),
        exercise: false,
    }
}

/// The same, as something else.
fn varied(number: u128, vary: impl FnOnce(&mut Alert)) -> Alert {
    let mut alert = infected(number);
    alert.evidence.fingerprint = None;
    vary(&mut alert);
    alert
}

fn victim(alert: &mut Alert, victim: &str) {
    alert.kind = Kind::DdosVictim;
    alert.severity = Severity::High;
    alert.reason_code = "backscatter".to_owned();
    alert.evidence.source_port = None;
    alert.evidence.services = vec!["tcp/443".to_owned()];
    alert.subject = Subject::Victim {
        victim: victim.to_owned(),
        asn: Some(64_500),
    };
}

/// What was taken back after it was told.
pub(crate) fn withdrawn(alert: Alert) -> Shown {
    let mut standing = Standing::default();
    let taken_back = Millis(START + 100_000);
    standing.take(Event::Withdraw, taken_back, "wrong geo build", None);
    Shown::new(alert, Some(standing))
}

/// One of each shape, all of them Thailand's.
pub(crate) fn samples() -> Vec<Shown> {
    let alerts = vec![
        infected(1),
        varied(2, |alert| {
            alert.kind = Kind::ScanningHost;
            alert.state = State::Continuing;
            alert.tlp = Tlp::AmberStrict;
            alert.reason_code = "scan".to_owned();
            alert.evidence.services = vec!["icmp/8".to_owned()];
            alert.subject = Subject::Source {
                source: "2001:db8::7".parse().expect("an address"),
                asn: None,
            };
        }),
        varied(3, |alert| victim(alert, "198.51.100.9")),
        varied(4, |alert| {
            victim(alert, "198.51.100.0/30");
            alert.evidence.victims = vec![
                "198.51.100.1".parse().expect("an address"),
                "198.51.100.2".parse().expect("an address"),
            ];
        }),
        varied(5, |alert| {
            alert.kind = Kind::ScanSurge;
            alert.tlp = Tlp::Green;
            alert.reason_code = "surge".to_owned();
            alert.evidence.sources = Some(812);
            alert.evidence.usual = Some(31.5);
            alert.evidence.source_port = None;
            alert.subject = Subject::Service {
                service: "tcp/2323".to_owned(),
                scope: "region".to_owned(),
            };
        }),
        varied(6, |alert| alert.exercise = true),
        varied(7, |alert| {
            alert.kind = Kind::SensorSilence;
            alert.subject = Subject::Sensor {
                sensor: "bangkok-1".to_owned(),
            };
        }),
        varied(8, |alert| {
            alert.kind = Kind::OpenReflector;
            alert.state = State::Closed;
            alert.severity = Severity::Low;
            alert.evidence.services = vec!["udp/53".to_owned()];
        }),
    ];
    let mut samples: Vec<Shown> = alerts
        .into_iter()
        .map(|alert| Shown::new(alert, None))
        .collect();
    samples.push(withdrawn(infected(9)));
    samples
}

/// Where every sighting was: what no rendering may say.
pub(crate) const SENSOR: &str = "chiang-mai-7";

/// What was seen of each on the day of its first packet.
pub(crate) fn sightings(samples: Vec<Shown>) -> Vec<Sighting> {
    let sighting = |Shown { alert, .. }| Sighting {
        observation: observation(&alert),
        changed: Millis(alert.last_seen.0 + 1),
        alert,
    };
    samples.into_iter().map(sighting).collect()
}

fn observation(alert: &Alert) -> Observation {
    Observation {
        case: alert.id,
        day: Observation::day_of(alert.first_seen),
        partner: alert.partner.clone().unwrap_or_default(),
        packets: alert.evidence.packets,
        targets: alert.evidence.targets,
        first: alert.first_seen,
        last: alert.last_seen,
        sensors: BTreeSet::from([SensorId::new(SENSOR).expect("a name")]),
    }
}
