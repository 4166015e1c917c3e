//! Groups of sources: for the centre's analysts alone, by country, without an address.

use super::*;
use crate::finding::Group;

fn group(at: u64, countries: &[(Option<&str>, u64)]) -> Finding {
    let country = |code: &Option<&str>| code.and_then(Country::new);
    let countries = countries
        .iter()
        .map(|(code, sources)| (country(code), *sources));
    Finding {
        kind: Kind::CoordinatedScan,
        about: About::Group(Group {
            service: TELNET,
            countries: countries.collect(),
        }),
        sources: Some(40),
        usual: Some(10.0),
        fingerprint: None,
        reason: Reason::RhythmGroup,
        ..bot("203.0.113.7", at)
    }
}

#[test]
fn a_group_is_told_to_the_centre_alone() {
    let mut alerts = alerts();
    let outcomes = merge(
        &mut alerts,
        vec![group(START, &[(Some("TH"), 30), (None, 8)])],
        START,
    );
    let told = opened(&outcomes);
    assert_eq!(told.len(), 1, "whatever partners are registered");
    assert_eq!(
        (told[0].partner.as_deref(), told[0].country.as_deref()),
        (None, None)
    );
    assert!(told[0].attribution.is_none());
    let text = serde_json::to_string(&told[0]).expect("an alert is JSON");
    assert!(text.contains(r#""countries":{"TH":30,"ZZ":8}"#), "{text}");
    assert!(
        text.contains(r#""subject":{"service":"tcp/23","scope":"region"}"#),
        "{text}"
    );
    assert!(!text.contains("203.0.113."), "no address: {text}");
}

#[test]
fn a_group_that_goes_on_is_one_case_with_the_most_of_each_country() {
    let mut alerts = alerts();
    let later = START + 1_800;
    merge(&mut alerts, vec![group(START, &[(Some("TH"), 30)])], START);
    let more = [(Some("MY"), 7), (Some("TH"), 20)];
    let outcomes = merge(&mut alerts, vec![group(later, &more)], later);
    assert!(outcomes.is_empty(), "nobody is told again");
    let changed = alerts.checkpoint();
    assert_eq!(changed.len(), 1);
    let alert = changed[0].clone().into_numbered().alert;
    let countries: Vec<_> = alert.evidence.countries.into_iter().collect();
    assert_eq!(countries, [("MY".to_owned(), 7), ("TH".to_owned(), 30)]);
}
