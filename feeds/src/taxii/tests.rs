use noroshi_proto::time::Millis;
use noroshi_store::stix::{Published, Versions, Wanted};
use proptest::prelude::*;
use uuid::Uuid;

use super::answer::{Page, added};
use super::question::{OBJECTS_MAX, Question, VALUES_MAX};
use super::*;
use crate::key::Key;

fn key() -> Key {
    Key::new([7; 32])
}
const COLLECTION: Uuid = Uuid::from_u128(1);

fn wanted(query: &str) -> Result<Option<Wanted>, String> {
    Question::read(query)?.wanted(&key(), COLLECTION)
}

fn some(query: &str) -> Wanted {
    wanted(query).expect(query).expect("something may be there")
}

#[test]
fn clients_that_were_wrong_in_good_faith_are_answered() {
    for accept in [
        None,
        Some(""),
        Some("application/taxii+json;version=2.1"),
        Some("application/taxii+json; version=2.1"),
        Some("Application/TAXII+json ; Version = \"2.1\""),
        Some("application/taxii+json"),
        Some("text/html, application/taxii+json;version=2.1;q=0.9"),
        Some("application/json, text/plain, */*"),
        Some("*/*"),
    ] {
        assert!(is_acceptable(accept), "{accept:?}");
    }
    for accept in [
        "application/json",
        "application/taxii+json;version=2.0",
        "application/vnd.oasis.taxii+json; version=2.0",
        "application/stix+json;version=2.1",
        "text/*",
        "?",
    ] {
        assert!(!is_acceptable(Some(accept)), "{accept:?}");
    }
    assert!(is_taxii(Some("application/taxii+json; version=2.1")));
    assert!(!is_taxii(Some("application/json")) && !is_taxii(None));
}

#[test]
fn added_after_has_any_number_of_decimals_and_any_offset() {
    for (text, millis) in [
        ("2026-11-02T06:00:00Z", 1_793_599_200_000),
        ("2026-11-02T06:00:00.1Z", 1_793_599_200_100),
        ("2026-11-02T06:00:00.123Z", 1_793_599_200_123),
        ("2026-11-02T06:00:00.123999Z", 1_793_599_200_123),
        ("2026-11-02T13:00:00%2B07:00", 1_793_599_200_000),
        ("2026-11-02T13:00:00+07:00", 1_793_599_200_000),
        ("1969-12-31T23:59:59Z", 0),
    ] {
        assert_eq!(
            some(&format!("added_after={text}")).after,
            Millis(millis),
            "{text}"
        );
    }
    for text in [
        "",
        "yesterday",
        "2026-11-02",
        "1793599200",
        "2026-11-02 06:00:00Z",
    ] {
        assert!(wanted(&format!("added_after={text}")).is_err(), "{text}");
    }
}

#[test]
fn limits_are_cut_and_nothing_is_not_asked_for() {
    for (query, limit) in [
        ("", OBJECTS_MAX),
        ("limit=7", 7),
        ("limit=99999999999999999999999", OBJECTS_MAX),
        ("limit=4294967297", OBJECTS_MAX),
    ] {
        assert_eq!(some(query).limit, limit + 1, "{query}"); // one more: is there more?
    }
    for query in ["limit=0", "limit=-1", "limit=", "limit=many", "limit=1.5"] {
        assert!(wanted(query).is_err(), "{query}");
    }
}

