//! Every ground of judgement, one by one.

use noroshi_store::alert::{Attribution, Basis, Confidence, Evidence, Kind, Severity, State, Tlp};
use uuid::Uuid;

use super::*;

/// The last packet, in 2026.
const LAST: u64 = 1_793_620_800;
const DAY: u64 = 86_400;
/// Where waiting ends.
const QUIET: u64 = 7 * DAY;

const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "ThaiCERT"
country = "TH"
asns = [64500]
programmes = ["daedalus"]
country_consent = { by = "director", on = 2013-02-01 }
[[partner.prefix]]
prefix = "203.0.113.0/25"
use = "static"
claim = "verified"
[[partner.prefix]]
prefix = "203.0.113.128/26"
use = "dynamic"
claim = "verified"
[[partner.prefix]]
prefix = "203.0.113.192/26"
use = "cgn"
claim = "verified"
"#;

fn alert(source: &str) -> Alert {
    Alert {
        id: Uuid::nil(),
        kind: Kind::InfectedHost,
        state: State::Continuing,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: Some("th-cert".to_owned()),
        country: Some("TH".to_owned()),
        attribution: Some(Attribution {
            basis: Basis::Prefix,
            matched: String::new(),
            registry_version: String::new(),
        }),
        opened_at: Millis((LAST - DAY) * 1000),
        first_seen: Millis((LAST - DAY) * 1000),
        last_seen: Millis(LAST * 1000),
        detected_at: Millis(LAST * 1000),
        subject: Subject::Source {
            source: source.parse().expect("an address"),
            asn: Some(64_500),
        },
        evidence: Evidence {
            packets: 101,
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: String::new(),
        exercise: false,
    }
}

fn sensor(name: &str) -> SensorId {
    SensorId::new(name).expect("an id")
}

fn mark(name: &str, complete_through: u64) -> Watermark {
    Watermark {
        sensor: sensor(name),
        complete_through,
        kept_at: Millis(complete_through * 1000),
        addresses: 4_096,
    }
}

fn maintenance(from: u64, until: u64) -> Maintenance {
    Maintenance {
        id: Uuid::nil(),
        sensor: sensor("jp-1"),
        from: Millis(from * 1000),
        until: Millis(until * 1000),
        by: String::new(),
        reason: String::new(),
    }
}

/// One question to be judged, good in every way unless changed.
struct Question {
    alert: Alert,
    steps: Vec<Event>,
    sensors: BTreeSet<SensorId>,
    watermarks: Vec<Watermark>,
    maintenance: Vec<Maintenance>,
    now: u64,
    watched: Watched,
}

impl Question {
    fn after(silence: u64) -> Self {
        let now = LAST + silence;
        Self {
            alert: alert("203.0.113.7"),
            steps: vec![Event::Resolve],
            sensors: BTreeSet::from([sensor("jp-1")]),
            watermarks: vec![mark("jp-1", now - 10)],
            maintenance: Vec::new(),
            now,
            watched: Watched {
                active: 1_000.0,
                silent: 100.0,
            },
        }
    }

    fn judge(&self) -> Judgement {
        let registry = Registry::parse("registry.toml", REGISTRY).expect("a registry");
        let mut standing = Standing::default();
        for step in &self.steps {
            standing.take(*step, Millis((LAST + 10) * 1000), "", None);
        }
        let silent = Silent {
            alert: &self.alert,
            standing: &standing,
            sensors: &self.sensors,
        };
        let sky = Sky {
            watermarks: &self.watermarks,
            maintenance: &self.maintenance,
            now: self.now,
        };
        silent.judge(&sky, &registry, self.watched, QUIET)
    }

    fn doubt(&self) -> Option<Doubt> {
        match self.judge() {
            Judgement::Quiet { doubt, .. } => Some(doubt),
            _ => None,
        }
    }
}

#[test]
fn silence_confirms_when_it_had_been_unlikely() {
    let Judgement::Confirmed { probability } = Question::after(DAY).judge() else {
        panic!("100 packets while 1000 was watched, none while 100 was: e^-10");
    };
    assert!((probability - (-10.0_f64).exp()).abs() < 1e-12);
    // the border lies at ln 100
    let mut question = Question::after(DAY);
    question.watched.silent = 10.0 * 100.0_f64.ln() + 0.01;
    assert!(matches!(question.judge(), Judgement::Confirmed { .. }));
    question.watched.silent -= 0.02;
    assert_eq!(question.judge(), Judgement::Wait);
}

#[test]
fn a_day_at_least_and_no_proof_of_what_nobody_calls_clean() {
    assert_eq!(Question::after(DAY - 1).judge(), Judgement::Wait);
    for steps in [vec![], vec![Event::Acknowledge], vec![Event::Refute]] {
        let question = Question {
            steps: steps.clone(),
            ..Question::after(9 * DAY)
        };
        assert_eq!(question.judge(), Judgement::Wait, "{steps:?}");
    }
}

#[test]
fn what_is_seen_again_is_not_over() {
    for steps in [
        vec![Event::Resolve],
        vec![Event::Resolve, Event::Confirm],
        vec![Event::Resolve, Event::StayQuiet],
    ] {
        let mut question = Question {
            steps,
            ..Question::after(DAY)
        };
        question.alert.last_seen = Millis((LAST + 11) * 1000);
        assert_eq!(question.judge(), Judgement::Reappeared);
        // who calls it clean and probes at once is not told on the same day
        let midnight = (LAST + 10) / DAY * DAY + DAY;
        question.now = midnight - 1;
        assert_eq!(question.judge(), Judgement::Wait);
        question.now = midnight;
        assert_eq!(question.judge(), Judgement::Reappeared);
    }
}

#[test]
fn what_stands_behind_an_address_decides_whether_silence_proves_anything() {
    for (source, doubt) in [
        ("203.0.113.7", None),
        ("203.0.113.130", Some(Doubt::Dynamic)),
        ("203.0.113.200", Some(Doubt::Shared)),
        ("45.0.0.1", Some(Doubt::UnknownUse)),
    ] {
        let question = Question {
            alert: alert(source),
            ..Question::after(DAY)
        };
        assert_eq!(question.doubt(), doubt, "{source}");
    }
}

#[test]
fn only_hosts_are_confirmed() {
    let mut question = Question::after(9 * DAY);
    question.alert.subject = Subject::Victim {
        victim: "203.0.113.7".to_owned(),
        asn: None,
    };
    assert_eq!(question.judge(), Judgement::Wait);
}

#[test]
fn too_little_evidence_has_no_rate() {
    for packets in [0, 1] {
        let mut question = Question::after(DAY);
        question.alert.evidence.packets = packets;
        assert_eq!(question.doubt(), Some(Doubt::FewPackets));
    }
}

#[test]
fn sensors_must_be_up_and_spools_empty() {
    let now = LAST + DAY;
    let behind = now - 3_601;
    let cases = [
        (vec![mark("jp-1", behind)], "its own sensor is behind"),
        (vec![], "its own sensor was not heard of"),
        (
            vec![mark("jp-1", now), mark("th-1", behind)],
            "another one still holds something",
        ),
    ];
    for (watermarks, what) in cases {
        let early = Question {
            watermarks: watermarks.clone(),
            ..Question::after(DAY)
        };
        assert_eq!(early.judge(), Judgement::Wait, "{what}");
    }
    let mut late = Question::after(QUIET);
    late.watermarks.push(mark("th-1", late.now - 2 * DAY));
    let doubt = late.doubt().expect("a doubt");
    assert_eq!(doubt, Doubt::Behind(sensor("th-1")));
    assert!(!doubt.text().contains("th-1"), "partners read it");
    let mut gone = Question::after(QUIET);
    gone.watermarks.push(mark("old", gone.now - 15 * DAY));
    let judgement = gone.judge();
    assert!(
        matches!(judgement, Judgement::Confirmed { .. }),
        "what it holds is refused anyway"
    );
}

#[test]
fn nothing_is_confirmed_during_maintenance_and_its_time_does_not_count() {
    let now = LAST + DAY;
    let mut question = Question::after(DAY);
    question.maintenance.push(maintenance(now - 100, now + 100));
    assert_eq!(question.judge(), Judgement::Wait);
    question.maintenance = vec![maintenance(LAST + 100, LAST + 200)];
    assert!(matches!(question.judge(), Judgement::Confirmed { .. }));
    let silent = Silent {
        alert: &question.alert,
        standing: &Standing::default(),
        sensors: &question.sensors,
    };
    let sky = Sky {
        watermarks: &question.watermarks,
        maintenance: &question.maintenance,
        now,
    };
    let stretches = silent.stretches(&sky);
    assert_eq!(stretches.active, LAST - DAY..LAST + 1);
    assert_eq!(
        stretches.silent,
        [LAST + 1..LAST + 100, LAST + 200..now - 10],
        "up to what is complete"
    );
}

#[test]
fn waiting_ends_with_the_reason_and_proof_may_still_come() {
    let mut question = Question::after(QUIET);
    question.watched.silent = 1.0;
    assert_eq!(question.doubt(), Some(Doubt::Coverage));
    let Judgement::Quiet { probability, .. } = question.judge() else {
        panic!("it stays quiet");
    };
    assert_eq!(probability, Some((-0.1_f64).exp()));
    question.steps.push(Event::StayQuiet);
    assert_eq!(question.judge(), Judgement::Wait, "said once");
    question.watched.silent = 100.0;
    assert!(matches!(question.judge(), Judgement::Confirmed { .. }));
}
