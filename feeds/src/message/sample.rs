//! An alert for unit tests.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject, Tlp};
use noroshi_store::changes::Shown;
use noroshi_store::remedy::{Remedy, Standing};
use uuid::Uuid;

/// 2 November 2026, 06:00:00 UTC.
pub(crate) const MORNING: Millis = Millis(1_793_599_200_000);

pub(crate) fn alert(number: u128) -> Alert {
    Alert {
        id: Uuid::from_u128(0x1a2b_3c4d_0000_0000_0000_0000_0000_0000 + number),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: Some("th-cert".to_owned()),
        country: Some("TH".to_owned()),
        attribution: None,
        opened_at: MORNING,
        first_seen: Millis(MORNING.0 - 7_655),
        last_seen: Millis(MORNING.0 - 1_000),
        detected_at: MORNING,
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
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: "Packets bearing 203.0.113.7 asked 29 unused addresses for telnet.".to_owned(),
        exercise: false,
    }
}

pub(crate) fn shown(number: u128) -> Shown {
    Shown::new(alert(number), None)
}

/// As shown after somebody, or the analyzer, took a step.
pub(crate) fn stands(alert: Alert, state: Remedy) -> Shown {
    let standing = Standing {
        state,
        since: MORNING,
        reason: "the sensor was at fault".to_owned(),
        silence_probability: None,
    };
    Shown::new(alert, Some(standing))
}
