//! The life of a case, and who is told.

mod crowds;
mod groups;
mod probes;
mod regions;

use std::sync::Arc;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Protocol, Service};
use noroshi_store::alert::{Basis, Confidence, Severity};
use noroshi_store::origin::{Country, Origin};

use super::*;
use crate::finding::{About, Fingerprint, Reason, Support};

/// A window's end in 2026.
const START: u64 = 1_793_620_800;
const TELNET: Service = Service {
    protocol: Protocol::Tcp,
    port: 23,
};

const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "ThaiCERT"
country = "TH"
asns = [64500]
tlp = "AMBER"
programmes = ["practice", "daedalus"]
contacts = ["soc@example.th"]
country_consent = { by = "director", on = 2013-02-01 }
[[partner.scanner]]
name = "yearly audit"
prefix = "203.0.113.99/32"

[[partner.prefix]]
prefix = "203.0.113.0/24"
use = "static"
claim = "verified"
consent = { by = "director", on = 2013-02-01 }

[[partner.prefix]]
prefix = "203.0.113.64/28"
use = "critical"
claim = "verified"
consent = { by = "director", on = 2013-02-01 }

[[partner]]
id = "my-cert"
name = "MyCERT"
country = "MY"
tlp = "GREEN"
programmes = ["practice"]
contacts = ["soc@example.my"]
[[partner.prefix]]
prefix = "198.51.100.0/24"
use = "static"
claim = "verified"
consent = { by = "director", on = 2013-02-01 }

[[partner]]
id = "jp-cert"
name = "JPCERT"
country = "JP"
tlp = "GREEN"
programmes = []
contacts = ["soc@example.jp"]

[[sensor]]
id = "jp-1"
partner = "jp-cert"
telescope = [{ prefix = "198.18.0.0/20", from = 2026-01-01 }]

[[sensor]]
id = "th-1"
partner = "th-cert"
telescope = [{ prefix = "203.0.113.240/28", from = 2026-01-01 }]
"#;

fn registry() -> Registry {
    Registry::parse("registry.toml", REGISTRY).unwrap_or_else(|faults| panic!("{faults}"))
}

fn alerts() -> Alerts {
    Alerts::new(&Settings::default(), Purpose::Operation)
}

fn bot(source: &str, at: u64) -> Finding {
    Finding {
        kind: Kind::InfectedHost,
        about: About::Source(source.parse().expect("an address"), Arc::default()),
        first: Millis((at - 8) * 1_000),
        last: Millis((at - 2) * 1_000),
        at,
        packets: 10,
        targets: 9,
        sources: None,
        sensors: vec![SensorId::new("jp-1").expect("an id")],
        services: vec![(TELNET, 10)],
        source_port: Some(40_123),
        fingerprint: Some(Fingerprint::Mirai),
        usual: Some(0.0),
        rate: None,
        estimates: Default::default(),
        support: Support::Plain,
        reason: Reason::MiraiSyn,
        late: false,
        victims: Vec::new(),
    }
}

fn merge(alerts: &mut Alerts, findings: Vec<Finding>, end: u64) -> Vec<Outcome> {
    alerts.merge(findings, &registry(), (end - 10, end))
}

fn opened(outcomes: &[Outcome]) -> Vec<&Alert> {
    let each = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Opened(numbered) => Some(&numbered.alert),
        _ => None,
    });
    each.collect()
}

#[test]
fn ten_days_of_infection_are_one_case_that_closes_after_quiet_days() {
    let mut alerts = alerts();
    let mut seen = Vec::new();
    for day in 0..10 {
        let at = START + day * 86_400;
        seen.extend(merge(&mut alerts, vec![bot("203.0.113.7", at)], at));
        seen.extend(alerts.checkpoint());
    }
    assert_eq!(opened(&seen).len(), 1);
    let quiet = START + 9 * 86_400 + 7 * 86_400;
    assert!(alerts.advance_to(quiet - 60).is_empty());
    let closed = alerts.advance_to(quiet);
    let [Outcome::Closed(last)] = closed.as_slice() else {
        panic!("{closed:?}");
    };
    assert_eq!(
        (last.alert.state, last.alert.evidence.packets),
        (State::Closed, 100)
    );
    assert_eq!(last.version, 11, "opened, nine checkpoints, closed");
    assert_eq!(last.alert.evidence.services, ["tcp/23"]);
    assert_eq!(last.alert.detected_at, Millis((START + 9 * 86_400) * 1_000));
    let again = START + 30 * 86_400;
    let reopened = merge(&mut alerts, vec![bot("203.0.113.7", again)], again);
    assert_ne!(
        opened(&reopened)[0].id,
        last.alert.id,
        "the next one is a new case"
    );
}

