//! The console beside real feeds: a partner has its own tried.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;

use crate::centre::Centre;
use crate::corpus::noroshi;
use crate::person::{Person, token};
use crate::up::{Up, write_secret};

const REGISTRY: &str = "[[partner]]\nid = \"th-cert\"\nname = \"x\"\ncountry = \"TH\"\n\
                        [[partner]]\nid = \"my-cert\"\nname = \"y\"\ncountry = \"MY\"\n";
const PASSWORD: &str = "correct horse battery";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A centre with a partner's user, and tokens of two.
fn centre() -> Centre {
    // The console has to know where the feeds are before they say so: on an address of this process'
    // own, where nobody else takes the port.
    let [.., high, low] = std::process::id().to_be_bytes();
    let feeds = SocketAddr::from(([127, high | 1, low, 1], 7615));
    let centre = Centre::new(
        REGISTRY,
        &format!(
            "[feeds]\nlisten = \"{feeds}\"\ntokens = \"tokens\"\n\
             [console]\nlisten = \"127.0.0.1:0\"\nusers = \"users.toml\"\n\
             [collector]\nlisten = \"127.0.0.1:0\"\n"
        ),
    );
    fs::create_dir(centre.beside("tokens")).expect("writable");
    for (partner, token) in [("th-cert", TOKEN), ("my-cert", &TOKEN.replace('0', "f"))] {
        fs::write(centre.beside("tokens").join(partner), format!("{token}\n")).expect("writable");
    }
    let mut command = noroshi();
    command.args([
        "user",
        "somchai",
        "--role",
        "partner",
        "--partner",
        "th-cert",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut user = command.spawn().expect("it starts");
    let mut input = user.stdin.take().expect("it is piped");
    writeln!(input, "{PASSWORD}").expect("it reads");
    drop(input);
    let user = user.wait_with_output().expect("it ends");
    let written = String::from_utf8(user.stdout).expect("it is text");
    write_secret(&centre, "users.toml", &written);
    centre
}

#[test]
fn a_partner_has_its_real_feeds_tried_with_its_own_token_and_no_other() {
    let up = Up::start(centre());
    up.address("feeds are served");
    let console = up.address("the console is served");
    let somchai = Person::sign_in(console, "somchai", PASSWORD);
    let mine = somchai.get("/mine");
    let token = token(&mine);
    for (secret, outcome) in [
        (TOKEN.to_owned(), "It works (200)"),
        (TOKEN.replace('0', "e"), "The token is not known (401)"),
        (TOKEN.replace('0', "f"), "The token is not known (401)"),
    ] {
        let form = format!("token={token}&secret={secret}");
        let page = somchai.post("/mine/trial", &form);
        assert_eq!(page.matches(outcome).count(), 6, "{secret}: {page}");
    }
}
