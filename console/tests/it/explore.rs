//! Single sources: asked for with a purpose, a partner's with a case, and never a target.

use noroshi_store::alert::State;
use uuid::Uuid;

use crate::desk::{Browser, Desk, HOST, host};
use crate::scans::{MORNING, Scan, target};

const NOBODYS: &str = "192.0.2.1";
const THEIRS: &str = "198.51.100.9";
const WHY: &str = "who began the wave of this morning";

const SCANS: [Scan<'static>; 4] = [
    (NOBODYS, None, 64_500, 23, 30),
    (THEIRS, Some("my-cert"), 64_502, 23, 20),
    (HOST, Some("th-cert"), 64_501, 23, 40),
    ("203.0.113.8", Some("th-cert"), 64_501, 2_323, 10),
];

async fn seen() -> Desk {
    let desk = Desk::open().await;
    desk.saw("jp-1", MORNING, &SCANS).await;
    desk.saw("jp-2", MORNING + 10, &SCANS[..1]).await;
    desk
}

async fn state(browser: &mut Browser, case: &str) -> u16 {
    let token = browser.token().await;
    let fields = [("token", token.as_str()), ("purpose", WHY), ("case", case)];
    browser.post("/explore/purpose", &fields).await.status
}

fn pages(address: &str) -> [String; 3] {
    let one = format!("/explore/sources/{address}");
    [
        one.clone(),
        format!("{one}/rows"),
        format!("{one}/rows.csv"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn sensors_and_networks_are_sums_that_lead_on() {
    let desk = seen().await;
    let mut viewer = desk.signed_in("viewer").await;
    let sensors = viewer.get("/explore/sensors?service=tcp/23").await;
    assert_eq!(sensors.status, 200);
    for fact in ["jp-1", "jp-2", "75.0 %", "25.0 %"] {
        assert!(sensors.body.contains(fact), "{fact}: {}", sensors.body);
    }
    let networks = viewer.get("/explore/networks?sensor=jp-1").await;
    assert!(networks.body.contains("AS64501") && networks.body.contains("50.0 %"));
    let one = viewer.get("/explore/networks?asn=64501").await;
    assert!(
        !one.body.contains("203.0.113.0/24"),
        "to a viewer a network is too near to one"
    );
    for page in ["sensors", "networks"] {
        let path = format!("/explore/{page}?network=203.0.113.0/24");
        assert_eq!(viewer.get(&path).await.status, 400, "{path}");
    }
    assert!(
        !viewer
            .get("/explore")
            .await
            .body
            .contains("/explore/sources")
    );
    let mut analyst = desk.signed_in("analyst").await;
    for page in ["sensors", "networks", "sources"] {
        let path = format!("/explore/{page}?network=203.0.113.7/32");
        assert_eq!(
            analyst.get(&path).await.status,
            400,
            "the sum of one: {path}"
        );
    }
    let one = analyst.get("/explore/networks?asn=64501").await;
    assert!(one.body.contains("203.0.113.0/24"), "{}", one.body);
    assert!(one.body.contains("/explore/sources?asn=64501"));
    for scan in SCANS {
        assert!(!one.body.contains(&format!("{}<", scan.0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_single_source_is_shown_before_a_purpose_and_no_partners_without_its_case() {
    let desk = seen().await;
    desk.record(host(1, Some("th-cert"), HOST)).await;
    let mut closed = host(2, Some("my-cert"), THEIRS);
    closed.state = State::Closed;
    desk.record(closed).await;
    desk.record(host(3, None, NOBODYS)).await;
    let case = |number| Uuid::from_u128(number).to_string();
    let mut analyst = desk.signed_in("analyst").await;
    let before = analyst.get("/explore/sources").await;
    assert!(
        SCANS.iter().all(|scan| !before.body.contains(scan.0)),
        "no purpose yet"
    );
    for path in pages(NOBODYS) {
        let page = analyst.get(&path).await;
        assert!(
            page.body.contains("/explore/purpose") && !page.body.contains("40123"),
            "{path}"
        );
    }
    assert!(
        desk.audit()
            .await
            .iter()
            .all(|(_, what, _)| !what.contains(" view "))
    );
    // a purpose opens what is nobody's, and sums the rest
    assert_eq!(state(&mut analyst, "").await, 303);
    let list = analyst.get("/explore/sources").await;
    assert!(list.body.contains(NOBODYS), "{}", list.body);
    for other in [HOST, THEIRS, "203.0.113.8"] {
        assert!(!list.body.contains(other), "{other}");
        for path in pages(other) {
            let page = analyst.get(&path).await;
            assert!(
                page.body.contains("/explore/purpose") && !page.body.contains("40123"),
                "{path}"
            );
        }
    }
    assert!(list.body.contains("Sources of partners, as sums"));
    // a case opens its partner's, and nobody else's
    for wrong in [case(2), case(3), case(9), "x".to_owned()] {
        assert_eq!(
            state(&mut analyst, &wrong).await,
            400,
            "closed, nobody's, none: {wrong}"
        );
    }
    assert_eq!(state(&mut analyst, &case(1)).await, 303);
    let list = analyst.get("/explore/sources").await;
    assert!(list.body.contains(HOST) && list.body.contains("203.0.113.8"));
    assert!(!list.body.contains(THEIRS), "another partner's stay a sum");
    assert!(!analyst.get(&pages(THEIRS)[0]).await.body.contains("40123"));
    let rows = analyst.get(&pages(HOST)[1]).await;
    assert!(
        rows.body.contains("40123") && rows.body.contains("mirai"),
        "{}",
        rows.body
    );
    // another session knows nothing of it
    let mut other = desk.signed_in("operator").await;
    assert!(!other.get("/explore/sources").await.body.contains(HOST));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_view_of_sources_is_written_down_for_its_owner() {
    let desk = seen().await;
    desk.record(host(1, Some("th-cert"), HOST)).await;
    let case = Uuid::from_u128(1).to_string();
    let mut analyst = desk.signed_in("analyst").await;
    assert_eq!(state(&mut analyst, &case).await, 303);
    analyst.get("/explore/sources").await;
    for path in pages(HOST).into_iter().chain(pages(NOBODYS)) {
        assert_eq!(analyst.get(&path).await.status, 200, "{path}");
    }
    let audit = desk.audit().await;
    let count = |owner: &str| {
        let begins = format!("console view {owner} ");
        let views = audit.iter().filter(|(who, what, why)| {
            who == "analyst:analyst"
                && what.starts_with(&begins)
                && what.contains(&case)
                && why == WHY
        });
        views.count()
    };
    assert_eq!((count("th-cert"), count("(centre)")), (4, 4), "{audit:?}");
    assert_eq!(count("my-cert"), 0);
    let path = "/explore/sources?sensor=jp-1&service=tcp/23";
    assert!(analyst.get(path).await.body.contains(HOST));
    let audit = desk.audit().await;
    let names_it = |(_, what, _): &&(String, String, String)| what.contains(" jp-1");
    let named: Vec<_> = audit.iter().filter(names_it).collect();
    assert!(
        named.len() == 1 && named[0].1.starts_with("console view (centre) "),
        "{named:?}"
    );
    let mine = desk.signed_in("th-cert").await.get("/mine").await;
    assert!(mine.body.contains(WHY) && mine.body.contains(&format!("rows {HOST}")));
    assert!(
        !desk
            .signed_in("my-cert")
            .await
            .get("/mine")
            .await
            .body
            .contains(WHY)
    );
    // what is refused is told to its owner, without the case of another that was named
    analyst.get(&pages(THEIRS)[0]).await;
    let theirs = desk.signed_in("my-cert").await.get("/mine").await;
    assert!(theirs.body.contains(WHY) && theirs.body.contains(&format!("refused source {THEIRS}")));
    assert!(!theirs.body.contains(&case), "{}", theirs.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_leads_to_its_rows_and_they_hold_no_target() {
    let desk = seen().await;
    desk.record(host(1, None, NOBODYS)).await;
    let mut analyst = desk.signed_in("analyst").await;
    assert_eq!(state(&mut analyst, "").await, 303);
    let one = analyst.get(&pages(NOBODYS)[0]).await;
    for fact in [
        "jp-1",
        "jp-2",
        "tcp/23",
        "sensor=jp-2",
        "service=tcp/23",
        "/alerts/",
    ] {
        assert!(one.body.contains(fact), "{fact}");
    }
    let rows = analyst
        .get(&format!("{}?sensor=jp-2", pages(NOBODYS)[1]))
        .await;
    assert!(
        rows.body.contains("2026-11-02 06:00:10") && !rows.body.contains("2026-11-02 06:00:00<")
    );
    let csv = analyst.get(&pages(NOBODYS)[2]).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].starts_with(
            "2026-11-02T06:00:10.345Z,2000,jp-2,tcp/23,scan_syn,30,1200,1,40123,50,51,"
        )
    );
    for page in pages(NOBODYS) {
        assert!(!analyst.get(&page).await.body.contains(&target()), "{page}");
    }
    for wrong in ["/explore/sources/nobody", "/explore/sources/192.0.2.0%2F24"] {
        assert_eq!(analyst.get(wrong).await.status, 404, "{wrong}");
    }
    for wrong in ["page=0", "page=999", "service=x", "start=5&end=1"] {
        let path = format!("{}?{wrong}", pages(NOBODYS)[1]);
        assert_eq!(analyst.get(&path).await.status, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_page_by_page() {
    let desk = Desk::open().await;
    for number in 0..101 {
        desk.saw("jp-1", MORNING + number * 10, &SCANS[..1]).await;
    }
    let mut analyst = desk.signed_in("analyst").await;
    assert_eq!(state(&mut analyst, "").await, 303);
    let first = analyst.get(&pages(NOBODYS)[1]).await;
    assert!(
        first.body.contains("2026-11-02 06:16:40") && !first.body.contains("2026-11-02 06:00:00")
    );
    assert!(first.body.contains("page=2"));
    let second = analyst.get(&format!("{}?page=2", pages(NOBODYS)[1])).await;
    assert!(second.body.contains("2026-11-02 06:00:00") && !second.body.contains("page=3"));
}
