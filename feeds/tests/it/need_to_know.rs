//! Nobody learns anything of anybody else, by any route.

use noroshi_feeds::misp;
use noroshi_feeds::taxii::collection;
use noroshi_store::alert::{Alert, Tlp};
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Event;
use uuid::Uuid;

use super::desk::{Answer, Desk, NORTH, SENSOR, SOUTH, alert, day_name, today};
use super::samples::infected;

/// Every way to ask that comes to an end, with the alert's id put in place of `{id}`, the day in
/// place of `{today}`.
const ROUTES: [&str; 29] = [
    "GET /v1/alerts.jsonl",
    "GET /v1/alerts.jsonl?limit=1000",
    "GET /v1/alerts.jsonl?since=&limit=1",
    "GET /v1/alerts/{id}",
    "HEAD /v1/alerts/{id}",
    "POST /v1/alerts/{id}",
    "DELETE /v1/alerts.jsonl",
    "GET /v1/alerts/{id}/",
    "GET /v1/alerts",
    "GET /v1/",
    "GET /",
    "GET /v1/alerts.jsonl?partner=th-cert",
    "GET /v1/alerts.cef?limit=1000",
    "GET /v1/events.jsonl",
    "GET /v1/events.jsonl?since=&limit=1000",
    "GET /v1/reports",
    "GET /v1/reports/",
    "GET /v1/reports/?from=2026-11-02",
    "GET /v1/reports/{today}-event4_honeypot_darknet-my.csv",
    "GET /v1/reports/{today}-event4_honeypot_darknet-th.csv",
    "GET /v1/reports/{today}-event4_honeypot_ddos_target-th.csv.zip",
    "GET /v1/reports/{today}-event4_honeypot_darknet-th.csv.asc",
    "GET /v1/status",
    "GET /v1/key.asc",
    "GET /v1/alerts/{id}/history",
    "GET /misp/",
    "GET /misp/manifest.json",
    "GET /misp/hashes.csv",
    "GET /misp/{id}.json",
];

#[tokio::test]
async fn nothing_of_another_partner_is_told() {
    nothing_is_told_of(1).await;
}

#[tokio::test]
async fn nothing_of_the_centres_own_is_told() {
    nothing_is_told_of(4).await;
}

/// Asks by every route for a case that is not the reader's, and for one that never was.
async fn nothing_is_told_of(foreign: u128) {
    let desk = Desk::open().await;
    let partner = |number| match number {
        2 => Some("my-cert"),
        4 => None,
        _ => Some("th-cert"),
    };
    let cases: Vec<Alert> = (1..=5)
        .map(|number| alert(number, 1, partner(number)))
        .collect();
    desk.record_all(cases.iter().map(|one| (one.clone(), 1)).collect())
        .await;
    desk.observe(&cases, &[today()]).await;
    desk.step(1, "th-cert", Event::Acknowledge).await;
    desk.step(3, "th-cert", Event::Withdraw).await;
    desk.step(4, "", Event::Withdraw).await;
    desk.step(2, "my-cert", Event::Acknowledge).await;
    desk.shows(9).await;
    let bearer = format!("Bearer {SOUTH}");
    let foreign_ids = [1, 3, 4, 5].map(|number| Uuid::from_u128(number).to_string());
    for route in ROUTES {
        let route = route.replace("{today}", &day_name(today()));
        let line = route.replace("{id}", &Uuid::from_u128(foreign).to_string());
        let answer = desk.ask_in_time(&line, &bearer).await;
        let told = format!("{answer:?}");
        for secret in [
            "case 1,", "case 3,", "case 4,", "case 5,", "th-cert", SENSOR,
        ] {
            assert!(!told.contains(secret), "{line}: {told}");
        }
        for id in &foreign_ids {
            assert!(!told.contains(id), "{line}: {told}");
        }
        let never_was = route.replace("{id}", &Uuid::from_u128(99).to_string());
        let unknown = desk.ask_in_time(&never_was, &bearer).await;
        assert_eq!(answer, unknown, "{line} tells that something is there");
    }
    desk.close().await;
}