#[test]
fn an_attack_is_over_after_five_minutes_of_silence() {
    let attack = |at| Finding {
        kind: Kind::DdosVictim,
        about: About::Victim("203.0.113.7".parse().expect("an address"), Arc::default()),
        reason: Reason::Backscatter,
        ..bot("203.0.113.7", at)
    };
    let mut alerts = alerts();
    merge(&mut alerts, vec![attack(START)], START);
    let later = START + 299;
    assert!(opened(&merge(&mut alerts, vec![attack(later)], later)).is_empty());
    // silent windows may be left out: the next attack closes the last before it opens its own
    let next = later + 3_600;
    let outcomes = merge(&mut alerts, vec![attack(next)], next);
    assert!(
        matches!(
            outcomes.as_slice(),
            [Outcome::Closed(_), Outcome::Opened(_)]
        ),
        "{outcomes:?}"
    );
}

#[test]
fn a_restart_makes_no_twin_and_counts_nothing_twice() {
    let mut before = alerts();
    let first = merge(&mut before, vec![bot("203.0.113.7", START)], START);
    merge(
        &mut before,
        vec![bot("203.0.113.7", START + 10)],
        START + 10,
    );
    let kept = before.checkpoint().remove(0).into_numbered();
    let mut after = alerts();
    after.resume(kept.alert.clone(), kept.version);
    // the windows since the last position are examined again
    let again = merge(&mut after, vec![bot("203.0.113.7", START + 10)], START + 10);
    assert!(again.is_empty());
    assert_eq!(after.withheld().get(&Withheld::AlreadyTold), Some(&1));
    merge(&mut after, vec![bot("203.0.113.7", START + 20)], START + 20);
    let last = after.checkpoint().remove(0).into_numbered();
    assert_eq!(last.alert.id, opened(&first)[0].id);
    assert_eq!((last.alert.evidence.packets, last.version), (30, 3));
    assert_eq!(last.alert.explanation, before_explains(&last.alert));
}

fn before_explains(alert: &Alert) -> String {
    crate::settings::Language::En
        .texts()
        .explanation(Reason::MiraiSyn.code(), alert)
}

#[test]
fn the_same_evidence_gives_the_same_id() {
    let id = || {
        opened(&merge(
            &mut alerts(),
            vec![bot("203.0.113.7", START)],
            START,
        ))[0]
            .id
    };
    assert_eq!(id(), id());
    assert_eq!(id().to_string(), "3c46a7a6-4d97-55c4-b13f-d277711ee922");
}

/// Source → partner, attribution, severity; or why nobody is told.
#[test]
fn each_finding_goes_to_whom_it_concerns() {
    let placed = |source: &str, asn: u32, country: Option<&str>| {
        let origin = Origin {
            asn,
            country: country.and_then(Country::new),
            ..Origin::default()
        };
        Finding {
            about: About::Source(source.parse().expect("an address"), Arc::new(origin)),
            ..bot(source, START)
        }
    };
    let told = [
        (
            placed("203.0.113.7", 0, None),
            Basis::Prefix,
            Severity::Medium,
        ),
        (
            placed("203.0.113.65", 0, None),
            Basis::Prefix,
            Severity::High,
        ),
        (
            placed("45.0.0.1", 64_500, None),
            Basis::Asn,
            Severity::Medium,
        ),
        (
            placed("45.0.0.2", 0, Some("TH")),
            Basis::Country,
            Severity::Medium,
        ),
    ];
    for (finding, basis, severity) in told {
        let outcomes = merge(&mut alerts(), vec![finding], START);
        let alert = opened(&outcomes)[0];
        assert_eq!(alert.partner.as_deref(), Some("th-cert"));
        let attribution = alert.attribution.as_ref().expect("an attribution");
        assert_eq!((attribution.basis, alert.severity), (basis, severity));
        assert_eq!(
            (alert.country.as_deref(), alert.exercise),
            (Some("TH"), false)
        );
    }
    let withheld = [
        (placed("45.0.0.3", 0, None), "nobody"),
        (placed("198.51.100.7", 0, None), "no_programme"),
        (placed("45.0.0.4", 0, Some("MY")), "no_consent"),
    ];
    for (finding, reason) in withheld {
        let mut alerts = alerts();
        assert!(merge(&mut alerts, vec![finding], START).is_empty());
        let counted: Vec<&str> = alerts
            .withheld()
            .keys()
            .map(|reason| reason.name())
            .collect();
        assert_eq!(counted, [reason]);
    }
}

#[test]
fn a_bogon_is_nobodys_unless_a_partner_holds_it() {
    let impossible = |source: &str| Finding {
        about: About::Source(
            source.parse().expect("an address"),
            Arc::new(Origin {
                bogon: Some("documentation"),
                country: Country::new("TH"),
                ..Origin::default()
            }),
        ),
        ..bot(source, START)
    };
    let mut alerts = alerts();
    assert!(merge(&mut alerts, vec![impossible("192.0.2.1")], START).is_empty());
    assert_eq!(alerts.withheld().get(&Withheld::Bogon), Some(&1));
    assert_eq!(
        opened(&merge(&mut alerts, vec![impossible("203.0.113.8")], START)).len(),
        1
    );
}

