//! Every route and every role.

use noroshi_console::rights::{ROUTES, may};
use noroshi_console::user::Role;
use noroshi_proto::id::SensorId;
use noroshi_store::origin::PartnerId;
use uuid::Uuid;

use crate::desk::{Desk, HOST, host};

const NAMES: [&str; 6] = [
    "viewer", "analyst", "operator", "th-cert", "my-cert", "host",
];

fn role(name: &str) -> Role {
    match name {
        "viewer" => Role::Viewer,
        "analyst" => Role::Analyst,
        "operator" => Role::Operator,
        "host" => Role::Host(vec![SensorId::new("jp-1").expect("an id")]),
        partner => Role::Partner(PartnerId::new(partner).expect("an id")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_reaches_what_the_table_says_and_nothing_else() {
    let desk = Desk::open().await;
    desk.record(host(1, Some("th-cert"), HOST)).await;
    let id = Uuid::from_u128(1).to_string();
    for name in NAMES {
        for route in ROUTES {
            let mut browser = desk.signed_in(name).await;
            let token = browser.token().await;
            let path = route.path.replace("{id}", &id);
            let path = path.replace("{address}", HOST);
            let step = Uuid::new_v4().to_string();
            let answer = match route.method {
                "GET" => browser.get(&path).await,
                _ => {
                    let fields = [
                        ("token", token.as_str()),
                        ("step", &step),
                        ("event", "acknowledge"),
                        ("note", "seen"),
                        ("sensor", "jp-1"),
                        ("secret", "a token that nobody has"),
                        ("purpose", "to see whether it is one host"),
                    ];
                    browser.post(&path, &fields).await
                }
            };
            // 409: another role has acknowledged it before
            let reached = matches!(answer.status, 200 | 303 | 409);
            let anothers = name == "my-cert" && path.contains(&id);
            let expected = may(&role(name), route.method, route.path) && !anothers;
            assert_eq!(
                reached, expected,
                "{name} {} {path}: {}",
                route.method, answer.status
            );
            if !expected {
                assert_eq!(answer.status, 404, "{name} {} {path}", route.method);
                let none = browser.get("/nothing").await;
                assert_eq!(answer.body, none.body, "it answers as what does not exist");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_sees_nothing_of_another() {
    let desk = Desk::open().await;
    desk.record(host(1, Some("th-cert"), HOST)).await;
    desk.record(host(2, Some("my-cert"), "198.51.100.9")).await;
    desk.record(host(3, None, "192.0.2.1")).await;
    let mut south = desk.signed_in("my-cert").await;
    let token = south.token().await;
    let (theirs, nobodys, none) = (Uuid::from_u128(1), Uuid::from_u128(3), Uuid::from_u128(9));
    let unknown = south.get(&format!("/alerts/{none}")).await;
    assert_eq!(unknown.status, 404);
    for id in [theirs, nobodys] {
        let answer = south.get(&format!("/alerts/{id}")).await;
        assert_eq!((answer.status, answer.body), (404, unknown.body.clone()));
        for act in ["step", "note", "purpose"] {
            let step = Uuid::new_v4().to_string();
            let fields = [
                ("token", token.as_str()),
                ("step", &step),
                ("event", "acknowledge"),
                ("note", "mine now"),
            ];
            let answer = south.post(&format!("/alerts/{id}/{act}"), &fields).await;
            assert_eq!(
                (answer.status, answer.body),
                (404, unknown.body.clone()),
                "{act}"
            );
        }
    }
    assert_eq!(desk.store.steps(&[theirs, nobodys]).await.unwrap(), []);
    for path in [
        "/alerts?state=any",
        "/alerts?state=any&partner=th-cert",
        "/mine",
    ] {
        let page = south.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains("198.51.100.9"), "{path}: its own");
        for other in [HOST, "192.0.2.1", "th-cert", "ThaiCERT"] {
            let body = page.body.replace("partner=th-cert", "");
            assert!(!body.contains(other), "{path} tells of {other}");
        }
    }
}
