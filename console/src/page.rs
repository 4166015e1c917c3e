//! What every page has around it, and small parts that pages share.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::Severity;
use noroshi_store::store::StoreError;

use crate::glance::Unseen;
use crate::guard::Visitor;
use crate::rights::may;
use crate::text::Texts;

/// Pages named at the top, as far as they exist for who asks.
const PLACES: [(&str, &str); 7] = [
    ("/telescope", "telescope"),
    ("/mine", "mine"),
    ("/now", "now"),
    ("/alerts", "alerts"),
    ("/explore", "explore"),
    ("/shift", "shift"),
    ("/sensors", "sensors"),
];

/// One page, before what stands around it.
pub(crate) struct Page<'a> {
    /// The path in [`PLACES`] that it belongs to.
    pub(crate) place: &'static str,
    /// Its title.
    pub(crate) title: &'a str,
    /// Seconds after which it is fetched again; 0 leaves it as it is.
    pub(crate) fresh: u32,
    /// What it says.
    pub(crate) body: Markup,
}

impl Page<'_> {
    /// The whole page, as an answer.
    pub(crate) fn answer(self, visitor: &Visitor) -> Response {
        answer(StatusCode::OK, &self.whole(visitor))
    }

    fn whole(&self, visitor: &Visitor) -> Markup {
        let (texts, user) = (visitor.texts, &visitor.session.user);
        let top = html! {
            header.top { div {
                a.brand href="/" { "Noroshi" }
                nav aria-label=(texts.say("page.pages")) {
                    @for (path, name) in PLACES {
                        @if may(&user.role, "GET", path) {
                            a href=(path) aria-current=[(path == self.place).then_some("page")] {
                                (texts.word("place", name))
                            }
                        }
                    }
                }
                form.who method="post" action="/sign-out" {
                    (token(visitor))
                    span { (user.name) " · " (texts.word("role", user.role.name())) }
                    button { (texts.say("page.sign_out")) }
                }
            } }
        };
        let body = html! {
            h1 { (self.title) }
            (self.body)
            @if self.fresh > 0 {
                p.alertbox #stale role="status" hidden { (texts.say("page.stale")) }
            }
        };
        frame(
            texts,
            &Frame {
                title: self.title,
                fresh: self.fresh,
                onward: None,
                class: "",
                top,
                body,
            },
        )
    }
}

struct Frame<'a> {
    title: &'a str,
    fresh: u32,
    /// Where it leads by itself, at once.
    onward: Option<&'a str>,
    class: &'a str,
    top: Markup,
    body: Markup,
}

/// Around what is shown to who is not signed in.
fn outside(title: &str, body: Markup) -> Frame<'_> {
    Frame {
        title,
        fresh: 0,
        onward: None,
        class: "door",
        top: html! {},
        body,
    }
}

fn frame(texts: &Texts, frame: &Frame<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(texts.language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(place) = frame.onward { meta http-equiv="refresh" content={ "0;url=" (place) }; }
                title { (frame.title) " · Noroshi" }
                link rel="stylesheet" href="/console.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                @if frame.fresh > 0 { script src="/console.js" defer {} }
            }
            body data-fresh=[(frame.fresh > 0).then_some(frame.fresh)] {
                a.skip href="#content" { (texts.say("page.skip")) }
                (frame.top)
                main #content class=[(!frame.class.is_empty()).then_some(frame.class)] { (frame.body) }
                footer { (texts.say("page.utc")) }
            }
        }
    }
}

/// A page for who is not signed in.
pub(crate) fn door(texts: &Texts, status: StatusCode, body: Markup) -> Response {
    let body = html! { h1 { "Noroshi" } (body) };
    answer(
        status,
        &frame(texts, &outside(texts.say("sign_in.title"), body)),
    )
}

/// A page that leads on by itself: a browser that another site sent here has the session's cookie
/// only once a page of the console's own asks for the next.
pub(crate) fn onward(texts: &Texts, place: &str) -> Response {
    let body = html! {
        h1 { "Noroshi" }
        p { a.button.main href=(place) { (texts.say("sign_in.onward")) } }
    };
    let page = Frame {
        onward: Some(place),
        ..outside(texts.say("sign_in.title"), body)
    };
    answer(StatusCode::OK, &frame(texts, &page))
}

