//! Signing in by what a provider of identities says.

use noroshi_console::Way;
use noroshi_console::provider::{Claim, Settings as Provider};
use serde_json::json;

use crate::desk::{Answer, Browser, Desk};
use crate::forger::{CLIENT, Deed, Forger, SECRET, now};

const BACK: &str = "/sign-in/elsewhere/back";

/// A console that asks this provider, and what holds its secret.
async fn desk(forger: &Forger, claim: Claim) -> (Desk, tempfile::NamedTempFile) {
    let secret = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(secret.path(), format!("{SECRET}\n")).expect("writable");
    let provider = Provider {
        issuer: Provider::issuer(&forger.issuer()).expect("an issuer on this machine"),
        client: CLIENT.to_owned(),
        secret: secret.path().to_owned(),
        claim,
        name: "the ministry".to_owned(),
        back: Provider::back("https://noroshi.example.org").expect("an address"),
    };
    (Desk::open_with(Way::Loopback, Some(provider)).await, secret)
}

/// Goes to the provider and comes back with what it gives.
async fn sign_in(browser: &mut Browser, forger: &Forger) -> Answer {
    let there = browser.get("/sign-in/elsewhere?next=%2Falerts").await;
    assert_eq!(there.status, 303, "{}", there.body);
    let state = forger.is_asked(there.header("location").expect("the way there"));
    browser
        .get(&format!("{BACK}?code=a-code&state={state}"))
        .await
}

async fn sign_out(browser: &mut Browser) -> Answer {
    let token = browser.token().await;
    browser.post("/sign-out", &[("token", &token)]).await
}

