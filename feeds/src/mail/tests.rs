use expect_test::expect;
use noroshi_store::deliveries::Form;

use super::*;
use crate::message::sample::{MORNING, alert};
use crate::message::{Event, Item, Said};

fn mails(language: &str) -> Mails {
    Mails {
        from: Mailbox::new(
            Some("Noroshi".to_owned()),
            "noroshi@centre.example".parse().unwrap(),
        ),
        to: vec!["soc@th-cert.example".parse().unwrap()],
        audience: Audience::Partner,
        partner: PartnerId::new("th-cert").unwrap(),
        texts: Texts::of(language).unwrap(),
        signer: None,
        certificate: None,
        public_url: Some("https://feeds.example".to_owned()),
    }
}

fn item(number: u128, event: Event) -> Item {
    Item {
        event,
        alert: alert(number),
        reason: String::new(),
    }
}

fn message(form: Form, items: Vec<Item>, more: u64) -> Message {
    Message {
        id: Uuid::from_u128(7),
        form,
        at: MORNING,
        said: Said { items, more },
        opened: None,
    }
}

fn text(mails: &Mails, message: &Message) -> String {
    String::from_utf8(mails.compose(message).unwrap())
        .unwrap()
        .replace("\r\n", "\n")
}

#[test]
fn a_mail_about_one_host() {
    let message = message(Form::Single, vec![item(1, Event::Opened)], 0);
    expect![[r#""#]].assert_eq(&text(&mails("en"), &message));
}

#[test]
fn a_digest_lists_and_counts() {
    let items = vec![item(1, Event::Opened), item(2, Event::Closed)];
    let text = text(&mails("en"), &message(Form::Digest, items, 3));
    let body: String = text
        .lines()
        .skip(12)
        .take(14)
        .map(|line| line.to_owned() + "\n")
        .collect();
    expect![[r#""#]].assert_eq(&body);
}

#[test]
fn what_follows_goes_into_the_thread() {
    let mut closed = message(Form::Single, vec![item(1, Event::Closed)], 0);
    closed.opened = Some(Uuid::from_u128(6));
    let text = text(&mails("en"), &closed);
    let opened = "<00000000-0000-0000-0000-000000000006@centre.example>";
    assert!(text.contains(&format!("In-Reply-To: {opened}\n")), "{text}");
    assert!(text.contains(&format!("References: {opened}\n")), "{text}");
    assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000007@centre.example>\n"));
}

#[test]
fn a_drill_says_so_first_and_attaches_nothing() {
    let mut drill = item(1, Event::Opened);
    drill.alert.exercise = true;
    let text = text(&mails("en"), &message(Form::Single, vec![drill], 0));
    assert!(
        text.contains("Subject: [TLP:AMBER] [Noroshi 1a2b3c4d] [EXERCISE] New: infected host"),
        "{text}"
    );
    assert!(text.contains("EXERCISE: this is a drill"), "{text}");
    assert!(!text.contains("text/csv"), "{text}");
}

#[test]
fn japanese_is_written_in_ascii_all_the_same() {
    let message = message(Form::Single, vec![item(1, Event::Opened)], 0);
    let mail = mails("ja").compose(&message).unwrap();
    assert!(mail.is_ascii(), "for servers without 8BITMIME");
    assert!(
        mail.split(|byte| *byte == b'\n')
            .all(|line| line.len() <= 998)
    );
}

#[test]
fn what_is_secret_does_not_leave_in_the_clear() {
    for tlp in [Tlp::Red, Tlp::AmberStrict] {
        let mut secret = item(1, Event::Opened);
        secret.alert.tlp = tlp;
        let single = message(Form::Single, vec![secret.clone()], 0);
        let refused = mails("en").compose(&single);
        assert!(matches!(refused, Err(MailError::NoKey(_))), "{tlp:?}");
        let among_others = message(Form::Digest, vec![item(2, Event::Opened), secret], 0);
        assert!(matches!(
            mails("en").compose(&among_others),
            Err(MailError::NoKey(_))
        ));
    }
}

#[test]
fn the_operator_is_told_which_case_and_no_more() {
    let mut secret = item(1, Event::Unanswered);
    secret.alert.tlp = Tlp::Red;
    let to_operator = Mails {
        audience: Audience::Operator,
        ..mails("en")
    };
    let text = text(&to_operator, &message(Form::Single, vec![secret], 0));
    assert!(text.contains("Partner th-cert has not taken up"), "{text}");
    assert!(
        !text.contains("203.0.113") && !text.contains("text/csv"),
        "{text}"
    );
}

#[test]
fn nothing_in_a_mail_breaks_out_of_its_header() {
    let mut odd = item(1, Event::Opened);
    odd.alert.subject = noroshi_store::alert::Subject::Service {
        service: "tcp/23\r\nBcc: everybody@example.org".to_owned(),
        scope: "region".to_owned(),
    };
    let text = text(&mails("en"), &message(Form::Single, vec![odd], 0));
    let head = text.split("\n\n").next().unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
}
