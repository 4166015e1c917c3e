//! What a partner's script reads.

use expect_test::expect;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{
    Alert, Attribution, Basis, Confidence, Evidence, Kind, Severity, State, Subject, Tlp,
};
use noroshi_store::remedy::{Event, Standing};
use uuid::Uuid;

use super::*;

fn alert(partner: Option<&str>) -> Alert {
    Alert {
        id: Uuid::from_u128(7),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: partner.map(str::to_owned),
        country: Some("TH".to_owned()),
        attribution: Some(Attribution {
            basis: Basis::Prefix,
            matched: "203.0.113.0/24".to_owned(),
            registry_version: "1f0c33a9b1d2".to_owned(),
        }),
        opened_at: Millis(1_793_599_210_000),
        first_seen: Millis(1_793_599_202_345),
        last_seen: Millis(1_793_599_209_900),
        detected_at: Millis(1_793_599_210_000),
        subject: Subject::Source {
            source: "203.0.113.7".parse().unwrap(),
            asn: Some(64500),
        },
        evidence: Evidence {
            services: vec!["tcp/23".to_owned(), "tcp/2323".to_owned()],
            packets: 31,
            targets: 29,
            sensors: 2,
            fingerprint: Some("mirai".to_owned()),
            rule: "mirai_syn".to_owned(),
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: "first line\nsecond line".to_owned(),
        exercise: false,
    }
}

fn shown(partner: Option<&str>) -> Shown {
    Shown::new(alert(partner), None)
}

fn partner(name: &str) -> PartnerId {
    PartnerId::new(name).expect("a name")
}

#[test]
fn the_keys_are_a_contract() {
    expect![[r#"
        {"id":"00000000-0000-0000-0000-000000000007","kind":"infected_host","state":"new","severity":"medium","confidence":"medium","tlp":"AMBER","partner":"th-cert","country":"TH","attribution":{"basis":"prefix","matched":"203.0.113.0/24","registry_version":"1f0c33a9b1d2"},"opened_at":"2026-11-02T06:00:10.000Z","first_seen":"2026-11-02T06:00:02.345Z","last_seen":"2026-11-02T06:00:09.900Z","detected_at":"2026-11-02T06:00:10.000Z","subject":{"source":"203.0.113.7","asn":64500},"evidence":{"services":["tcp/23","tcp/2323"],"packets":31,"targets":29,"sensors":2,"fingerprint":"mirai","rule":"mirai_syn","late":false,"internal":false},"reason_code":"mirai_syn","explanation":"first line\nsecond line","exercise":false}
    "#]].assert_eq(&lines(&partner("th-cert"), [&shown(Some("th-cert"))]));
}

#[test]
fn one_alert_is_one_line_whatever_its_text_holds() {
    let alerts = [shown(Some("th-cert")), shown(Some("th-cert"))];
    let text = lines(&partner("th-cert"), &alerts);
    assert_eq!(text.lines().count(), 2);
    assert!(text.ends_with("}\n"));
    for (line, alert) in text.lines().zip(&alerts) {
        let read: Alert = serde_json::from_str(line).expect("a line is an alert");
        assert_eq!(read, alert.alert);
    }
}

#[test]
fn nothing_of_anybody_else_is_rendered() {
    let alerts = [shown(Some("my-cert")), shown(None), shown(Some("th-cert2"))];
    assert_eq!(lines(&partner("th-cert"), &alerts), "");
    assert!(
        alerts
            .iter()
            .all(|alert| one(&partner("th-cert"), alert).is_none())
    );
}

#[test]
fn what_is_withdrawn_says_so_and_why() {
    let mut standing = Standing::default();
    standing.take(
        Event::Withdraw,
        Millis(1_793_599_300_000),
        "wrong geo build",
        None,
    );
    let withdrawn = Shown::new(alert(Some("th-cert")), Some(standing));
    let text = one(&partner("th-cert"), &withdrawn).unwrap();
    assert!(text.contains(r#""state":"withdrawn","severity""#), "{text}");
    let remedy = r#""remedy":{"state":"withdrawn","since":"2026-11-02T06:01:40.000Z","reason":"wrong geo build"}}"#;
    assert!(text.ends_with(remedy), "{text}");
}

#[test]
fn what_can_wait_for_the_digest_says_so() {
    let mut low = alert(Some("th-cert"));
    low.severity = Severity::Low;
    let text = one(&partner("th-cert"), &Shown::new(low, None)).unwrap();
    assert!(
        text.ends_with(r#""exercise":false,"digest":true}"#),
        "{text}"
    );
}
