//! What a week comes to, and what of others shows.

use noroshi_proto::time::Millis;
use noroshi_store::registry::Registry;

use super::*;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn week() -> Week {
    "2026-W45".parse().expect("a week")
}

fn partner() -> Partner {
    let registry = Registry::parse(
        "registry.toml",
        "[[partner]]\nid = \"th-cert\"\nname = \"Thai <CERT>\"\ncountry = \"TH\"\n",
    );
    registry.expect("a registry").partners()[0].clone()
}

fn case(kind: &str, state: &str, from_hour: i64, hours: u64) -> Reported {
    let start = week()
        .start()
        .0
        .saturating_add_signed(from_hour * HOUR as i64);
    Reported {
        kind: kind.to_owned(),
        state: state.to_owned(),
        severity: "medium".to_owned(),
        subject: "203.0.113.7".to_owned(),
        asn: 64_500,
        family: "mirai".to_owned(),
        opened_at: Millis(start),
        first_seen: Millis(start),
        last_seen: Millis(start + hours * HOUR),
        days: (start / DAY..=(start + hours * HOUR) / DAY).collect(),
    }
}

fn others(partners: u64, cases: u64) -> Others {
    Others {
        kind: "infected_host".to_owned(),
        partners,
        cases,
    }
}

#[test]
fn a_week_is_counted() {
    let cases = [
        case("infected_host", "continuing", -30, 60),
        case("infected_host", "closed", 1, 10),
        case("infected_host", "closed", 50, 20),
        case("ddos_victim", "closed", 70, 1),
        case("scan_surge", "continuing", 20, 3),
        case("scanning_host", "new", 3, 3),
    ];
    let report = Report::new(&partner(), week(), &cases, &[]);
    assert_eq!((report.infected, report.infected_new), (3, 2));
    assert_eq!(report.infected_by_day, [2, 1, 1, 0, 0, 0, 0]);
    assert_eq!(report.median_hours_to_clean, Some(20));
    assert_eq!(report.by_asn, [(64_500, 3)]);
    assert_eq!(report.by_family, [("mirai".to_owned(), 3)]);
    assert_eq!(report.oldest.len(), 1);
    assert_eq!((report.victims_count, report.surges_count), (1, 1));
    let page = report.html(Texts::english());
    assert!(
        page.contains("Thai &lt;CERT&gt;") && !page.contains("<CERT>"),
        "{page}"
    );
    assert!(page.contains("TLP:AMBER"));
}

#[test]
fn an_empty_week_is_a_report_too() {
    let report = Report::new(&partner(), week(), &[], &[others(9, 900)]);
    assert_eq!(report.infected, 0);
    assert_eq!(report.median_hours_to_clean, None);
    assert!(report.region.is_empty());
    assert!(report.html(Texts::english()).contains("None this week."));
}

#[test]
fn others_show_only_as_many_and_rounded() {
    let cases = [case("infected_host", "new", 1, 1)];
    let told = |partners, cases_of_others| {
        let others = [others(partners, cases_of_others)];
        Report::new(&partner(), week(), &cases, &others).region[0].others
    };
    assert_eq!(told(5, 12), Some(10));
    assert_eq!(told(5, 13), Some(15));
    assert_eq!(told(4, 1_000), None);
    assert_eq!(told(5, 4), None);
}

#[test]
fn where_others_are_few_the_report_is_the_same_whatever_they_had() {
    let cases = [case("infected_host", "new", 1, 1)];
    let without = Report::new(&partner(), week(), &cases, &[]);
    for (partners, count) in [(1, 1), (1, 1_000_000), (4, 77)] {
        let with = Report::new(&partner(), week(), &cases, &[others(partners, count)]);
        assert_eq!(with, without);
        assert_eq!(with.html(Texts::english()), without.html(Texts::english()));
    }
}
