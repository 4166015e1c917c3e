//! The weekly report, on a real store.

use noroshi_store::remedy::Event;

use super::desk::{Desk, NORTH, SOUTH, alert};

/// The week of the desk's cases.
const LINE: &str = "GET /v1/report/2026-W45";

/// Its Monday, counted from 1970-01-01.
const DAY: u64 = 1_793_577_600_000 / 86_400_000;

/// Cases of a partner were seen on a day of that week.
async fn seen(desk: &Desk, numbers: std::ops::RangeInclusive<u128>, partner: &str) {
    let cases: Vec<_> = numbers
        .map(|number| alert(number, 1, Some(partner)))
        .collect();
    desk.observe(&cases, &[DAY]).await;
}

#[tokio::test]
async fn a_partner_reads_its_own_week() {
    let desk = Desk::open().await;
    for number in 1..=3 {
        desk.record(number, 1, Some("th-cert")).await;
    }
    desk.record(10, 1, Some("my-cert")).await;
    seen(&desk, 1..=3, "th-cert").await;
    seen(&desk, 10..=10, "my-cert").await;
    desk.step(3, "th-cert", Event::Withdraw).await;
    let authorization = format!("Bearer {NORTH}");
    let page = desk.ask(LINE, Some(&authorization)).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.body.contains("<b>2</b><span>infected hosts seen"),
        "{page:?}"
    );
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    let json = desk
        .ask(&format!("{LINE}.json"), Some(&authorization))
        .await;
    let json: serde_json::Value = serde_json::from_str(&json.body).expect("JSON");
    assert_eq!(json["infected"], 2);
    assert_eq!(json["region"][0]["others"], serde_json::Value::Null);
    let none = desk
        .ask("GET /v1/report/latest", Some(&authorization))
        .await;
    assert_eq!(none.status, 200);
    for wrong in ["2026-W60", "week", "..", "2026-W45.pdf"] {
        let line = format!("GET /v1/report/{wrong}");
        assert_eq!(
            desk.ask(&line, Some(&authorization)).await.status,
            404,
            "{wrong}"
        );
    }
    desk.close().await;
}

#[tokio::test]
async fn what_few_others_have_changes_no_byte_of_it() {
    let desk = Desk::open().await;
    desk.record(10, 1, Some("my-cert")).await;
    seen(&desk, 10..=10, "my-cert").await;
    let authorization = format!("Bearer {SOUTH}");
    let before = desk.ask(LINE, Some(&authorization)).await;
    for number in 1..=5 {
        desk.record(number, 1, Some("th-cert")).await;
    }
    desk.record(20, 1, None).await;
    seen(&desk, 1..=5, "th-cert").await;
    assert_eq!(desk.ask(LINE, Some(&authorization)).await, before);
    desk.close().await;
}
