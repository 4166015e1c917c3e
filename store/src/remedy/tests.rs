use proptest::prelude::*;

use super::*;

/// State × event → state; `.` where nothing changes. Every pair there is.
const TABLE: &str = "
                acknowledge   notify    clean     resolve   disown    refute          note            confirm    stay_quiet  reappear   withdraw
delivered       acknowledged  notified  cleaning  resolved  not_ours  false_positive  delivered       .          .           .          withdrawn
acknowledged    .             notified  cleaning  resolved  not_ours  false_positive  acknowledged    .          .           .          withdrawn
notified        .             .         cleaning  resolved  not_ours  false_positive  notified        .          .           .          withdrawn
cleaning        .             .         .         resolved  not_ours  false_positive  cleaning        .          .           .          withdrawn
resolved        .             .         .         .         .         false_positive  resolved        confirmed  quiet       delivered  withdrawn
confirmed       .             .         .         .         .         .               confirmed       .          .           delivered  withdrawn
quiet           .             .         .         .         .         false_positive  quiet           confirmed  .           delivered  withdrawn
not_ours        acknowledged  .         .         .         .         false_positive  not_ours        .          .           .          withdrawn
false_positive  acknowledged  .         .         .         not_ours  .               false_positive  .          .           .          withdrawn
withdrawn       .             .         .         .         .         .               withdrawn       .          .           .          .
";

#[test]
fn every_state_answers_every_event_as_the_table_says() {
    let mut lines = TABLE.trim_matches('\n').lines();
    let events: Vec<Event> = lines
        .next()
        .expect("a header")
        .split_whitespace()
        .map(|name| Event::named(name).expect(name))
        .collect();
    assert_eq!(events, Event::ALL, "the table has a column for each event");
    let mut states = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let name = words.next().expect("a state");
        let state = Remedy::ALL.into_iter().find(|state| state.name() == name);
        let state = state.expect(name);
        states.push(state);
        for event in &events {
            let expected = words.next().expect("a cell for each event");
            let after = state.after(*event).map_or(".", Remedy::name);
            assert_eq!(after, expected, "{state} × {}", event.name());
        }
    }
    assert_eq!(states, Remedy::ALL, "the table has a line for each state");
}

#[test]
fn what_is_impossible_says_why() {
    let error = Remedy::Confirmed.after(Event::Acknowledge).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the case is confirmed: it cannot become acknowledged"
    );
}

#[test]
fn partners_are_shown_the_centres_reasons_and_no_notes() {
    let mut standing = Standing::default();
    assert!(standing.take(Event::Resolve, Millis(1_000), "call Anan", None));
    let shown = serde_json::to_string(&standing).unwrap();
    assert_eq!(
        shown,
        r#"{"state":"resolved","since":"1970-01-01T00:00:01.000Z"}"#
    );
    assert!(standing.take(Event::StayQuiet, Millis(2_000), "dynamic prefix", Some(0.5)));
    let shown = serde_json::to_string(&standing).unwrap();
    assert_eq!(
        shown,
        r#"{"state":"quiet","since":"1970-01-01T00:00:02.000Z","reason":"dynamic prefix","silence_probability":0.5}"#
    );
    assert!(!standing.take(Event::Clean, Millis(3_000), "", None));
    assert_eq!(
        standing.since,
        Millis(2_000),
        "what is impossible changes nothing"
    );
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(prop::sample::select(Event::ALL.to_vec()), 0..30)
}

proptest! {
    /// Only the telescopes confirm, only after a partner's word; what is withdrawn stays so.
    #[test]
    fn whatever_happens_the_laws_hold(events in events()) {
        let mut standing = Standing::default();
        let mut resolved = false;
        for (index, event) in events.iter().enumerate() {
            let before = standing.state;
            standing.take(*event, Millis(index as u64), "", None);
            resolved |= standing.state == Remedy::Resolved;
            prop_assert!(standing.state != Remedy::Confirmed || resolved);
            prop_assert!(before != Remedy::Withdrawn || standing.state == Remedy::Withdrawn);
            if standing.state == Remedy::Confirmed && before != Remedy::Confirmed {
                prop_assert_eq!(*event, Event::Confirm);
            }
        }
    }
}
