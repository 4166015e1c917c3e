//! Two backtests side by side: what only one of them says, and what they say differently.
//!
//! Cases are the same when they are of one partner, kind and subject and overlap in time; their
//! ids differ where another threshold opened them earlier.

use std::collections::BTreeMap;

use noroshi_store::alert::{Alert, Confidence, Kind, Severity, Subject};

/// How two sets of alerts differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference<'a> {
    /// Cases that only the first has.
    pub only_first: Vec<&'a Alert>,
    /// Cases that only the second has.
    pub only_second: Vec<&'a Alert>,
    /// Cases that both have, told differently.
    pub changed: Vec<Changed<'a>>,
    /// Cases that both tell alike.
    pub same: usize,
}

/// A case that both have, told differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Changed<'a> {
    /// As the first tells it.
    pub first: &'a Alert,
    /// As the second does.
    pub second: &'a Alert,
}

impl Changed<'_> {
    /// Severity in the first and the second.
    pub fn severity(&self) -> [Severity; 2] {
        [self.first.severity, self.second.severity]
    }

    /// Confidence in the first and the second.
    pub fn confidence(&self) -> [Confidence; 2] {
        [self.first.confidence, self.second.confidence]
    }
}

/// Cases of each kind.
pub fn by_kind(alerts: &[Alert]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for alert in alerts {
        *kinds.entry(alert.kind.name()).or_default() += 1;
    }
    kinds
}

/// How two sets of alerts differ; both in the order of opening.
pub fn compare<'a>(first: &'a [Alert], second: &'a [Alert]) -> Difference<'a> {
    let mut waiting: BTreeMap<_, Vec<&Alert>> = BTreeMap::new();
    for alert in second {
        waiting.entry(key(alert)).or_default().push(alert);
    }
    let mut difference = Difference::default();
    for alert in first {
        let others = waiting.entry(key(alert)).or_default();
        let Some(index) = others.iter().position(|other| overlap(alert, other)) else {
            difference.only_first.push(alert);
            continue;
        };
        let changed = Changed {
            first: alert,
            second: others.remove(index),
        };
        if tell_alike(&changed) {
            difference.same += 1;
        } else {
            difference.changed.push(changed);
        }
    }
    let mut rest: Vec<&Alert> = waiting.into_values().flatten().collect();
    rest.sort_by_key(|alert| (alert.opened_at, alert.id));
    difference.only_second = rest;
    difference
}

fn key(alert: &Alert) -> (Option<&str>, Kind, Subject) {
    let subject = match &alert.subject {
        Subject::Source { source, .. } => Subject::Source {
            source: *source,
            asn: None,
        },
        Subject::Victim { victim, .. } => Subject::Victim {
            victim: victim.clone(),
            asn: None,
        },
        other => other.clone(),
    };
    (alert.partner.as_deref(), alert.kind, subject)
}

fn overlap(one: &Alert, other: &Alert) -> bool {
    let end = |alert: &Alert| alert.last_seen.max(alert.detected_at);
    one.first_seen <= end(other) && other.first_seen <= end(one)
}

/// Whether a partner would notice no difference but in counts and times.
fn tell_alike(changed: &Changed<'_>) -> bool {
    let [one, other] = [changed.first, changed.second];
    one.severity == other.severity
        && one.confidence == other.confidence
        && one.reason_code == other.reason_code
}

#[cfg(test)]
mod tests {
    use noroshi_proto::time::Millis;
    use noroshi_store::alert::{Evidence, State, Tlp};
    use uuid::Uuid;

    use super::*;

    fn alert(number: u128, source: &str, minutes: std::ops::Range<u64>) -> Alert {
        let at = |minute: u64| Millis(1_793_620_800_000 + minute * 60_000);
        Alert {
            id: Uuid::from_u128(number),
            kind: Kind::InfectedHost,
            state: State::New,
            severity: Severity::Medium,
            confidence: Confidence::Medium,
            tlp: Tlp::Amber,
            partner: Some("th-cert".to_owned()),
            country: None,
            attribution: None,
            opened_at: at(minutes.start),
            first_seen: at(minutes.start),
            last_seen: at(minutes.end),
            detected_at: at(minutes.end),
            subject: Subject::Source {
                source: source.parse().expect("an address"),
                asn: Some(number as u32),
            },
            evidence: Evidence::default(),
            reason_code: "mirai_syn".to_owned(),
            explanation: String::new(),
            exercise: false,
        }
    }

    #[test]
    fn cases_are_matched_by_whom_what_and_when() {
        let first = [
            alert(1, "203.0.113.1", 0..10),
            alert(2, "203.0.113.2", 0..10),
            alert(3, "203.0.113.3", 0..10),
            alert(4, "203.0.113.4", 0..10),
        ];
        let mut surer = alert(12, "203.0.113.2", 5..12);
        surer.confidence = Confidence::High;
        let mut other_kind = alert(13, "203.0.113.3", 0..10);
        other_kind.kind = Kind::ScanningHost;
        let second = [
            alert(11, "203.0.113.1", 3..10),
            surer,
            other_kind,
            alert(14, "203.0.113.4", 20..30),
        ];
        let difference = compare(&first, &second);
        let ids = |alerts: &[&Alert]| -> Vec<u128> {
            alerts.iter().map(|alert| alert.id.as_u128()).collect()
        };
        assert_eq!(difference.same, 1, "another id and AS is the same case");
        assert_eq!(ids(&difference.only_first), [3, 4]);
        assert_eq!(ids(&difference.only_second), [13, 14]);
        let [changed] = difference.changed.as_slice() else {
            panic!("{difference:?}");
        };
        assert_eq!(changed.confidence(), [Confidence::Medium, Confidence::High]);
        assert_eq!(
            by_kind(&second),
            BTreeMap::from([("infected_host", 3), ("scanning_host", 1)])
        );
    }

    #[test]
    fn a_backtest_compared_with_itself_differs_in_nothing() {
        let alerts = [
            alert(1, "203.0.113.1", 0..10),
            alert(2, "203.0.113.1", 20..30),
        ];
        let difference = compare(&alerts, &alerts);
        assert_eq!(
            difference,
            Difference {
                same: 2,
                ..Difference::default()
            }
        );
    }
}
