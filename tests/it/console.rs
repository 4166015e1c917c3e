//! The console beside real feeds: a partner has its own tried.

use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::centre::Centre;
use crate::corpus::noroshi;

const REGISTRY: &str = "[[partner]]\nid = \"th-cert\"\nname = \"x\"\ncountry = \"TH\"\n\
                        [[partner]]\nid = \"my-cert\"\nname = \"y\"\ncountry = \"MY\"\n";
const PASSWORD: &str = "correct horse battery";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Killed with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A centre with a partner's user and tokens, whose feeds and console are where the log says.
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
    fs::write(centre.beside("users.toml"), user.stdout).expect("writable");
    let secret = Permissions::from_mode(0o600);
    fs::set_permissions(centre.beside("users.toml"), secret).expect("ours");
    centre
}

/// Where the log says that this is served.
fn served(centre: &Centre, what: &str) -> SocketAddr {
    for _ in 0..600 {
        let log = fs::read_to_string(centre.beside("log")).expect("readable");
        let line = log.lines().find(|line| line.contains(what));
        let address = line.and_then(|line| line.split_once("address=")?.1.trim().parse().ok());
        if let Some(address) = address {
            return address;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the log does not say: {what}");
}

/// A browser of one session.
struct Browser {
    console: SocketAddr,
    cookies: Vec<String>,
}

impl Browser {
    fn ask(&mut self, method: &str, path: &str, form: &str) -> String {
        let mut stream = TcpStream::connect(self.console).expect("it listens");
        let (length, cookies) = (form.len(), self.cookies.join("; "));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: {cookies}\r\n\
             content-length: {length}\r\n\r\n{form}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it is text");
        for line in answer.lines().take_while(|line| !line.is_empty()) {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                let pair = cookie.split(';').next().expect("a pair");
                self.cookies.push(pair.to_owned());
            }
        }
        answer
    }

    /// The token of the form on this page.
    fn token(&mut self, path: &str) -> String {
        let page = self.ask("GET", path, "");
        let (_, rest) = page.split_once("name=\"token\" value=\"").expect("a form");
        rest.split('"').next().expect("a value").to_owned()
    }
}

#[test]
fn a_partner_has_its_real_feeds_tried_with_its_own_token_and_no_other() {
    let centre = centre();
    let log = File::create(centre.beside("log")).expect("writable");
    let mut command = noroshi();
    command.args(["-v", "up", "--config"]).arg(centre.config());
    command.env("NO_COLOR", "1").stderr(log);
    let running = Running(command.spawn().expect("it starts"));
    served(&centre, "feeds are served");
    let mut browser = Browser {
        console: served(&centre, "the console is served"),
        cookies: Vec::new(),
    };
    let token = browser.token("/sign-in");
    let form = format!(
        "token={token}&name=somchai&password={}",
        PASSWORD.replace(' ', "+")
    );
    let answer = browser.ask("POST", "/sign-in", &form);
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    let token = browser.token("/mine");
    for (secret, outcome) in [
        (TOKEN.to_owned(), "It works (200)"),
        (TOKEN.replace('0', "e"), "The token is not known (401)"),
        (TOKEN.replace('0', "f"), "The token is not known (401)"),
    ] {
        let form = format!("token={token}&secret={secret}");
        let page = browser.ask("POST", "/mine/trial", &form);
        assert_eq!(page.matches(outcome).count(), 6, "{secret}: {page}");
    }
    drop(running);
}
