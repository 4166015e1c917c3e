//! Somebody who is signed in at the console.

use std::net::SocketAddr;

use crate::up::ask;

/// Whose session it is that these requests are of.
pub struct Person {
    console: SocketAddr,
    cookie: String,
}

impl Person {
    /// Fills in the sign-in; both in letters that a form takes as they are, but for spaces.
    pub fn sign_in(console: SocketAddr, name: &str, password: &str) -> Self {
        let mut stranger = Self {
            console,
            cookie: String::new(),
        };
        let form = stranger.get("/sign-in");
        stranger.cookie = between(&form, "set-cookie: ", ";").to_owned();
        let (token, password) = (token(&form), password.replace(' ', "+"));
        let body = format!("token={token}&name={name}&password={password}&next=");
        let answer = stranger.post("/sign-in", &body);
        assert!(answer.starts_with("HTTP/1.0 303"), "{answer}");
        Self {
            console,
            cookie: between(&answer, "set-cookie: ", ";").to_owned(),
        }
    }

    /// A page, with its head.
    pub fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), "")
    }

    /// What a form is answered, with its head.
    pub fn post(&self, path: &str, form: &str) -> String {
        self.ask(&format!("POST {path}"), form)
    }

    fn ask(&self, what: &str, body: &str) -> String {
        let (host, cookie) = (self.console, &self.cookie);
        let head = format!("{what} HTTP/1.0\r\nhost: {host}\r\ncookie: {cookie}\r\n");
        ask(self.console, &head, body).expect("it answers")
    }
}

/// What the forms of this page carry.
pub fn token(page: &str) -> &str {
    between(page, "name=\"token\" value=\"", "\"")
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before} in {text}")).0
}
