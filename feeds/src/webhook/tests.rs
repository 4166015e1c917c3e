use ed25519_dalek::{Signature, Verifier as _};
use expect_test::expect;
use noroshi_store::alert::Severity;
use uuid::Uuid;

use super::*;
use crate::message::sample::{MORNING, alert};
use crate::message::{Event, Said};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn hook(payload: Payload, keys: &[&str]) -> Hook {
    Hook {
        uri: "https://soc.example/noroshi?x=1".parse().unwrap(),
        payload,
        keys: keys.iter().map(|key| Key::parse(key).unwrap()).collect(),
        public_url: Some("https://feeds.example".to_owned()),
    }
}

fn item(number: u128) -> Item {
    Item {
        event: Event::Opened,
        alert: alert(number),
        reason: String::new(),
    }
}

fn message(form: Form, items: Vec<Item>, more: u64) -> Message {
    Message {
        id: Uuid::from_u128(7),
        form,
        at: MORNING,
        said: Said {
            items,
            more,
            notice: None,
        },
        opened: None,
    }
}

fn text(hook: &Hook, message: &Message) -> String {
    String::from_utf8(hook.body(message)).unwrap()
}

#[test]
fn a_thin_message_names_nobody() {
    let text = text(
        &hook(Payload::Thin, &[]),
        &message(Form::Single, vec![item(1)], 0),
    );
    expect![[r#"{"data":{"event":"opened","id":"1a2b3c4d-0000-0000-0000-000000000001","kind":"infected_host","severity":"medium","tlp":"AMBER","url":"https://feeds.example/v1/alerts/1a2b3c4d-0000-0000-0000-000000000001"},"timestamp":"2026-11-02T06:00:00.000Z","type":"alert.opened"}"#]]
    .assert_eq(&text);
    assert!(!text.contains("203.0.113.7"));
}

#[test]
fn a_full_message_carries_the_alert_where_it_fits() {
    let full = hook(Payload::Full, &[]);
    let one = text(&full, &message(Form::Single, vec![item(1)], 0));
    assert!(one.contains(r#""source":"203.0.113.7""#), "{one}");
    let mut long = item(1);
    long.alert.explanation = "long ".repeat(10_000);
    let cut = text(&full, &message(Form::Single, vec![long], 0));
    assert!(
        cut.len() < BODY_BYTES_MAX && !cut.contains("long"),
        "thin instead"
    );
}

#[test]
fn a_drill_is_never_presented_as_real() {
    let mut drill = item(1);
    drill.alert.exercise = true;
    let thin = hook(Payload::Thin, &[]);
    let one = text(&thin, &message(Form::Single, vec![drill.clone()], 0));
    assert!(one.contains(r#""type":"exercise.opened""#), "{one}");
    assert!(one.contains(r#""exercise":true"#), "{one}");
    let mixed = text(&thin, &message(Form::Overflow, vec![drill, item(2)], 0));
    assert!(mixed.contains(r#""type":"alert.digest""#), "{mixed}");
    assert_eq!(mixed.matches(r#""exercise":true"#).count(), 1);
}

#[test]
fn a_digest_stays_below_the_limit_and_counts_the_rest() {
    let items: Vec<Item> = (0..100).map(item).collect();
    let text = text(
        &hook(Payload::Thin, &[]),
        &message(Form::Digest, items, 500),
    );
    assert!(text.len() < BODY_BYTES_MAX, "{}", text.len());
    let body: Value = serde_json::from_str(&text).unwrap();
    let named = body["data"]["alerts"].as_array().unwrap().len() as u64;
    assert!(named > 50);
    assert_eq!(body["data"]["more"].as_u64().unwrap() + named, 600);
}

#[test]
fn a_summary_counts() {
    let text = text(
        &hook(Payload::Thin, &[]),
        &message(Form::Summary, Vec::new(), 40),
    );
    expect![[r#"{"data":{"undelivered":40,"url":"https://feeds.example/v1/alerts.jsonl"},"timestamp":"2026-11-02T06:00:00.000Z","type":"alert.undelivered"}"#]]
    .assert_eq(&text);
}

/// The example of the specification's own libraries.
#[test]
fn a_shared_secret_signs_as_the_specification_shows() {
    let key = Key::parse(SECRET).unwrap();
    let signed = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
    assert_eq!(
        key.sign(signed),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

#[test]
fn each_key_signs_so_that_one_can_be_changed() {
    let private = SigningKey::from_bytes(&[7; 32]);
    let written = format!("whsk_{}", STANDARD.encode(private.to_keypair_bytes()));
    let hook = hook(Payload::Thin, &[SECRET, &written]);
    let message = message(Form::Single, vec![item(1)], 0);
    let body = hook.body(&message);
    let header = hook.signature(&message, 1_793_599_200, &body);
    let [shared, public] = &*header.split(' ').collect::<Vec<_>>() else {
        panic!("two signatures: {header}");
    };
    assert!(shared.starts_with("v1,"), "{shared}");
    let bytes = STANDARD
        .decode(public.strip_prefix("v1a,").unwrap())
        .unwrap();
    let mut signed = b"00000000-0000-0000-0000-000000000007.1793599200.".to_vec();
    signed.extend(&body);
    let signature = Signature::from_slice(&bytes).unwrap();
    private.verifying_key().verify(&signed, &signature).unwrap();
}

#[test]
fn keys_that_are_none_are_told_what_is_right() {
    for wrong in [
        "",
        "secret",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_not base64 at all, whatever it is",
        "whsk_c2hvcnQ=",
    ] {
        let problem = Key::parse(wrong).err().unwrap();
        assert!(problem.contains("whsec_"), "{wrong}: {problem}");
    }
    let mut halves = SigningKey::from_bytes(&[7; 32]).to_keypair_bytes();
    halves[40] ^= 1;
    let written = format!("whsk_{}", STANDARD.encode(halves));
    assert!(Key::parse(&written).is_err());
}

#[test]
fn an_answer_decides_what_is_done_next() {
    let wait = Some(Duration::from_secs(90));
    let answer = |status: u16| outcome(StatusCode::from_u16(status).unwrap(), wait);
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(answer(status), Outcome::Delivered, "{status}");
    }
    for status in [301, 302, 307, 308, 400, 401, 404, 500] {
        assert!(matches!(answer(status), Outcome::Refused(_)), "{status}");
    }
    for status in [408, 429, 502, 503, 504] {
        let asked = matches!(answer(status), Outcome::Unreached { wait: Some(_), .. });
        assert!(asked, "{status}");
    }
    assert!(matches!(answer(410), Outcome::Gone(_)));
}

#[test]
fn severities_are_told_by_name() {
    let mut high = item(1);
    high.alert.severity = Severity::High;
    let text = text(
        &hook(Payload::Thin, &[]),
        &message(Form::Single, vec![high], 0),
    );
    assert!(text.contains(r#""severity":"high""#));
}
