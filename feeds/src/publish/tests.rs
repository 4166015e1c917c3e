use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject, Tlp};
use noroshi_store::registry::partner::StixMarkings;
use noroshi_store::remedy::{Event, Standing};

use super::*;

const AUDIENCE: Audience<'static> = Audience {
    centre: "Noroshi",
    partner: "th-cert",
    country: "TH",
    markings: StixMarkings::Tlp2,
};

fn alert() -> Alert {
    Alert {
        id: Uuid::from_u128(7),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: Some("th-cert".to_owned()),
        country: Some("TH".to_owned()),
        attribution: None,
        opened_at: Millis(1_793_599_210_000),
        first_seen: Millis(1_793_599_202_345),
        last_seen: Millis(1_793_599_209_900),
        detected_at: Millis(1_793_599_210_000),
        subject: Subject::Source {
            source: "203.0.113.7".parse().unwrap(),
            asn: None,
        },
        evidence: Evidence::default(),
        reason_code: "mirai_syn".to_owned(),
        explanation: String::new(),
        exercise: false,
    }
}

fn rendered(shown: &Shown, at: u64) -> Rendered {
    Rendered {
        at: Millis(at),
        partner: PartnerId::new("th-cert").unwrap(),
        imported: false,
        withdrawn: shown.alert.state == State::Withdrawn,
        objects: objects(shown, &AUDIENCE),
    }
}

fn withdrawn() -> Shown {
    let mut standing = Standing::default();
    standing.take(Event::Withdraw, Millis(1), "a mistake", None);
    Shown::new(alert(), Some(standing))
}

/// What a store knows after these were published.
fn learn(known: &mut BTreeMap<(String, String), Known>, news: &[Publication]) {
    for one in news {
        let last = Known {
            version: one.version.unwrap_or_default(),
            content: one.content,
            revoked: one.revoked,
        };
        known.insert((one.partner.as_str().to_owned(), one.id.clone()), last);
    }
}

fn of_kind<'a>(news: &'a [Publication], kind: &str) -> Vec<&'a Publication> {
    news.iter().filter(|one| one.kind == kind).collect()
}

const AT: u64 = 1_793_700_000_000;

#[test]
fn what_says_nothing_new_is_not_published() {
    let shown = Shown::new(alert(), None);
    let mut known = BTreeMap::new();
    let first = news(vec![rendered(&shown, AT)], &known);
    assert_eq!(of_kind(&first, "indicator").len(), 1);
    assert_eq!(of_kind(&first, "report"), Vec::<&Publication>::new());
    learn(&mut known, &first);
    assert_eq!(news(vec![rendered(&shown, AT + 5)], &known), []);
}

#[test]
fn a_change_is_a_later_version_even_within_a_millisecond() {
    let mut known = BTreeMap::new();
    let first = news(vec![rendered(&Shown::new(alert(), None), AT)], &known);
    learn(&mut known, &first);
    let mut changed = alert();
    changed.evidence.packets = 99;
    let again = news(vec![rendered(&Shown::new(changed, None), AT)], &known);
    let kinds: Vec<&str> = again.iter().map(|one| one.kind).collect();
    assert_eq!(
        kinds,
        ["observed-data", "sighting"],
        "only what counts packets"
    );
    let version = Some(Millis(AT + 1));
    assert!(again.iter().all(|one| one.version == version));
    assert!(
        again[0]
            .body
            .contains(r#""modified":"2026-11-03T10:00:00.001Z""#)
    );
}

#[test]
fn what_is_revoked_stays_so() {
    let mut known = BTreeMap::new();
    let first = news(vec![rendered(&Shown::new(alert(), None), AT)], &known);
    learn(&mut known, &first);
    let revoked = news(vec![rendered(&withdrawn(), AT + 9)], &known);
    assert!(!revoked.is_empty() && revoked.iter().all(|one| one.revoked));
    let versioned = first.iter().filter(|one| {
        matches!(
            one.kind,
            "indicator" | "observed-data" | "relationship" | "sighting"
        )
    });
    assert_eq!(
        revoked.len(),
        versioned.count(),
        "each of them, and no report"
    );
    learn(&mut known, &revoked);
    let mut late = withdrawn();
    late.alert.evidence.packets = 1_000;
    assert_eq!(news(vec![rendered(&late, AT + 99)], &known), []);
}

#[test]
fn what_nobody_read_is_not_taken_back() {
    assert_eq!(news(vec![rendered(&withdrawn(), AT)], &BTreeMap::new()), []);
}

#[test]
fn what_alerts_share_is_published_once() {
    let mut other = alert();
    other.id = Uuid::from_u128(8);
    let cases = [alert(), other].map(|alert| rendered(&Shown::new(alert, None), AT));
    let news = news(cases.to_vec(), &BTreeMap::new());
    for kind in ["identity", "marking-definition", "location", "ipv4-addr"] {
        assert_eq!(of_kind(&news, kind).len(), 1, "{kind}");
    }
    assert_eq!(of_kind(&news, "indicator").len(), 2);
}

#[test]
fn a_case_is_told_in_its_last_state_alone() {
    let cursor = |text: &str| text.parse::<ChangeCursor>().unwrap();
    let mut later = alert();
    later.state = State::Closed;
    let mut other = alert();
    other.id = Uuid::from_u128(8);
    let changes = [("1000", alert()), ("2000", other), ("3000", later)].map(|(at, alert)| {
        let place = cursor(&format!("{at}/{}/1", alert.id));
        (place, Shown::new(alert, None))
    });
    let last = last_states(changes.to_vec());
    let told: Vec<_> = last
        .iter()
        .map(|(at, shown)| (at.0, shown.alert.id.as_u128(), shown.alert.state))
        .collect();
    assert_eq!(told, [(2, 8, State::New), (3, 7, State::Closed)]);
}