async fn is_in(browser: &mut Browser) -> bool {
    browser.get("/alerts").await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_provider_knows_and_a_user_names_is_let_in() {
    let forger = Forger::open().await;
    let (desk, _secret) = desk(&forger, Claim::Subject).await;
    let mut browser = desk.browser();
    let door = browser.get("/sign-in?next=/alerts").await;
    assert!(door.body.contains("Sign in with the ministry"));
    assert!(door.body.contains("/sign-in/elsewhere?next=%2Falerts"));
    let answer = sign_in(&mut browser, &forger).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.contains("content=\"0;url=/alerts\""),
        "{}",
        answer.body
    );
    assert!(is_in(&mut browser).await);
    let audit = desk.audit().await;
    let entry = audit
        .iter()
        .find(|(_, action, _)| action == "console sign-in elsewhere");
    assert_eq!(entry.map(|(who, ..)| who.as_str()), Some("analyst:naoko"));
    let mut other = desk.browser();
    let answer = other.sign_in("naoko", "").await;
    assert_eq!(answer.status, 401, "she has no password");
    assert_eq!(forger.asked(), 1, "its description is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_proven_lets_nobody_in() {
    let forger = Forger::open().await;
    let (desk, _secret) = desk(&forger, Claim::Subject).await;
    let past = now() - 7_200;
    for deed in [
        Deed::Claim("nonce", json!("another")),
        Deed::Claim("nonce", json!(null)),
        Deed::Claim("aud", json!("another")),
        Deed::Claim("aud", json!([CLIENT, "another"])),
        Deed::Claim("iss", json!("https://id.example.org")),
        Deed::Claim("exp", json!(past)),
        Deed::Claim("at_hash", json!("YW5vdGhlcg")),
        Deed::OtherKey,
        Deed::Unsigned,
        Deed::NoToken,
        Deed::Refuse,
    ] {
        forger.does(deed.clone());
        let mut browser = desk.browser();
        let answer = sign_in(&mut browser, &forger).await;
        assert_eq!(answer.status, 403, "{deed:?}: {}", answer.body);
        assert!(answer.body.contains("could not be verified"), "{deed:?}");
        assert!(!is_in(&mut browser).await, "{deed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_user_names_is_told_what_to_say_to_the_operator() {
    let forger = Forger::open().await;
    let (desk, _secret) = desk(&forger, Claim::Subject).await;
    forger.does(Deed::Claim("sub", json!("<b>17</b>")));
    let mut browser = desk.browser();
    let answer = sign_in(&mut browser, &forger).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("“&lt;b&gt;17&lt;/b&gt;”"),
        "{}",
        answer.body
    );
    assert!(!is_in(&mut browser).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_verified_address_is_a_name() {
    let forger = Forger::open().await;
    let (desk, _secret) = desk(&forger, Claim::Email).await;
    let mut browser = desk.browser();
    let answer = sign_in(&mut browser, &forger).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("could not be verified"),
        "{}",
        answer.body
    );
    forger.does(Deed::Claim("email_verified", json!(true)));
    let answer = sign_in(&mut browser, &forger).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(is_in(&mut browser).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once_and_in_the_browser_that_asked() {
    let forger = Forger::open().await;
    let (desk, _secret) = desk(&forger, Claim::Subject).await;
    let mut browser = desk.browser();
    let there = browser.get("/sign-in/elsewhere").await;
    let state = forger.is_asked(there.header("location").expect("the way there"));
    let back = format!("{BACK}?code=a-code&state={state}");
    let mut other = desk.browser();
    assert_eq!(other.get(&back).await.status, 403, "it began nothing");
    let wrong = format!("{BACK}?code=a-code&state=another");
    let mut hurried = browser.clone();
    assert_eq!(hurried.get(&wrong).await.status, 403);
    let another = format!("{back}&iss=https%3A%2F%2Fid.example.org");
    assert_eq!(browser.clone().get(&another).await.status, 403);
    let refused = format!("{BACK}?error=access_denied&state={state}");
    let answer = browser.clone().get(&refused).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("did not let you in"),
        "{}",
        answer.body
    );
    assert_eq!(browser.get(&back).await.status, 200);
    assert!(is_in(&mut browser).await);
    assert_eq!(browser.get(&back).await.status, 403, "once");
    assert!(is_in(&mut browser).await, "and that ends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_itself_holds_up_nobody_with_a_password() {
    for deed in [Deed::Redirect, Deed::Endless, Deed::OtherName] {
        let forger = Forger::open().await;
        let (desk, _secret) = desk(&forger, Claim::Subject).await;
        forger.does(deed.clone());
        let mut browser = desk.browser();
        for _ in 0..3 {
            let answer = browser.get("/sign-in/elsewhere").await;
            assert_eq!(answer.status, 502, "{deed:?}: {}", answer.body);
            assert!(answer.body.contains("does not answer"), "{deed:?}");
        }
        assert_eq!(forger.asked(), 1, "{deed:?}: it is left alone for a while");
        browser = desk.signed_in("viewer").await;
        assert!(is_in(&mut browser).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_told_that_the_provider_still_knows_them() {
    let forger = Forger::open().await;
    let (desk, _secret) = desk(&forger, Claim::Subject).await;
    let mut browser = desk.browser();
    sign_in(&mut browser, &forger).await;
    let left = sign_out(&mut browser).await;
    assert_eq!(left.header("location"), Some("/sign-in/elsewhere/left"));
    assert!(!is_in(&mut browser).await);
    let page = browser.get("/sign-in/elsewhere/left").await;
    assert!(
        page.body.contains("but not at the ministry"),
        "{}",
        page.body
    );
    assert!(page.body.contains("href=\"/sign-in/elsewhere/end\""));
    let there = browser.get("/sign-in/elsewhere/end").await;
    let end = format!("{}/end?client_id={CLIENT}", forger.issuer());
    assert_eq!(there.header("location"), Some(end.as_str()));
    let mut browser = desk.signed_in("viewer").await;
    let left = sign_out(&mut browser).await;
    assert_eq!(
        left.header("location"),
        Some("/sign-in"),
        "for nobody else knows them"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_a_place_to_sign_out_leads_nobody_astray() {
    let forger = Forger::open().await;
    forger.does(Deed::NoEnd);
    let (desk, _secret) = desk(&forger, Claim::Subject).await;
    let answer = desk.browser().get("/sign-in/elsewhere/end").await;
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert!(answer.body.contains("no place to sign out"));
    let desk = Desk::open().await; // which has no provider
    for path in ["/sign-in/elsewhere/end", "/sign-in/elsewhere/left"] {
        let answer = desk.browser().get(path).await;
        assert_eq!(answer.header("location"), Some("/sign-in"), "{path}");
    }
}
