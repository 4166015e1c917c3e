//! Who gets in, and who does not.

use std::path::PathBuf;

use noroshi_console::attempts::AT_ONCE;
use noroshi_console::{Console, ConsoleError, Settings, Way};
use noroshi_web::tls::TlsFiles;

use crate::desk::{Desk, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_anything_before_the_sign_in() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    for path in ["/", "/now", "/alerts", "/nothing", "/alerts/x/step"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        let place = answer.header("location").unwrap();
        assert!(place.starts_with("/sign-in?next="), "{path}: {place}");
        assert_eq!(answer.body, "", "{path}");
    }
    assert_eq!(browser.post("/sign-out", &[]).await.status, 303);
    assert_eq!(browser.get("/console.css").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_a_session_and_signing_out_ends_it() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    assert_eq!(
        browser
            .sign_in("operator", "wrong wrong wrong")
            .await
            .status,
        401
    );
    assert_eq!(browser.sign_in("nobody", PASSWORD).await.status, 401);
    let answer = browser.sign_in("operator", PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").unwrap();
    for fact in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(fact), "{cookie}");
    }
    assert_eq!(browser.get("/now").await.status, 200);
    let token = browser.token().await;
    let before = browser.clone();
    assert_eq!(
        browser.post("/sign-out", &[("token", &token)]).await.status,
        303
    );
    let mut stolen = before;
    assert_eq!(
        stolen.get("/now").await.status,
        303,
        "the cookie is worth nothing"
    );
    let audit = desk.audit().await;
    assert!(
        audit
            .iter()
            .any(|(who, what, _)| who == "operator:operator" && what == "console sign-in")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_planted_is_not_taken_over() {
    let desk = Desk::open().await;
    let mut victim = desk.browser();
    victim
        .cookies
        .insert("noroshi-session".to_owned(), "planted".to_owned());
    let mut attacker = victim.clone();
    assert_eq!(victim.sign_in("operator", PASSWORD).await.status, 303);
    assert_ne!(victim.cookies["noroshi-session"], "planted");
    assert_eq!(attacker.get("/now").await.status, 303);
    // and a second sign-in ends the session before it
    let mut first = victim.clone();
    assert_eq!(victim.sign_in("operator", PASSWORD).await.status, 303);
    assert_eq!(first.get("/now").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_is_asked_for_by_its_own_page() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    let fields = [("name", "operator"), ("password", PASSWORD), ("token", "")];
    assert_eq!(
        browser.post("/sign-in", &fields).await.status,
        403,
        "no cookie, no token"
    );
    let token = desk.browser().get("/sign-in").await.hidden("token");
    browser.get("/sign-in").await;
    let fields = [
        ("name", "operator"),
        ("password", PASSWORD),
        ("token", &token),
    ];
    assert_eq!(
        browser.post("/sign-in", &fields).await.status,
        403,
        "another browser's token"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_attempts_are_refused_even_with_the_password() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    for _ in 0..AT_ONCE {
        let unknown = browser.sign_in("nobody", PASSWORD).await.status;
        assert_eq!(unknown, 401);
        assert_eq!(
            browser
                .sign_in("operator", "wrong wrong wrong")
                .await
                .status,
            401
        );
    }
    assert_eq!(browser.sign_in("operator", PASSWORD).await.status, 429);
    assert_eq!(
        browser.sign_in("analyst", PASSWORD).await.status,
        303,
        "others are not held up"
    );
    let unknown = browser.sign_in("nobody", PASSWORD).await.status;
    assert_eq!(unknown, 429, "a name of nobody answers alike");
    let unknown = browser.sign_in("nobody-else", PASSWORD).await.status;
    assert_eq!(unknown, 401, "and so does another");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_cookies_insist_on_tls() {
    let desk = Desk::open_by(Way::Proxy).await;
    let mut browser = desk.browser();
    let answer = browser.sign_in("operator", PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-noroshi-session="), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    assert!(answer.header("strict-transport-security").is_some());
    assert_eq!(browser.get("/now").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_do_not_cross_a_network_in_the_clear() {
    let desk = Desk::open().await;
    let settings = |way| Settings {
        listen: ([0, 0, 0, 0], 0).into(),
        way,
        feeds_url: String::new(),
        identities: None,
        provider: None,
        authorities: None,
        metrics: std::sync::Arc::default(),
    };
    let registry = noroshi_store::registry::Registry::parse("r", "").unwrap();
    let registry = std::sync::Arc::new(registry);
    let open = |way| {
        let (store, registry) = (desk.store.clone(), registry.clone());
        async move { Console::open(&settings(way), store, registry, Default::default()).await }
    };
    let refused = open(Way::Loopback).await.err();
    assert!(
        matches!(refused, Some(ConsoleError::NotLoopback(_))),
        "{refused:?}"
    );
    let missing = PathBuf::from("missing.pem");
    let files = TlsFiles {
        certificate: missing.clone(),
        key: missing,
    };
    let refused = open(Way::Tls(files)).await.err();
    assert!(matches!(refused, Some(ConsoleError::Tls(_))), "{refused:?}");
    assert!(open(Way::Proxy).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_the_door_waits_in_a_line_that_has_an_end() {
    let desk = Desk::open().await;
    let mut first = desk.browser();
    let token = first.get("/sign-in").await.hidden("token");
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (mut one, token) = (first.clone(), token.clone());
        asking.spawn(async move {
            let name = format!("nobody-{number}");
            let fields = [
                ("token", token.as_str()),
                ("name", &name),
                ("password", PASSWORD),
            ];
            one.post("/sign-in", &fields).await.status
        });
    }
    let answers = asking.join_all().await;
    let turned_away = answers.iter().filter(|status| **status == 503).count();
    let refused = answers.iter().filter(|status| **status == 401).count();
    assert_eq!(turned_away + refused, answers.len(), "{answers:?}");
    assert!(turned_away > 0 && refused > 0, "{answers:?}");
    assert_eq!(
        desk.browser().sign_in("operator", PASSWORD).await.status,
        303
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_sends_little() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    let long = "x".repeat(9 * 1024);
    let answer = browser.post("/sign-in", &[("name", &long)]).await;
    assert_eq!(answer.status, 413);
    let answer = browser.sign_in(&"x".repeat(65), PASSWORD).await;
    assert_eq!(answer.status, 401, "nobody has such a name");
}
