//! What people do, and what is asked of them before.

use noroshi_store::remedy::{Event, Remedy};
use uuid::Uuid;

use crate::desk::{Desk, HOST, host};

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_written_with_who_and_when_and_taken_once() {
    let desk = Desk::open().await;
    let alert = host(1, Some("th-cert"), HOST);
    let (id, path) = (alert.id, format!("/alerts/{}", alert.id));
    desk.record(alert).await;
    let mut browser = desk.signed_in("operator").await;
    let page = browser.get(&path).await;
    let (token, step) = (page.hidden("token"), page.hidden("step"));
    let fields = [
        ("token", token.as_str()),
        ("step", &step),
        ("event", "acknowledge"),
        ("note", "called <them>"),
    ];
    for _ in 0..2 {
        let answer = browser.post(&format!("{path}/step"), &fields).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(path.as_str()))
        );
    }
    let steps = desk.store.steps(&[id]).await.unwrap();
    assert_eq!(steps.len(), 1, "sent twice, taken once");
    assert_eq!(steps[0].event, Event::Acknowledge);
    assert_eq!(steps[0].by, "operator:operator");
    assert_eq!(steps[0].partner, "th-cert");
    assert!(steps[0].at.0 > 1_700_000_000_000);
    let audit = desk.audit().await;
    let noted = (
        "operator:operator".to_owned(),
        format!("console acknowledge {id}"),
        "called <them>".to_owned(),
    );
    assert!(audit.contains(&noted), "{audit:?}");
    // what is not possible any more changes nothing
    let again = Uuid::new_v4().to_string();
    let fields = [
        ("token", token.as_str()),
        ("step", &again),
        ("event", "acknowledge"),
    ];
    assert_eq!(
        browser.post(&format!("{path}/step"), &fields).await.status,
        409
    );
    let fields = [
        ("token", token.as_str()),
        ("step", &again),
        ("event", "confirm"),
    ];
    assert_eq!(
        browser.post(&format!("{path}/step"), &fields).await.status,
        400
    );
    assert_eq!(
        desk.store.standings(&[id]).await.unwrap()[&id].state,
        Remedy::Acknowledged
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_acts_on_its_own_case_and_reads_no_note_of_the_centre() {
    let desk = Desk::open().await;
    let alert = host(1, Some("th-cert"), HOST);
    let (id, path) = (alert.id, format!("/alerts/{}", alert.id));
    desk.record(alert).await;
    let mut centre = desk.signed_in("operator").await;
    let token = centre.token().await;
    let step = Uuid::new_v4().to_string();
    let fields = [
        ("token", token.as_str()),
        ("step", &step),
        ("note", "their third this week"),
    ];
    assert_eq!(
        centre.post(&format!("{path}/note"), &fields).await.status,
        303
    );
    let mut north = desk.signed_in("th-cert").await;
    let page = north.get(&path).await;
    assert!(page.body.contains(HOST), "its own address");
    assert!(!page.body.contains("third this week"));
    assert!(
        !page.body.contains("operator:operator"),
        "the centre's people stay unnamed"
    );
    let (token, step) = (page.hidden("token"), page.hidden("step"));
    let fields = [
        ("token", token.as_str()),
        ("step", &step),
        ("event", "clean"),
        ("note", ""),
    ];
    assert_eq!(
        north.post(&format!("{path}/step"), &fields).await.status,
        303
    );
    let steps = desk.store.steps(&[id]).await.unwrap();
    assert_eq!(steps[1].by, "partner:th-cert:console:th-cert");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_sources_are_shown_after_a_purpose_and_each_view_is_written_down() {
    let desk = Desk::open().await;
    let alert = host(1, Some("th-cert"), HOST);
    let path = format!("/alerts/{}", alert.id);
    desk.record(alert).await;
    let mut viewer = desk.signed_in("viewer").await;
    let mut analyst = desk.signed_in("analyst").await;
    for browser in [&mut viewer, &mut analyst] {
        for page in [path.as_str(), "/alerts", "/now"] {
            let page = browser.get(page).await;
            assert_eq!(page.status, 200);
            assert!(!page.body.contains(HOST));
        }
    }
    assert!(!analyst.get("/shift").await.body.contains(HOST));
    let token = analyst.token().await;
    let short = [("token", token.as_str()), ("purpose", "abuse")];
    assert_eq!(
        analyst
            .post(&format!("{path}/purpose"), &short)
            .await
            .status,
        400
    );
    let why = "the provider called about it";
    let fields = [("token", token.as_str()), ("purpose", why)];
    assert_eq!(
        analyst
            .post(&format!("{path}/purpose"), &fields)
            .await
            .status,
        303
    );
    for _ in 0..2 {
        assert!(analyst.get(&path).await.body.contains(HOST));
    }
    assert!(
        !analyst.get("/alerts").await.body.contains(HOST),
        "a purpose is of one case"
    );
    assert!(
        !viewer.get(&path).await.body.contains(HOST),
        "and of one session"
    );
    let views = desk.audit().await;
    let views = views.iter().filter(|(who, what, purpose)| {
        who == "analyst:analyst" && what.starts_with("console view th-cert alert") && purpose == why
    });
    assert_eq!(views.count(), 2);
    let mine = desk.signed_in("th-cert").await.get("/mine").await;
    assert!(mine.body.contains(why), "the partner reads it");
    let others = desk.signed_in("my-cert").await.get("/mine").await;
    assert!(!others.body.contains(why), "and nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_session_or_site_does_nothing() {
    let desk = Desk::open().await;
    let alert = host(1, Some("th-cert"), HOST);
    let (id, path) = (alert.id, format!("/alerts/{}/step", alert.id));
    desk.record(alert).await;
    let mut browser = desk.signed_in("operator").await;
    let others = desk.signed_in("operator").await.token().await;
    let step = Uuid::new_v4().to_string();
    for token in ["", "x", others.as_str()] {
        let fields = [
            ("token", token),
            ("step", step.as_str()),
            ("event", "acknowledge"),
        ];
        assert_eq!(browser.post(&path, &fields).await.status, 403, "{token}");
    }
    let own = browser.token().await;
    let form = format!("token={own}&step={step}&event=acknowledge");
    let headers = [("sec-fetch-site", "cross-site")];
    assert_eq!(
        browser.ask("POST", &path, &headers, &form).await.status,
        403
    );
    let huge = format!("{form}&note={}", "x".repeat(100_000));
    assert_eq!(browser.ask("POST", &path, &[], &huge).await.status, 413);
    assert_eq!(desk.store.steps(&[id]).await.unwrap(), []);
    let headers = [("sec-fetch-site", "same-origin")];
    assert_eq!(
        browser.ask("POST", &path, &headers, &form).await.status,
        303
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_acknowledges_what_it_chooses() {
    let desk = Desk::open().await;
    for number in 1..=3 {
        desk.record(host(number, Some("th-cert"), HOST)).await;
    }
    let mut browser = desk.signed_in("operator").await;
    let page = browser.get("/shift").await;
    let [one, two, three] = [1, 2, 3].map(Uuid::from_u128);
    assert!(
        [one, two, three]
            .iter()
            .all(|id| page.body.contains(&id.to_string()))
    );
    let (one_text, two_text) = (one.to_string(), two.to_string());
    let token = page.hidden("token");
    let fields = [
        ("token", token.as_str()),
        ("case", &one_text),
        ("case", &two_text),
    ];
    for _ in 0..2 {
        assert_eq!(
            browser.post("/shift/acknowledge", &fields).await.status,
            303
        );
    }
    let fields = [("token", token.as_str()), ("note", "watch <tcp/5555>")];
    assert_eq!(browser.post("/shift/hand-over", &fields).await.status, 303);
    let next = desk.signed_in("analyst").await.get("/shift").await;
    assert!(
        next.body.contains("watch &lt;tcp/5555&gt;") && next.body.contains("operator:operator")
    );
    let standings = desk.store.standings(&[one, two, three]).await.unwrap();
    assert_eq!(standings.keys().copied().collect::<Vec<_>>(), [one, two]);
    assert_eq!(desk.store.steps(&[one, two]).await.unwrap().len(), 2);
}
