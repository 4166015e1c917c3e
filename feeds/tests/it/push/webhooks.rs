//! Webhooks, end to end.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use noroshi_store::alert::{Severity, State};
use noroshi_store::remedy::Event;

use super::sinks::{self, Posted};
use super::site::{SECRET, Site, alert, webhook_to};

fn types(posted: &[Posted]) -> Vec<String> {
    let types = posted
        .iter()
        .map(|one| one.json()["type"].as_str().unwrap_or("").to_owned());
    types.collect()
}

#[tokio::test]
async fn changes_of_a_case_are_pushed_and_observations_are_not() {
    let site = Site::open().await;
    let sink = sinks::webhook(sinks::ok, None).await;
    let deliverer = site.push(&webhook_to(sink.port), "").await;
    let mut case = alert(1, "th-cert");
    site.record(case.clone(), 1).await;
    sink.inbox.wait_for(1).await;
    case.state = State::Continuing;
    site.record(case.clone(), 2).await;
    case.severity = Severity::High;
    site.record(case.clone(), 3).await;
    sink.inbox.wait_for(2).await;
    case.state = State::Closed;
    site.record(case.clone(), 4).await;
    sink.inbox.wait_for(3).await;
    site.step(case.id, "th-cert", Event::Acknowledge).await;
    site.step(case.id, "th-cert", Event::Resolve).await;
    site.step(case.id, "th-cert", Event::Confirm).await;
    sink.inbox.wait_for(4).await;
    site.step(case.id, "th-cert", Event::Withdraw).await;
    let posted = sink.inbox.wait_for(5).await;
    deliverer.end().await;
    assert_eq!(
        types(&posted),
        ["opened", "raised", "closed", "confirmed", "withdrawn"]
            .map(|event| format!("alert.{event}"))
    );
    let ids: BTreeSet<&str> = posted.iter().map(Posted::id).collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(sink.inbox.all().len(), 5, "nothing else came");
    let delivered = "SELECT count() FROM deliveries FINAL WHERE state = 'delivered' AND body = ''";
    assert_eq!(site.number(delivered).await, 5);
}