#[test]
fn known_scanners_are_for_the_record_unless_infected() {
    let scan = |source: &str, scanner: Option<&str>| Finding {
        kind: Kind::ScanningHost,
        about: About::Source(
            source.parse().expect("an address"),
            Arc::new(Origin {
                scanner: scanner.map(Into::into),
                ..Origin::default()
            }),
        ),
        fingerprint: Some(Fingerprint::Zmap),
        reason: Reason::ScanTool,
        ..bot(source, START)
    };
    let severity = |finding| {
        let outcomes = merge(&mut alerts(), vec![finding], START);
        let alert = opened(&outcomes)[0];
        (alert.severity, alert.evidence.scanner.clone())
    };
    assert_eq!(severity(scan("203.0.113.7", None)), (Severity::Low, None));
    let listed = severity(scan("203.0.113.7", Some("a university")));
    assert_eq!(listed, (Severity::Info, Some("a university".to_owned())));
    let declared = severity(scan("203.0.113.99", None));
    assert_eq!(declared, (Severity::Info, Some("yearly audit".to_owned())));
    let infected = Finding {
        kind: Kind::InfectedHost,
        ..scan("203.0.113.99", None)
    };
    assert_eq!(severity(infected).0, Severity::Medium);
}

/// Support, sensors, attribution → confidence.
#[test]
fn confidence_is_what_evidence_and_attribution_allow() {
    let both = ["jp-1", "th-1"];
    let expected = [
        (Support::Weak, &both[..1], None, Confidence::Low),
        (Support::Plain, &both[..], None, Confidence::Medium),
        (Support::Broad, &both[..1], None, Confidence::Medium),
        (Support::Broad, &both[..], None, Confidence::High),
        (Support::Steady, &both[..1], None, Confidence::High),
        (Support::Steady, &both[..], Some("TH"), Confidence::Medium),
    ];
    for (support, sensors, country, confidence) in expected {
        let source = if country.is_some() {
            "45.0.0.1"
        } else {
            "203.0.113.7"
        };
        let origin = Origin {
            country: country.and_then(Country::new),
            ..Origin::default()
        };
        let sensors = sensors
            .iter()
            .map(|name| SensorId::new(name).expect("an id"));
        let finding = Finding {
            about: About::Source(source.parse().expect("an address"), Arc::new(origin)),
            support,
            sensors: sensors.collect(),
            ..bot(source, START)
        };
        let outcomes = merge(&mut alerts(), vec![finding], START);
        let alert = opened(&outcomes)[0];
        assert_eq!(alert.confidence, confidence, "{support:?}");
        assert!(!alert.evidence.reasons.is_empty());
    }
}

#[test]
fn what_a_partners_own_telescope_sees_is_urgent() {
    let inside = Finding {
        sensors: vec![SensorId::new("th-1").expect("an id")],
        ..bot("203.0.113.7", START)
    };
    let outcomes = merge(&mut alerts(), vec![inside], START);
    let alert = opened(&outcomes)[0];
    assert_eq!(
        (alert.severity, alert.evidence.internal),
        (Severity::High, true)
    );
}

#[test]
fn a_surge_goes_to_the_partners_of_its_programme() {
    let surge = Finding {
        kind: Kind::ScanSurge,
        about: About::Service(TELNET, None),
        sources: Some(400),
        usual: Some(12.0),
        reason: Reason::Surge,
        ..bot("203.0.113.7", START)
    };
    let outcomes = merge(&mut alerts(), vec![surge.clone()], START);
    let told: Vec<_> = opened(&outcomes)
        .iter()
        .map(|alert| alert.partner.as_deref())
        .collect();
    assert_eq!(told, [Some("th-cert"), Some("my-cert")]);
    let text = &opened(&outcomes)[0].explanation;
    assert!(
        text.contains("400 distinct sources") && text.contains("usual are 12"),
        "{text}"
    );
    let nobody = Registry::default();
    let outcomes = alerts().merge(vec![surge], &nobody, (START - 10, START));
    assert_eq!(opened(&outcomes)[0].partner, None, "the centre alone");
}

#[test]
fn the_operator_takes_a_case_back() {
    let mut alerts = alerts();
    let outcomes = merge(&mut alerts, vec![bot("203.0.113.7", START)], START);
    let id = opened(&outcomes)[0].id;
    let Some(Outcome::Withdrawn(taken)) = alerts.withdraw(id) else {
        panic!("it was open");
    };
    assert_eq!((taken.alert.state, taken.version), (State::Withdrawn, 2));
    assert!(alerts.withdraw(id).is_none());
}

#[test]
fn late_evidence_joins_its_case_and_says_so() {
    let mut alerts = alerts();
    merge(&mut alerts, vec![bot("203.0.113.7", START)], START);
    let late = Finding {
        late: true,
        ..bot("203.0.113.7", START - 600)
    };
    assert!(merge(&mut alerts, vec![late], START - 600).is_empty());
    let alert = alerts.checkpoint().remove(0).into_numbered().alert;
    assert!(alert.evidence.late);
    assert_eq!(alert.evidence.packets, 20);
    assert_eq!(alert.first_seen, Millis((START - 608) * 1_000));
    assert_eq!(alert.detected_at, Millis(START * 1_000));
}

mod people;
