//! Who reads the alerts of a prefix and scans from it, to learn which of his packets met a telescope,
//! learns of two: the first that was told, and the last of a day.

use noroshi_store::origin::PartnerId;
use proptest::prelude::*;

use super::*;

/// Ten-minute slots from noon to midnight, in UTC.
const SLOTS: usize = 72;
const SLOT: u64 = 600;

/// What his own partner is told from noon to midnight, and then in the first hour of the next day,
/// when in these slots so many of his packets met a telescope.
fn told(met: &[u64]) -> (Vec<Alert>, Vec<Alert>) {
    let mut alerts = alerts();
    let mut days = (Vec::new(), Vec::new());
    for (slot, packets) in met.iter().enumerate() {
        let at = START + slot as u64 * SLOT;
        let mut outcomes = alerts.advance_to(at);
        if *packets > 0 {
            let probes = Finding {
                packets: *packets,
                targets: *packets,
                ..bot("203.0.113.7", at)
            };
            outcomes.extend(merge(&mut alerts, vec![probes], at));
        }
        outcomes.extend(alerts.checkpoint());
        let told = outcomes
            .into_iter()
            .filter(|outcome| !matches!(outcome, Outcome::Kept(_)));
        let day = if slot < SLOTS {
            &mut days.0
        } else {
            &mut days.1
        };
        day.extend(told.map(|outcome| outcome.into_numbered().alert));
    }
    days
}

proptest! {
    #[test]
    fn a_code_of_packets_is_not_read_back(
        code in prop::collection::vec(prop_oneof![Just(0), 1_u64..200], SLOTS - 1)
    ) {
        let mut met = vec![10];
        met.extend(code);
        met.extend([10, 0, 0, 10, 0, 0]);
        let (first, next) = told(&met);
        let mut nothing = vec![10];
        nothing.extend([0; SLOTS - 1]);
        prop_assert_eq!(&first, &told(&nothing).0, "the code shows");
        prop_assert_eq!(first.len(), 1);
        prop_assert_eq!(next.len(), 1, "one more pair a day");
    }
}

#[test]
fn what_is_kept_meanwhile_says_it_all() {
    let mut alerts = alerts();
    merge(&mut alerts, vec![bot("203.0.113.7", START)], START);
    let at = START + SLOT;
    merge(&mut alerts, vec![bot("203.0.113.7", at)], at);
    let [Outcome::Kept(kept)] = &alerts.checkpoint()[..] else {
        panic!("it is kept and not told");
    };
    assert_eq!(kept.alert.evidence.packets, 20);
    assert_eq!(kept.version, 2);
}

#[test]
fn what_becomes_more_urgent_is_told_at_once() {
    let mut alerts = alerts();
    merge(&mut alerts, vec![bot("203.0.113.7", START)], START);
    alerts.checkpoint();
    let at = START + SLOT;
    let urgent = Finding {
        fingerprint: None,
        reason: Reason::Scan,
        ..bot("203.0.113.7", at)
    };
    merge(&mut alerts, vec![urgent], at);
    let case = alerts.cases.values_mut().next().expect("one");
    case.alert.severity = Severity::High;
    assert!(matches!(alerts.checkpoint()[..], [Outcome::Continued(_)]));
}

#[test]
fn who_calls_a_case_false_reads_nothing_of_what_was_seen_since() {
    let host = "203.0.113.7";
    let now = |at: u64| Millis(at * 1_000);
    let refuted = |until: u64| Heard {
        suppressions: vec![Suppression {
            partner: PartnerId::new("th-cert").expect("an id"),
            subject: host.to_owned(),
            reason_code: "mirai_syn".to_owned(),
            until: now(until),
        }],
        ..Heard::default()
    };
    let mut alerts = alerts();
    merge(&mut alerts, vec![bot(host, START)], START);
    let at = START + SLOT;
    merge(&mut alerts, vec![bot(host, at)], at);
    let outcomes = alerts.hear(refuted(START + 30 * 86_400), now(at));
    assert!(
        matches!(outcomes[..], [Outcome::Disputed(_)]),
        "it is closed as it was told: {outcomes:?}"
    );
    // taken back at once, it is not opened again to tell of the next packet
    let midnight = START / 86_400 * 86_400 + 86_400;
    for at in [at + SLOT, midnight - SLOT] {
        assert_eq!(alerts.hear(Heard::default(), now(at)), []);
        assert_eq!(merge(&mut alerts, vec![bot(host, at)], at), []);
    }
    alerts.hear(Heard::default(), now(midnight));
    let outcomes = merge(&mut alerts, vec![bot(host, midnight)], midnight);
    assert_eq!(opened(&outcomes).len(), 1, "{outcomes:?}");
}