#[test]
fn filters_are_read_as_clients_write_them() {
    let both = some("match%5Btype%5D=indicator%2Creport&match[id]=a,b&match[future]=x&colour=red");
    assert_eq!(both.types, ["indicator", "report"]);
    assert_eq!(both.ids, ["a", "b"]);
    let last = Versions {
        last: true,
        ..Versions::default()
    };
    assert_eq!(both.versions, last, "the default");
    let some_versions = some("match[version]=first,2026-11-02T06:00:00.000Z");
    let expected = Versions {
        first: true,
        at: vec![Millis(1_793_599_200_000)],
        ..Versions::default()
    };
    assert_eq!(some_versions.versions, expected);
    assert!(some("match[version]=all").versions.all);
    assert_eq!(wanted("match[spec_version]=2.0"), Ok(None));
    assert!(wanted("match[spec_version]=2.0,2.1").unwrap().is_some());
    assert!(wanted("match[version]=latest").is_err());
    assert!(wanted("limit=1&limit=2").is_err());
    assert!(wanted(&format!("match[id]={}", "x,".repeat(VALUES_MAX))).is_err());
}

#[test]
fn next_is_later_than_the_added_after_that_comes_with_it() {
    let token = next::token(&key(), COLLECTION, Millis(1_793_599_200_123));
    let read = some(&format!("added_after=2020-01-01T00:00:00Z&next={token}"));
    assert_eq!(read.after, Millis(1_793_599_200_123));
}

#[test]
fn a_token_holds_for_its_collection_and_key_alone() {
    let place = Millis(1_793_599_200_123);
    let token = next::token(&key(), COLLECTION, place);
    assert_eq!(next::place(&key(), COLLECTION, &token), Some(place));
    assert_eq!(next::place(&key(), Uuid::from_u128(2), &token), None);
    assert_eq!(next::place(&Key::new([8; 32]), COLLECTION, &token), None);
    for cut in 0..token.len() {
        assert_eq!(
            next::place(&key(), COLLECTION, &token[..cut]),
            None,
            "{cut}"
        );
    }
    assert_eq!(
        next::place(&key(), COLLECTION, &format!("{token}AAAA")),
        None
    );
}

proptest! {
    #[test]
    fn no_query_does_harm(query in "\\PC{0,80}", token in "[A-Za-z0-9_-]{0,40}") {
        let _ = wanted(&query);
        prop_assert_eq!(next::place(&key(), COLLECTION, &token), None);
    }
}

fn published(millis: u64) -> Published {
    Published {
        added: Millis(1_793_599_200_000 + millis),
        id: format!("report--{millis}"),
        version: Millis(1_793_599_100_000),
        body: format!(r#"{{"id":"report--{millis}"}}"#),
    }
}

#[test]
fn more_and_next_come_together() {
    let three = vec![published(1), published(2), published(3)];
    let full = Page::cut(three.clone(), 3, &key(), COLLECTION);
    let envelope: serde_json::Value = serde_json::from_str(&full.envelope()).expect("JSON");
    assert_eq!(envelope["more"], true);
    assert_eq!(envelope["objects"].as_array().map(Vec::len), Some(2));
    let token = envelope["next"].as_str().expect("a token");
    assert_eq!(
        next::place(&key(), COLLECTION, token),
        Some(Millis(1_793_599_200_002)),
        "behind the last that was given"
    );
    let last = Page::cut(three, 4, &key(), COLLECTION);
    assert!(last.envelope().starts_with(r#"{"more":false,"objects":[{"#));
    assert!(last.manifest().starts_with(r#"{"more":false,"objects":[{"#));
    let span = last.span().expect("it is not empty");
    assert_eq!(span.0, "2026-11-02T06:00:00.001000Z");
    assert_eq!(span.1, "2026-11-02T06:00:00.003000Z");
}

#[test]
fn nothing_is_an_empty_object() {
    let empty = Page::cut(Vec::new(), 10, &key(), COLLECTION);
    assert_eq!(empty.envelope(), "{}");
    assert_eq!(empty.manifest(), "{}");
    assert_eq!(empty.versions(), "{}");
    assert_eq!(empty.span(), None);
}

#[test]
fn times_lie_on_whole_milliseconds_and_show_microseconds() {
    assert_eq!(
        added(Millis(1_793_599_200_007)),
        "2026-11-02T06:00:00.007000Z"
    );
}
