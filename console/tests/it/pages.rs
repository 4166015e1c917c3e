//! What stands on pages, whatever was recorded.

use noroshi_store::alert::{Kind, Severity};
use noroshi_store::listing::PAGE;
use uuid::Uuid;

use crate::desk::{Desk, HOST, HOSTILE, host, surge};
use crate::scans::MORNING;

/// Bytes of the largest page.
const PAGE_BYTES_MAX: usize = 300_000;
const PAGES: [&str; 6] = [
    "/now",
    "/explore",
    "/alerts",
    "/alerts?state=any",
    "/shift",
    "/sensors",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_words_stay_words() {
    let desk = Desk::open().await;
    desk.record(surge(1)).await;
    let case = format!("/alerts/{}", Uuid::from_u128(1));
    let mut browser = desk.signed_in("operator").await;
    let query = format!("/alerts?country=%22%3E%3Cscript%3E&kind={}", "%3Cscript%3E");
    for path in PAGES.into_iter().chain([case.as_str(), query.as_str()]) {
        let page = browser.get(path).await;
        for tag in ["<script>", "<img", "onerror=alert(2)>"] {
            assert!(!page.body.contains(tag), "{path}: {tag}");
        }
    }
    let page = browser.get(&case).await;
    assert!(
        page.body.contains("&lt;script&gt;alert('1')"),
        "it is told as it was"
    );
    assert!(!page.body.contains(HOSTILE));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_may_load_or_run_what_is_not_its_own() {
    let desk = Desk::open().await;
    desk.record(surge(1)).await;
    let case = format!("/alerts/{}", Uuid::from_u128(1));
    let mut browser = desk.signed_in("operator").await;
    let others = [case.as_str(), "/sign-in", "/nothing", "/console.css"];
    for path in PAGES.into_iter().chain(others) {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert!(
            !page.body.contains(" style="),
            "{path}: the policy forbids it"
        );
        assert!(
            !page.body.contains("://") || path == "/mine",
            "{path} names another place"
        );
        if path != "/console.css" {
            assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_sorted_and_paged() {
    let desk = Desk::open().await;
    for number in 1..=u128::from(PAGE) + 10 {
        let address = format!("203.0.113.{number}");
        desk.record(host(number, Some("th-cert"), &address)).await;
    }
    let mut urgent = host(1_000, Some("my-cert"), "198.51.100.9");
    urgent.severity = Severity::High;
    urgent.kind = Kind::DdosVictim;
    urgent.opened_at.0 -= 86_400_000;
    desk.record(urgent).await;
    let id = Uuid::from_u128(1_000).to_string();
    let mut browser = desk.signed_in("operator").await;
    let first = browser.get("/alerts").await;
    assert!(first.body.contains("1–50 of 61"), "{}", first.body);
    assert!(!first.body.contains(&id), "the oldest is on the next page");
    assert!(browser.get("/alerts?page=2").await.body.contains(&id));
    for query in [
        "order=severity",
        "severity=high",
        "kind=ddos_victim",
        "partner=my-cert",
        "until=2026-11-01",
    ] {
        let page = browser.get(&format!("/alerts?{query}")).await;
        assert!(page.body.contains(&id), "{query}");
    }
    for query in [
        "severity=low",
        "kind=scan_surge",
        "country=SG",
        "state=closed",
        "from=2026-11-03",
        "page=9",
    ] {
        let page = browser.get(&format!("/alerts?{query}")).await;
        assert!(page.body.contains("No alert matches"), "{query}");
    }
    assert_eq!(browser.get("/alerts?kind=nothing").await.status, 400);
    for path in PAGES {
        let size = browser.get(path).await.body.len();
        assert!(size < PAGE_BYTES_MAX, "{path}: {size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_the_readers_language() {
    let desk = Desk::open().await;
    desk.record(host(1, Some("th-cert"), HOST)).await;
    let mut browser = desk.signed_in("operator").await;
    let japanese = [("accept-language", "ja,en;q=0.5")];
    for path in PAGES {
        let page = browser.ask("GET", path, &japanese, "").await;
        assert!(page.body.contains("<html lang=\"ja\">"), "{path}");
        assert!(page.body.contains("サインアウト"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_has_pages_too() {
    let desk = Desk::open().await;
    let mut browser = desk.signed_in("operator").await;
    for path in PAGES {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains("<h1>"), "{path}");
    }
    let mine = desk.signed_in("th-cert").await.get("/mine").await;
    assert!(mine.body.contains("soc@example.th"));
    assert!(mine.body.contains("https://feeds.example.org/taxii2/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_region_is_worked_out_once_a_minute_for_all() {
    let desk = Desk::open().await;
    let mut wall = desk.signed_in("viewer").await;
    let mut analyst = desk.signed_in("analyst").await;
    assert!(!wall.get("/now").await.body.contains("tcp/"));
    let scan = |port| [(HOST, None, 64_500, port, 1)];
    desk.saw("jp-1", MORNING, &scan(23)).await;
    let page = wall.get("/now").await.body;
    assert!(page.contains("tcp/23"), "what showed nothing is not kept");
    desk.saw("jp-1", MORNING + 20, &scan(445)).await;
    let page = analyst.get("/now").await.body;
    assert!(
        !page.contains("tcp/445"),
        "the wall's minute is everybody's"
    );
    desk.saw("jp-1", MORNING + 60, &scan(22)).await;
    for browser in [&mut wall, &mut analyst] {
        let page = browser.get("/now").await.body;
        for service in ["tcp/23", "tcp/445", "tcp/22"] {
            assert!(page.contains(service), "{service}");
        }
    }
}
