//! Links in mails with which a case is answered: signed, so that they need no password, and good
//! for one step with one case until they lapse.
//!
//! Opening a link changes nothing (mail scanners open every one): it shows a page with one button.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use noroshi_proto::time::Millis;
use noroshi_store::changes::Shown;
use noroshi_store::remedy::{Event, Remedy};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::key::Key;
use crate::message;
use crate::steps;
use crate::text::{Of, Texts};

/// How long a link is good for: as long as a case may wait for somebody who was on leave.
pub const GOOD_FOR_MS: u64 = 30 * 86_400_000;
const PURPOSE: &str = "case link";

/// What a link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which case.
    pub case: Uuid,
    /// The step it takes.
    pub event: Event,
    /// Until when it is good, in wall time.
    pub until: Millis,
}

impl Link {
    /// Its path, signed: `/links/CASE/STATE/UNTIL/SIGNATURE`.
    pub fn path(&self, key: &Key) -> String {
        let told = self.told();
        format!("/links/{told}/{}", key.sign(PURPOSE, &told))
    }

    /// The link of these parts of a path; `None` where it was not we who signed it.
    pub fn read(key: &Key, case: &str, state: &str, until: &str, signature: &str) -> Option<Self> {
        let link = Self {
            case: case.parse().ok()?,
            event: steps::toward(state)?,
            until: Millis(until.parse().ok()?),
        };
        // What is signed is the text that was read, so no two texts mean one link.
        let told = link.told();
        (told == format!("{case}/{state}/{until}") && key.verifies(PURPOSE, &told, signature))
            .then_some(link)
    }

    /// Whether it has lapsed at `now`.
    pub fn is_over(&self, now: Millis) -> bool {
        now >= self.until
    }

    /// The id of its step: pressed twice, it is taken once.
    pub fn step(&self) -> Uuid {
        Uuid::new_v5(&self.case, self.told().as_bytes())
    }

    fn told(&self) -> String {
        format!("{}/{}/{}", self.case, self.event.aim(), self.until.0)
    }
}

/// The steps that a mail about such a change offers: none where nothing is left to do.
pub fn offered(event: message::Event) -> &'static [Event] {
    use message::Event::{Closed, Confirmed, Opened, Raised, Reopened, Unanswered, Withdrawn};
    match event {
        Opened | Raised | Reopened | Unanswered => &[
            Event::Acknowledge,
            Event::Notify,
            Event::Clean,
            Event::Resolve,
            Event::Disown,
            Event::Refute,
        ],
        Closed | Confirmed | Withdrawn => &[],
    }
}

/// When links of a mail of this time lapse.
pub fn lapse_of(mail: Millis) -> Millis {
    Millis(mail.0 + GOOD_FOR_MS)
}

/// What a page about a link tells.
#[derive(Clone, Copy, Debug)]
pub enum Page<'a> {
    /// Press to take the step.
    Ask(&'a Link, &'a Shown),
    /// It was taken.
    Done(&'a Shown),
    /// It leads nowhere from where the case stands.
    Impossible(&'a Shown),
    /// It has lapsed.
    Over,
}

impl Page<'_> {
    /// The page, in the partner's language: no script, nothing from elsewhere.
    pub fn html(&self, texts: &Texts) -> String {
        let say = |name| texts.say(Of::Page, name, &[]);
        let mut body = String::new();
        let _ = match self {
            Self::Ask(link, shown) => {
                about(&mut body, shown, texts);
                let state = texts.say(Of::State, link.event.aim(), &[]);
                let press = texts.say(Of::Page, "press", &[("state", &state)]);
                write!(
                    body,
                    "<form method=\"post\"><label for=\"note\">{}</label>\
                     <textarea id=\"note\" name=\"note\" maxlength=\"1000\" rows=\"3\"></textarea>\
                     <button>{press}</button></form>",
                    say("note")
                )
            }
            Self::Done(shown) => {
                about(&mut body, shown, texts);
                write!(body, "<p><strong>{}</strong></p>", say("done"))
            }
            Self::Impossible(shown) => {
                about(&mut body, shown, texts);
                let (unchanged, why) = (say("unchanged"), say("impossible"));
                write!(body, "<p><strong>{unchanged}</strong> {why}</p>")
            }
            Self::Over => {
                let (over, instead) = (say("over"), say("instead"));
                write!(body, "<p><strong>{over}</strong> {instead}</p>")
            }
        };
        format!(
            "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>Noroshi</title>\
             <style>{STYLE}</style><main><h1>Noroshi</h1>{body}</main></html>\n",
            texts.language
        )
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:Canvas;color:CanvasText;\
color-scheme:light dark}main{max-width:36rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.1rem}\
dt{opacity:.7}dd{margin:0 0 .5rem}label{display:block}textarea{width:100%;box-sizing:border-box;font:inherit}\
button{font:inherit;padding:.5rem 1rem;margin:.75rem 0}";

/// The digest by which a browser knows the page's style for ours (CSP 3 §6.7.3.3).
pub fn style_digest() -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE)))
}

/// No address of anybody: whoever has the link may be a machine that scans mail.
fn about(body: &mut String, shown: &Shown, texts: &Texts) {
    let alert = &shown.alert;
    let state = shown
        .remedy
        .as_ref()
        .map_or(Remedy::Delivered, |one| one.state);
    body.push_str("<dl>");
    for (label, value) in [
        (texts.say(Of::Label, "case", &[]), alert.id.to_string()),
        (
            texts.say(Of::Label, "subject", &[]),
            texts.say(Of::Kind, alert.kind.name(), &[]),
        ),
        (
            texts.say(Of::Page, "opened", &[]),
            alert.opened_at.to_string(),
        ),
        (
            texts.say(Of::Page, "stands", &[]),
            texts.say(Of::State, state.name(), &[]),
        ),
    ] {
        let _ = write!(body, "<dt>{label}</dt><dd>{value}</dd>");
    }
    body.push_str("</dl>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link {
            case: Uuid::from_u128(7),
            event: Event::Acknowledge,
            until: Millis(1_793_577_600_000),
        }
    }

    fn parts(path: &str) -> [&str; 4] {
        let parts: Vec<_> = path.trim_start_matches("/links/").split('/').collect();
        parts.try_into().expect("four parts")
    }

    #[test]
    fn a_link_is_good_for_what_it_says_and_nothing_else() {
        let key = Key::new([7; 32]);
        let path = link().path(&key);
        let [case, state, until, signature] = parts(&path);
        assert_eq!(state, "acknowledged");
        assert_eq!(
            Link::read(&key, case, state, until, signature),
            Some(link())
        );
        let other = Uuid::from_u128(8).to_string();
        for (case, state, until, key) in [
            (other.as_str(), state, until, &key),
            (case, "resolved", until, &key),
            (case, state, "1893577600000", &key),
            (case, state, "01793577600000", &key),
            (case, "withdrawn", until, &key),
            (case, state, until, &Key::new([8; 32])),
        ] {
            assert_eq!(Link::read(key, case, state, until, signature), None);
        }
        let upper = case.to_uppercase();
        assert_eq!(
            Link::read(&key, &upper, state, until, signature).is_some(),
            upper == case
        );
    }

    #[test]
    fn it_lapses() {
        assert!(!link().is_over(Millis(1_793_577_599_999)));
        assert!(link().is_over(Millis(1_793_577_600_000)));
    }
}