#[tokio::test]
async fn without_a_token_nothing_tells_what_is_there() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.shows(1).await;
    let basic = format!("Basic {NORTH}");
    let strangers = [
        None,
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer x"),
        Some("Bearer north-north-north-north-north-33"),
        Some(basic.as_str()),
        Some(NORTH),
    ];
    let refused = desk.ask("GET /nowhere", None).await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, "Basic realm=\"noroshi\"")
    );
    for route in ROUTES {
        let line = route
            .replace("{id}", &Uuid::from_u128(1).to_string())
            .replace("{today}", &day_name(today()));
        for authorization in strangers {
            let answer = desk.ask(&line, authorization).await;
            assert_eq!(answer.status, 401, "{line} {authorization:?}");
            if !line.starts_with("HEAD") {
                assert_eq!(answer, refused, "{line} {authorization:?}");
            }
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn each_partner_reads_its_own() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.record(2, 1, Some("my-cert")).await;
    desk.record(3, 1, None).await;
    desk.shows(3).await;
    for (token, number) in [(NORTH, 1), (SOUTH, 2)] {
        let id = Uuid::from_u128(number);
        let ids: Vec<Uuid> = desk
            .page(token, "")
            .await
            .alerts()
            .iter()
            .map(|a| a.id)
            .collect();
        assert_eq!(ids, [id]);
        let one = desk
            .ask(
                &format!("GET /v1/alerts/{id}"),
                Some(&format!("bearer {token}")),
            )
            .await;
        assert_eq!(one.alerts()[0].id, id);
        assert_eq!(one.header("cache-control"), "private, no-cache");
    }
    desk.close().await;
}

/// Every way to ask by TAXII, with root, collection and an object's id put in place.
const TAXII_ROUTES: [&str; 15] = [
    "GET /taxii2/{root}/",
    "GET /taxii2/{root}",
    "GET /taxii2/{root}/collections/",
    "GET /taxii2/{root}/collections/{collection}/",
    "GET /taxii2/my-cert/collections/{collection}/",
    "GET /taxii2/{root}/collections/{collection}/objects/",
    "HEAD /taxii2/{root}/collections/{collection}/objects/",
    "POST /taxii2/{root}/collections/{collection}/objects/",
    "GET /taxii2/{root}/collections/{collection}/objects/?next=AAAA",
    "GET /taxii2/my-cert/collections/{collection}/objects/?match[version]=all",
    "GET /taxii2/{root}/collections/{collection}/manifest/",
    "GET /taxii2/{root}/collections/{collection}/objects/{object}/",
    "GET /taxii2/{root}/collections/{collection}/objects/{object}/versions/",
    "DELETE /taxii2/{root}/collections/{collection}/objects/{object}/",
    "GET /taxii2/{root}/status/{object}/",
];

/// Who is asked about: a root, its collection, and an object in it.
struct Asked {
    root: &'static str,
    object: String,
}

impl Asked {
    fn line(&self, route: &str) -> String {
        let partner = PartnerId::new(self.root).expect("a name");
        route
            .replace("{root}", self.root)
            .replace("{collection}", &collection(&partner).to_string())
            .replace("{object}", &self.object)
    }

    /// An answer without what was in the question.
    fn told(&self, answer: Answer) -> Answer {
        let headers = answer.headers.into_iter();
        let headers = headers.map(|(name, value)| (name, value.replace(self.root, "{root}")));
        Answer {
            headers: headers.collect(),
            ..answer
        }
    }
}

#[tokio::test]
async fn by_taxii_nothing_of_another_partner_is_told() {
    let desk = Desk::open().await;
    desk.keep(infected(1, "203.0.113.7"), 1).await;
    let object = desk.publishes("indicator", 1).await[0].id.clone();
    let foreign = Asked {
        root: "th-cert",
        object: object.clone(),
    };
    let never_was = Asked {
        root: "no-cert",
        object: "indicator--5d0092c5-5f74-4287-9642-33f4c354e56d".to_owned(),
    };
    let own = PartnerId::new("my-cert").expect("a name");
    let own = format!("/taxii2/my-cert/collections/{}/", collection(&own));
    for route in TAXII_ROUTES {
        let pace = std::time::Duration::from_millis(700); // slower than what is too often
        tokio::time::sleep(pace).await;
        let bearer = format!("Bearer {SOUTH}");
        let line = foreign.line(route);
        let answer = foreign.told(desk.ask(&line, Some(&bearer)).await);
        assert_ne!(
            answer.status, 429,
            "{line}: asked too often to prove anything"
        );
        assert!([404, 308].contains(&answer.status), "{line}: {answer:?}");
        let told = format!("{answer:?}");
        for secret in ["case 1", "th-cert", "203.0.113.7", &object] {
            assert!(!told.contains(secret), "{line}: {told}");
        }
        let line = never_was.line(route);
        let unknown = never_was.told(desk.ask(&line, Some(&bearer)).await);
        assert_eq!(answer, unknown, "{line} tells that something is there");
        let stranger = desk.ask(&line, None).await;
        assert_eq!(stranger.status, 401, "{line}");
    }
    for path in [
        "/taxii2/".to_owned(),
        format!("{own}objects/"),
        format!("{own}manifest/"),
    ] {
        let answer = desk
            .ask(&format!("GET {path}"), Some(&format!("Bearer {SOUTH}")))
            .await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            !answer.body.contains("th-cert") && !answer.body.contains("case 1"),
            "{path}"
        );
    }
    let by_id = format!("GET {own}objects/{object}/");
    let by_id = desk.ask(&by_id, Some(&format!("Bearer {SOUTH}"))).await;
    assert_eq!(
        by_id.status, 404,
        "another's object in one's own collection"
    );
    desk.close().await;
}

#[tokio::test]
async fn what_is_ones_own_is_told_by_every_format_without_the_sensor() {
    let desk = Desk::open().await;
    let own = vec![alert(1, 1, Some("th-cert"))];
    desk.record_all(vec![(own[0].clone(), 1)]).await;
    desk.observe(&own, &[today()]).await;
    desk.shows(1).await;
    let north = PartnerId::new("th-cert").expect("a name");
    let event = misp::Event::new(&north, Tlp::Amber, today(), None).id();
    let csv = format!(
        "/v1/reports/{}-event4_honeypot_darknet-th.csv",
        day_name(today())
    );
    let misp = format!("/misp/{event}.json");
    for path in [
        "/v1/alerts.jsonl",
        "/v1/alerts.cef",
        "/v1/events.jsonl",
        &csv,
        &misp,
    ] {
        let told = desk.get(path, NORTH).await;
        assert_eq!(told.status, 200, "{path}");
        assert!(told.body.contains("203.0.113.7"), "{path}: {}", told.body);
        assert!(!told.body.contains(SENSOR), "{path}: {}", told.body);
    }
    for path in [csv, misp] {
        let refused = desk.get(&path, SOUTH).await;
        let never_was = format!("/misp/{}.json", Uuid::from_u128(99));
        let unknown = desk.get(&never_was, SOUTH).await;
        assert_eq!(refused, unknown, "{path}");
    }
    desk.close().await;
}