#[tokio::test]
async fn a_delivery_verifies_with_the_partners_library() {
    let site = Site::open().await;
    let sink = sinks::webhook(sinks::ok, None).await;
    let deliverer = site.push(&webhook_to(sink.port), "").await;
    site.record(alert(1, "th-cert"), 1).await;
    let posted = sink.inbox.wait_for(1).await;
    deliverer.end().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/interop/webhook/bin/python");
    assert!(
        python.exists(),
        "{} is missing: ./setup.sh test makes it",
        python.display()
    );
    let mut child = Command::new(python)
        .arg(root.join("feeds/interop/webhook.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let delivery = serde_json::json!({
        "secret": SECRET, "headers": posted[0].headers, "body": posted[0].body,
    });
    let mut stdin = child.stdin.take().expect("piped above");
    stdin
        .write_all(delivery.to_string().as_bytes())
        .expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "alert.opened\n");
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_with_the_same_id_and_words() {
    fn fails_first(request: usize) -> &'static str {
        match request {
            0 => "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            _ => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        }
    }
    let site = Site::open().await;
    let sink = sinks::webhook(fails_first, None).await;
    let deliverer = site.push(&webhook_to(sink.port), "").await;
    site.record(alert(1, "th-cert"), 1).await;
    let posted = sink.inbox.wait_for(2).await;
    deliverer.end().await;
    assert_eq!(posted[0].id(), posted[1].id());
    assert_eq!(posted[0].body, posted[1].body);
    assert_ne!(
        posted[0].headers["webhook-timestamp"],
        posted[1].headers["webhook-timestamp"]
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let site = Site::open().await;
    let hangs = sinks::webhook(sinks::silent, None).await;
    let works = sinks::webhook(sinks::ok, None).await;
    let foreign = sinks::webhook(sinks::ok, None).await;
    let north = webhook_to(hangs.port) + &webhook_to(works.port);
    let deliverer = site.push(&north, &webhook_to(foreign.port)).await;
    site.record(alert(1, "th-cert"), 1).await;
    site.record(alert(2, "my-cert"), 1).await;
    hangs.inbox.wait_for(1).await;
    for number in 3..8 {
        site.record(alert(number, "th-cert"), 1).await;
        site.record(alert(number + 10, "my-cert"), 1).await;
    }
    works.inbox.wait_for(6).await;
    foreign.inbox.wait_for(6).await;
    deliverer.end().await;
    assert!(hangs.inbox.all().len() <= 2, "one asks, the others wait");
}

#[tokio::test]
async fn no_byte_of_another_partner_reaches_a_receiver() {
    let mut site = Site::open().await;
    let (north, south) = (
        sinks::webhook(sinks::ok, None).await,
        sinks::webhook(sinks::ok, None).await,
    );
    let (lines_north, lines_south) = (sinks::syslog(None).await, sinks::syslog(None).await);
    let mails = sinks::smtp(None, None).await;
    site.mail_by(mails.port, None);
    let all = |webhook: u16, syslog: u16| {
        format!(
            "{}payload = \"full\"\n[partner.mail]\n[partner.syslog]\naddress = \"127.0.0.1:{syslog}\"\ntls = false\n",
            webhook_to(webhook)
        )
    };
    let deliverer = site
        .push(
            &all(north.port, lines_north.port),
            &all(south.port, lines_south.port),
        )
        .await;
    for number in 1..=4 {
        let owner = if number % 2 == 1 {
            "th-cert"
        } else {
            "my-cert"
        };
        site.record(alert(number, owner), 1).await;
    }
    let mut nobodys = alert(9, "nobody");
    nobodys.partner = None;
    site.record(nobodys, 1).await;
    // What was never told is not taken back.
    north.inbox.wait_for(2).await;
    south.inbox.wait_for(2).await;
    lines_north.inbox.wait_for(2).await;
    lines_south.inbox.wait_for(2).await;
    mails.inbox.wait_for(4).await;
    for (number, owner) in [(1, "th-cert"), (2, "my-cert")] {
        site.step(alert(number, "").id, owner, Event::Withdraw)
            .await;
    }
    let told = [
        (
            "th-cert",
            north.inbox.wait_for(3).await,
            lines_north.inbox.wait_for(3).await,
        ),
        (
            "my-cert",
            south.inbox.wait_for(3).await,
            lines_south.inbox.wait_for(3).await,
        ),
    ];
    let mailed = mails.inbox.wait_for(6).await;
    deliverer.end().await;
    for (owner, posted, lines) in told {
        let to_owner = mailed.iter().filter(|mail| mail.to[0].contains(owner));
        let mut words = format!("{posted:?} {lines:?}");
        to_owner.for_each(|mail| words.push_str(&mail.text()));
        tells_of_its_own(owner, &words);
    }
}

/// Thailand's cases are 1 and 3, Malaysia's 2 and 4, nobody's is 9.
fn tells_of_its_own(owner: &str, words: &str) {
    let (mine, others) = match owner {
        "th-cert" => ([1, 3], [2, 4]),
        _ => ([2, 4], [1, 3]),
    };
    let id = |number| alert(number, "").id.to_string();
    for number in mine {
        assert!(words.contains(&id(number)), "{owner} lacks {number}");
    }
    for number in others.into_iter().chain([9]) {
        let named = format!("Case {number},");
        let is_told = words.contains(&id(number)) || words.contains(&named);
        assert!(!is_told, "{owner} is told of {number}");
    }
}

#[tokio::test]
async fn tls_is_verified_against_the_authorities_that_are_named() {
    let (acceptor, certificate) = sinks::tls();
    let mut site = Site::open().await;
    let (trusted, unknown) = (
        sinks::webhook(sinks::ok, Some(acceptor.clone())).await,
        sinks::webhook(sinks::ok, Some(acceptor.clone())).await,
    );
    let lines = sinks::syslog(Some(acceptor)).await;
    let secure = |host: &str, port: u16| {
        format!("[[partner.webhook]]\nurl = \"https://{host}:{port}/\"\nsecret_file = \"whsec\"\n")
    };
    let authorities = site.path().join("authorities.pem");
    std::fs::write(&authorities, certificate).expect("a file");
    site.settings.authorities = Some(authorities);
    let north = secure("localhost", trusted.port)
        + &secure("127.0.0.1", unknown.port)
        + &format!("[partner.syslog]\naddress = \"localhost:{}\"\n", lines.port);
    let deliverer = site.push(&north, "").await;
    site.record(alert(1, "th-cert"), 1).await;
    trusted.inbox.wait_for(1).await;
    lines.inbox.wait_for(1).await;
    let refused = "SELECT count() FROM deliveries FINAL WHERE state = 'unreached' AND error ILIKE '%certificate%'";
    site.comes_to(refused, 1).await;
    deliverer.end().await;
    assert!(
        unknown.inbox.all().is_empty(),
        "its certificate names another host"
    );
}

#[tokio::test]
async fn our_own_networks_are_not_spoken_to() {
    let mut site = Site::open().await;
    site.settings.allow_private.clear();
    let sink = sinks::webhook(sinks::ok, None).await;
    let deliverer = site.push(&webhook_to(sink.port), "").await;
    site.record(alert(1, "th-cert"), 1).await;
    let refused = "SELECT count() FROM deliveries FINAL WHERE state = 'unreached' AND error LIKE '%loopback%'";
    site.comes_to(refused, 1).await;
    deliverer.end().await;
    assert!(sink.inbox.all().is_empty());
}

#[tokio::test]
async fn what_failed_can_be_sent_again() {
    fn gone_first(request: usize) -> &'static str {
        match request {
            0 => "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
            _ => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        }
    }
    let site = Site::open().await;
    let sink = sinks::webhook(gone_first, None).await;
    let deliverer = site.push(&webhook_to(sink.port), "").await;
    site.record(alert(1, "th-cert"), 1).await;
    let first = sink.inbox.wait_for(1).await;
    deliverer.end().await;
    let failing = site
        .store
        .failing_deliveries(None, 10)
        .await
        .expect("a list");
    assert_eq!(failing.len(), 1);
    assert!(failing[0].error.contains("410"), "{failing:?}");
    let now = noroshi_proto::time::Millis(failing[0].next_at.0);
    assert!(
        site.store
            .resend(failing[0].id, now)
            .await
            .expect("it is kept")
            .is_some()
    );
    assert!(
        site.store
            .resend(uuid::Uuid::from_u128(1), now)
            .await
            .expect("an answer")
            .is_none()
    );
    let deliverer = site.push(&webhook_to(sink.port), "").await;
    let posted = sink.inbox.wait_for(2).await;
    deliverer.end().await;
    assert_eq!(first[0].id(), posted[1].id());
    assert!(
        site.store
            .failing_deliveries(None, 10)
            .await
            .expect("a list")
            .is_empty()
    );
}
