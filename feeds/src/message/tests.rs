use noroshi_store::alert::Tlp;

use super::sample::{alert, shown, stands};
use super::*;

fn in_state(state: State, severity: Severity) -> Shown {
    let mut alert = alert(1);
    (alert.state, alert.severity) = (state, severity);
    Shown::new(alert, None)
}

#[test]
fn a_partner_is_told_what_is_new_and_nothing_else() {
    use Event::*;
    use Severity::{High, Medium};
    use State::{Closed as Over, Continuing, New};
    let told = |event, severity| Some((event, severity));
    for (said, state, severity, expected) in [
        (None, New, Medium, Some(Opened)),
        (None, Continuing, Medium, Some(Opened)),
        (None, Over, Medium, None),
        (told(Opened, Medium), New, Medium, None),
        (told(Opened, Medium), Continuing, Medium, None),
        (told(Opened, Medium), Continuing, High, Some(Raised)),
        (told(Raised, High), Continuing, High, None),
        (told(Raised, High), Continuing, Medium, None),
        (told(Opened, Medium), Over, Medium, Some(Closed)),
        (told(Closed, Medium), Over, Medium, None),
        (told(Closed, Medium), Continuing, Medium, Some(Reopened)),
        (told(Reopened, Medium), Over, Medium, Some(Closed)),
        (told(Confirmed, Medium), Over, Medium, None),
        (told(Confirmed, Medium), Continuing, Medium, Some(Reopened)),
        (told(Withdrawn, Medium), Continuing, High, None),
    ] {
        let event = Event::of(said, &in_state(state, severity));
        assert_eq!(event, expected, "{said:?} {state:?} {severity:?}");
    }
}

#[test]
fn what_people_do_is_told_where_the_partner_did_not_do_it() {
    let said = Some((Event::Opened, Severity::Medium));
    for (remedy, expected) in [
        (Remedy::Withdrawn, Some(Event::Withdrawn)),
        (Remedy::Confirmed, Some(Event::Confirmed)),
        (Remedy::Acknowledged, None),
        (Remedy::Notified, None),
        (Remedy::Resolved, None),
        (Remedy::Quiet, None),
        (Remedy::NotOurs, None),
        (Remedy::FalsePositive, None),
    ] {
        assert_eq!(
            Event::of(said, &stands(alert(1), remedy)),
            expected,
            "{remedy}"
        );
    }
    let never_told = Event::of(None, &stands(alert(1), Remedy::Withdrawn));
    assert_eq!(never_told, None, "what was never told is not taken back");
}

#[test]
fn an_id_follows_from_what_is_said() {
    let case = shown(1).alert.id;
    let one = id("th-cert", "mail", case, Event::Closed, 7);
    assert_eq!(one, id("th-cert", "mail", case, Event::Closed, 7));
    for other in [
        id("my-cert", "mail", case, Event::Closed, 7),
        id("th-cert", "syslog", case, Event::Closed, 7),
        id("th-cert", "mail", case, Event::Raised, 7),
        id("th-cert", "mail", case, Event::Closed, 8),
        id("th-cert", "mail", shown(2).alert.id, Event::Closed, 7),
    ] {
        assert_ne!(one, other);
    }
    let opened = |version| id("th-cert", "mail", case, Event::Opened, version);
    assert_eq!(opened(1), opened(2), "a case opens once");
}

#[test]
fn a_digest_names_so_many_and_counts_the_rest() {
    let one = |number| Said {
        items: vec![Item {
            event: Event::Opened,
            alert: alert(number),
            reason: String::new(),
        }],
        ..Said::default()
    };
    let mut all = Said::default();
    for number in 0..ITEMS_MAX as u128 + 7 {
        all.take(one(number));
    }
    assert_eq!((all.items.len(), all.more), (ITEMS_MAX, 7));
    assert_eq!(all.count(), ITEMS_MAX as u64 + 7);
    let read: Said = serde_json::from_str(&all.body()).unwrap();
    assert_eq!(read, all, "it is read as it was kept");
    assert_eq!(read.items[0].alert.tlp, Tlp::Amber);
}
