//! Mail as it arrives: signed, encrypted, threaded, asked again.

use std::time::Duration;

use noroshi_feeds::mail::post::Security;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Severity, State, Tlp};
use noroshi_store::deliveries::{Delivery, DeliveryState, Form};
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Event;
use uuid::Uuid;

use super::sinks;
use super::site::{Site, alert};
use crate::gpg::Gpg;

/// The parts of a multipart entity, each as it stands between its boundaries (RFC 2046 §5.1).
fn parts(mail: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8(mail.to_vec()).expect("ASCII");
    let boundary = text
        .split("boundary=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let delimiter = format!("\r\n--{}", boundary.expect("a boundary"));
    let parts = text.split(delimiter.as_str()).skip(1);
    let inner = parts.take_while(|part| !part.starts_with("--"));
    inner
        .map(|part| {
            part.strip_prefix("\r\n")
                .expect("a line of its own")
                .as_bytes()
                .to_vec()
        })
        .collect()
}

fn body_of(part: &[u8]) -> &[u8] {
    let at = part
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("headers end");
    &part[at + 4..]
}

#[tokio::test]
async fn a_mail_arrives_with_a_good_signature() {
    let mut site = Site::open().await;
    let sink = sinks::smtp(None, None).await;
    let centre = Gpg::new("noroshi@centre.example");
    centre.export("--export-secret-keys", &site.path().join("sign.asc"));
    site.mail_by(sink.port, Some("sign.asc"));
    let deliverer = site.push("[partner.mail]\nlanguage = \"ja\"\n", "").await;
    site.record(alert(1, "th-cert"), 1).await;
    let mails = sink.inbox.wait_for(1).await;
    deliverer.end().await;
    assert_eq!(mails[0].to, ["soc@th-cert.example"]);
    let [inner, signature] = &*parts(&mails[0].bytes) else {
        panic!("two parts: {}", mails[0].text());
    };
    let (inner, signature) = (
        centre.write("inner", inner),
        centre.write("signature", body_of(signature)),
    );
    let arguments = [
        "--verify",
        &signature.display().to_string(),
        &inner.display().to_string(),
    ];
    let verified = centre.run(&arguments);
    let status = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(status.contains("[GNUPG:] GOODSIG"), "{status}");
    let mut changed = std::fs::read(&inner).expect("as written");
    changed[40] ^= 1;
    std::fs::write(&inner, changed).expect("a file");
    let forged = centre.run(&arguments);
    assert!(String::from_utf8_lossy(&forged.stdout).contains("[GNUPG:] BADSIG"));
}

#[tokio::test]
async fn what_is_secret_arrives_encrypted_or_waits() {
    let mut site = Site::open().await;
    let sink = sinks::smtp(None, None).await;
    let (centre, partner) = (
        Gpg::new("noroshi@centre.example"),
        Gpg::new("soc@th-cert.example"),
    );
    centre.export("--export-secret-keys", &site.path().join("sign.asc"));
    centre.export("--export", &site.path().join("centre.asc"));
    partner.export("--export", &site.path().join("th.asc"));
    partner.import(&site.path().join("centre.asc"));
    site.mail_by(sink.port, Some("sign.asc"));
    let with_key = "[partner.mail]\npgp_key = \"th.asc\"\n";
    let deliverer = site.push(with_key, "[partner.mail]\n").await;
    for (number, owner) in [(1, "th-cert"), (2, "my-cert")] {
        let mut secret = alert(number, owner);
        secret.tlp = Tlp::Red;
        site.record(secret, 1).await;
    }
    let mails = sink.inbox.wait_for(1).await;
    let held = "SELECT count() FROM deliveries FINAL WHERE state = 'held' AND partner = 'my-cert'";
    site.comes_to(held, 1).await;
    deliverer.end().await;
    assert_eq!(sink.inbox.all().len(), 1, "nothing left in the clear");
    let text = mails[0].text();
    assert!(!text.contains("203.0.113.7"), "{text}");
    assert!(text.contains("[TLP:RED] [Noroshi 00000001]"), "{text}");
    let [version, secret] = &*parts(&mails[0].bytes) else {
        panic!("two parts: {text}");
    };
    assert!(body_of(version).starts_with(b"Version: 1"));
    let (secret, plain) = (
        partner.write("secret", body_of(secret)),
        partner.home.path().join("plain"),
    );
    let read = partner.run(&[
        "--output",
        &plain.display().to_string(),
        "--decrypt",
        &secret.display().to_string(),
    ]);
    let status = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(status.contains("[GNUPG:] DECRYPTION_OKAY"), "{status}");
    assert!(status.contains("[GNUPG:] GOODSIG"), "{status}");
    let plain = std::fs::read_to_string(plain).expect("text");
    assert!(plain.contains("TLP:RED\r\n"), "{plain}");
    assert!(plain.contains("Case 1, known to th-cert alone."), "{plain}");
}

#[tokio::test]
async fn what_follows_is_a_reply_to_what_opened() {
    let mut site = Site::open().await;
    let sink = sinks::smtp(None, None).await;
    site.mail_by(sink.port, None);
    let deliverer = site.push("[partner.mail]\n", "").await;
    let mut case = alert(1, "th-cert");
    site.record(case.clone(), 1).await;
    sink.inbox.wait_for(1).await;
    case.state = State::Closed;
    site.record(case, 2).await;
    let mails = sink.inbox.wait_for(2).await;
    deliverer.end().await;
    let header = |mail: &str, name: &str| {
        let line = mail
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default();
        line.trim().to_owned()
    };
    let (opened, closed) = (mails[0].text(), mails[1].text());
    assert!(!header(&opened, "Message-ID:").is_empty(), "{opened}");
    assert_eq!(
        header(&opened, "Message-ID:"),
        header(&closed, "In-Reply-To:")
    );
    assert_eq!(header(&opened, "In-Reply-To:"), "");
    assert_eq!(header(&closed, "Auto-Submitted:"), "auto-generated");
}

#[tokio::test]
async fn the_operator_hears_of_a_receiver_that_is_not_there() {
    let mut site = Site::open().await;
    let sink = sinks::smtp(None, None).await;
    site.mail_by(sink.port, None);
    let now = site.store.wall_time().await.expect("a time");
    let stuck = Delivery {
        id: Uuid::from_u128(7),
        partner: PartnerId::new("th-cert").expect("a name"),
        channel: "webhook 0011aabb".to_owned(),
        revision: 3,
        form: Form::Single,
        state: DeliveryState::Unreached,
        case: alert(1, "th-cert").id,
        event: "opened".to_owned(),
        severity: Severity::High,
        recorded: 0,
        attempt: 5,
        planned_at: Millis(now.0 - 3_600_000),
        released_at: Millis(now.0 - 3_600_000),
        next_at: now,
        within: Uuid::nil(),
        error: "connection refused".to_owned(),
        body: String::new(),
    };
    let kept = site.store.record_deliveries(&[stuck]).await;
    kept.expect("it is recorded");
    let deliverer = site.push("[partner.mail]\n", "[partner.mail]\n").await;
    let mails = sink.inbox.wait_for(1).await;
    deliverer.end().await;
    assert_eq!(sink.inbox.all().len(), 1, "one partner, one channel");
    assert_eq!(mails[0].to, ["duty@centre.example"]);
    let text = mails[0].text().replace("=\r\n", "");
    assert!(
        text.contains("th-cert by webhook 0011aabb") && text.contains("connection refused"),
        "{text}"
    );
}

#[tokio::test]
async fn a_high_case_without_an_answer_is_asked_about() {
    let mut site = Site::open().await;
    let sink = sinks::smtp(None, None).await;
    site.mail_by(sink.port, None);
    site.settings.answer_within = Duration::from_secs(1);
    let deliverer = site
        .push("[partner.mail]\nsecond = [\"duty@th-cert.example\"]\n", "")
        .await;
    for number in [1, 2] {
        let mut high = alert(number, "th-cert");
        high.severity = Severity::High;
        site.record(high.clone(), 1).await;
        if number == 2 {
            site.step(high.id, "th-cert", Event::Acknowledge).await;
        }
    }
    let mails = sink.inbox.wait_for(4).await;
    deliverer.end().await;
    let mut to: Vec<&str> = mails.iter().map(|mail| mail.to[0].as_str()).collect();
    to.sort_unstable();
    assert_eq!(
        to,
        [
            "duty@centre.example",
            "duty@th-cert.example",
            "soc@th-cert.example",
            "soc@th-cert.example"
        ],
        "only of the one that nobody took up"
    );
    let to_operator = mails
        .iter()
        .find(|mail| mail.to[0] == "duty@centre.example");
    let text = to_operator.expect("one").text();
    assert!(
        text.contains("Partner th-cert") && !text.contains("203.0.113.7"),
        "{text}"
    );
}

#[tokio::test]
async fn mail_goes_over_tls_to_servers_whose_certificate_is_trusted_alone() {
    for security in [Security::StartTls, Security::Implicit] {
        let (acceptor, certificate) = sinks::tls();
        let sink = match security {
            Security::StartTls => sinks::smtp(None, Some(acceptor)).await,
            _ => sinks::smtp(Some(acceptor), None).await,
        };
        let mut site = Site::open().await;
        site.mail_by(sink.port, None);
        let mail = site.settings.mail.as_mut().expect("it was just set");
        (mail.server.host, mail.server.security) = ("localhost".to_owned(), security);

        let deliverer = site.push("[partner.mail]\n", "").await;
        site.record(alert(1, "th-cert"), 1).await;
        let refused = "SELECT count() FROM deliveries FINAL WHERE state = 'unreached' AND error ILIKE '%certificate%'";
        site.comes_to(refused, 1).await;
        deliverer.end().await;
        assert!(sink.inbox.all().is_empty(), "nobody vouches for it");

        let authorities = site.path().join("authorities.pem");
        std::fs::write(&authorities, certificate).expect("a file");
        site.settings.authorities = Some(authorities);
        let deliverer = site.push("[partner.mail]\n", "").await;
        site.record(alert(2, "th-cert"), 1).await;
        let mails = sink.inbox.wait_for(1).await;
        deliverer.end().await;
        assert_eq!(mails[0].to, ["soc@th-cert.example"], "{security:?}");
    }
}
