use std::fs;

use noroshi_store::document::Faults;

use super::*;
use crate::config::{Config, check};

const PARTNER: &str = "[[partner]]\nid = \"th-cert\"\nname = \"x\"\ncountry = \"TH\"\ncontacts = [\"soc@th.example\"]\n";

/// A site with these settings of the feeds and these tables of its one partner.
fn site(feeds: &str, tables: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let registry = format!("{PARTNER}{tables}");
    fs::write(directory.path().join("registry.toml"), registry).unwrap();
    let path = directory.path().join("noroshi.toml");
    fs::write(&path, format!("registry = \"registry.toml\"\n{feeds}")).unwrap();
    (directory, path)
}

fn told(directory: &tempfile::TempDir, faults: &Faults) -> String {
    let shown = format!("{}/", directory.path().display());
    faults.to_string().replace(&shown, "")
}

#[test]
fn everything_is_read() {
    let feeds = r#"
[feeds]
public_url = "https://feeds.example.org/"
[feeds.push]
allow_private = ["10.8.0.0/16"]
answer_within_minutes = 45
[feeds.mail]
smtp = "mail.example.org"
tls = "implicit"
user = "noroshi"
password_file = "mail.password"
from = "noroshi@example.org"
operator = "duty@example.org"
"#;
    let (directory, path) = site(feeds, "");
    let push = Config::load(&path).unwrap().feeds.push;
    assert_eq!(push.allow_private, ["10.8.0.0/16".parse().unwrap()]);
    assert_eq!(
        push.public_url.as_deref(),
        Some("https://feeds.example.org")
    );
    assert_eq!(push.answer_within, Duration::from_secs(45 * 60));
    let mail = push.mail.unwrap();
    let password = directory.path().join("mail.password");
    assert_eq!(
        mail.server,
        Server {
            host: "mail.example.org".to_owned(),
            port: 465,
            security: Security::Implicit,
            login: Some(("noroshi".to_owned(), password)),
        }
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let feeds = r#"[feeds.push]
allow_private = ["10.8.0.0/40"]
answer_within_minutes = 0
[feeds.mail]
smtp = "mail.example.org:25"
tls = "none"
user = "noroshi"
from = "noroshi"
"#;
    let (directory, path) = site(feeds, "");
    let faults = Config::load(&path).unwrap_err();
    let text = told(&directory, &faults);
    for expected in [
        "noroshi.toml:3: `allow_private` is \"10.8.0.0/40\"",
        "noroshi.toml:4: nobody answers within no time",
        "noroshi.toml:6: mail would cross a network in the clear",
        "noroshi.toml:8: user and password_file belong together",
        "noroshi.toml:9: \"noroshi\" is not a mail address",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn keys_are_read_by_the_check() {
    let tables = "[[partner.webhook]]\nurl = \"https://soc.th.example/\"\nsecret_file = \"whsec\"\n[partner.mail]\n";
    let (directory, path) = site("", tables);
    let text = told(&directory, &check(&path).unwrap_err());
    assert!(
        text.contains("registry.toml:6: whsec: No such file"),
        "{text}"
    );
    assert!(
        text.contains("registry.toml:9: the centre has no mail server"),
        "{text}"
    );
    let (directory, path) = site(
        "[feeds.mail]\nsmtp = \"127.0.0.1:25\"\ntls = \"none\"\nfrom = \"a@b.example\"\n",
        tables,
    );
    fs::write(
        directory.path().join("whsec"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
    )
    .unwrap();
    assert!(check(&path).is_ok());
    fs::write(directory.path().join("whsec"), "secret\n").unwrap();
    let text = told(&directory, &check(&path).unwrap_err());
    assert!(
        text.contains("registry.toml:6: whsec:1: a key is whsec_"),
        "{text}"
    );
}
