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
        country: Country::new("TH").unwrap(),
        texts: Texts::of(language).unwrap(),
        signer: None,
        certificate: None,
        public_url: Some("https://feeds.example".to_owned()),
        key: Some(Key::new([7; 32])),
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
        said: Said {
            items,
            more,
            notice: None,
        },
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
    expect![[r#"
        From: Noroshi <noroshi@centre.example>
        To: soc@th-cert.example
        Subject: [TLP:AMBER] [Noroshi 1a2b3c4d] New: infected host 203.0.113.7
         (AS64500)
        Date: Mon, 02 Nov 2026 06:00:00 +0000
        Message-ID: <00000000-0000-0000-0000-000000000007@centre.example>
        Auto-Submitted: auto-generated
        X-Auto-Response-Suppress: All
        MIME-Version: 1.0
        Content-Type: multipart/mixed;
         boundary="part-00000000000000000000000000000007"

        --part-00000000000000000000000000000007
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        TLP:AMBER

        New: infected host.

        Packets bearing 203.0.113.7 asked 29 unused addresses for telnet.

        Case: 1a2b3c4d-0000-0000-0000-000000000001
        About: 203.0.113.7 (AS64500)
        Severity: medium
        Confidence: medium
        First seen: 2026-11-02T05:59:52.345Z
        Last seen: 2026-11-02T05:59:59.000Z
        Services: tcp/23, tcp/2323
        Packets: 31
        Targets: 29

        Answer by a link. It opens a page with one button; nothing changes before y=
        ou press it. Good until 2026-12-02 (UTC).
        Acknowledged: https://feeds.example/links/1a2b3c4d-0000-0000-0000-000000000=
        001/acknowledged/1796191200000/1i16iwXFJ1j8HnXy14V2OA
        Owner notified: https://feeds.example/links/1a2b3c4d-0000-0000-0000-0000000=
        00001/notified/1796191200000/63f05oo7fbxzJxTnOhzf8w
        Being cleaned: https://feeds.example/links/1a2b3c4d-0000-0000-0000-00000000=
        0001/cleaning/1796191200000/aMo81gsSO_fRZUpg8Zl_Jw
        Resolved: https://feeds.example/links/1a2b3c4d-0000-0000-0000-000000000001/=
        resolved/1796191200000/BsWug_MckjFFD-tH-BBnTQ
        Not ours: https://feeds.example/links/1a2b3c4d-0000-0000-0000-000000000001/=
        not_ours/1796191200000/3ZHiRb0qHrc5XTqw0eWmbw
        False positive: https://feeds.example/links/1a2b3c4d-0000-0000-0000-0000000=
        00001/false_positive/1796191200000/b5fcL3MUrZcIQuuDGBojnw

        Read and answer it in your feed: https://feeds.example/v1/alerts/1a2b3c4d-0=
        000-0000-0000-000000000001

        --=20
        Sent by Noroshi, automatically. To answer a person, write to the centre.

        --part-00000000000000000000000000000007
        Content-Type: text/csv; charset=utf-8
        Content-Disposition: attachment; filename="2026-11-02-event4_honeypot_darknet-th.csv"
        Content-Transfer-Encoding: quoted-printable

        timestamp,protocol,src_ip,src_port,src_asn,src_geo,src_region,src_city,src_=
        hostname,src_naics,src_sector,device_vendor,device_type,device_model,severi=
        ty,dst_ip,dst_port,dst_asn,dst_geo,dst_region,dst_city,dst_hostname,dst_nai=
        cs,dst_sector,public_source,infection,family,tag,application,version,event_=
        id,count,alert_id,state
        2026-11-02 05:59:52,tcp,203.0.113.7,40123,64500,TH,,,,,,,,,medium,,23,,,,,,=
        ,,,mirai,,mirai_syn,,,,31,1a2b3c4d-0000-0000-0000-000000000001,new

        --part-00000000000000000000000000000007--
    "#]]
    .assert_eq(&text(&mails("en"), &message));
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
    expect![[r#"
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        TLP:AMBER

        What can wait, collected once a day.

        2026-11-02T05:59:59.000Z  New: infected host  203.0.113.7 (AS64500)  medium=
          1a2b3c4d-0000-0000-0000-000000000001
        2026-11-02T05:59:59.000Z  Over: infected host  203.0.113.7 (AS64500)  mediu=
        m  1a2b3c4d-0000-0000-0000-000000000002
        And 3 more in your feed.

        Read and answer it in your feed: https://feeds.example/v1/alerts.jsonl
    "#]]
    .assert_eq(&body);
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