/// A page that says why there is none.
pub(crate) fn refusal(texts: &Texts, status: StatusCode) -> Response {
    let (title, why) = match status {
        StatusCode::NOT_FOUND => (
            texts.say("refusal.unknown"),
            texts.say("refusal.unknown_why"),
        ),
        StatusCode::BAD_REQUEST => (texts.say("refusal.wrong"), texts.say("refusal.wrong_why")),
        StatusCode::CONFLICT => (texts.say("refusal.moved"), texts.say("refusal.moved_why")),
        StatusCode::FORBIDDEN => (texts.say("refusal.form"), texts.say("refusal.form_why")),
        StatusCode::PAYLOAD_TOO_LARGE => {
            (texts.say("refusal.large"), texts.say("refusal.large_why"))
        }
        StatusCode::REQUEST_TIMEOUT => (texts.say("refusal.slow"), texts.say("refusal.slow_why")),
        _ => (texts.say("refusal.store"), texts.say("refusal.store_why")),
    };
    let body = html! {
        h1 { (title) }
        p { (why) }
        p { a href="/" { (texts.say("refusal.home")) } }
    };
    answer(status, &frame(texts, &outside(title, body)))
}

/// Why a page cannot be made.
pub(crate) enum Failed {
    /// There is no such thing, or it is another's.
    Unknown,
    /// What was asked cannot be read.
    Wrong,
    /// The case stands elsewhere by now.
    Moved,
    /// The store does not answer.
    Store(StoreError),
    /// The region cannot be shown.
    Region(Unseen),
    /// Neither does the directory of identities.
    Directory(String),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unseen> for Failed {
    fn from(error: Unseen) -> Self {
        Self::Region(error)
    }
}

impl Failed {
    /// The page that says so.
    pub(crate) fn answer(self, texts: &Texts) -> Response {
        let status = match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Wrong => StatusCode::BAD_REQUEST,
            Self::Moved => StatusCode::CONFLICT,
            Self::Store(error) => {
                tracing::error!(%error, "a page cannot be made");
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Region(error) => {
                tracing::error!(%error, "a page cannot be made");
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Directory(error) => {
                tracing::error!(%error, "the directory of identities cannot be used");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        refusal(texts, status)
    }
}

/// An answer to a page's question: the page, or one that says why not.
pub(crate) fn page_or(texts: &Texts, made: Result<Response, Failed>) -> Response {
    made.unwrap_or_else(|failed| failed.answer(texts))
}

pub(crate) fn answer(status: StatusCode, page: &Markup) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, kind, page.0.clone()).into_response()
}

/// Sends the browser on, after something was done.
pub(crate) fn on_to(place: &str) -> Response {
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, place.to_owned())],
    )
        .into_response()
}

/// What every form carries.
pub(crate) fn token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="token" value=(visitor.session.token.text()); }
}

/// What may be wider than the screen: it scrolls by arrow keys, and who cannot see it is told what
/// it is.
pub(crate) fn wide(label: &str, body: Markup) -> Markup {
    html! { div.wide tabindex="0" role="group" aria-label=(label) { (body) } }
}

/// A severity: a word, and a colour beside it.
pub(crate) fn severity(texts: &Texts, severity: Severity) -> Markup {
    let name = severity.name();
    html! { span class={ "badge " (name) } { (texts.word("severity", name)) } }
}

/// `2026-11-02 06:00`, in UTC.
pub(crate) fn minute(at: Millis) -> Markup {
    let whole = at.to_string();
    let shown = whole.get(..16).unwrap_or(&whole).replace('T', " ");
    html! { time datetime=(whole) { (shown) } }
}

/// How long, in the largest unit that fits: `3 d`, `5 h`, `12 min`.
pub(crate) fn lasted(texts: &Texts, millis: u64) -> String {
    let (count, unit) = match millis / 60_000 {
        minutes if minutes < 120 => (minutes, texts.say("unit.minutes")),
        minutes if minutes < 2 * 1_440 => (minutes / 60, texts.say("unit.hours")),
        minutes => (minutes / 1_440, texts.say("unit.days")),
    };
    format!("{count} {unit}")
}

/// `1 234 567`, with thin spaces: read alike in every language.
pub(crate) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        let texts = Texts::english();
        assert_eq!(lasted(texts, 119 * 60_000), "119 min");
        assert_eq!(lasted(texts, 47 * 3_600_000), "47 h");
        assert_eq!(lasted(texts, 48 * 3_600_000), "2 d");
    }
}
