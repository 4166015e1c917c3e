//! A partner's feeds, asked as its machine would ask them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use maud::{Markup, html};
use noroshi_store::origin::PartnerId;
use noroshi_web::ask::{Answer, Patience, ask};
use noroshi_web::outbound::Outbound;
use tokio::task::JoinSet;

use super::mine::FEEDS;
use crate::clock;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::guard::Visitor;
use crate::page::{Failed, Page, number, page_or, wide};

/// Longest token that is tried, in bytes.
pub(super) const TOKEN_MAX: usize = 256;
/// What one feed may take; of a large answer the beginning is enough.
const PATIENCE: Patience = Patience {
    wait: Duration::from_secs(10),
    bytes: 64 * 1024,
};

/// What became of one feed.
struct Tried {
    /// Its place in [`FEEDS`].
    place: usize,
    /// Nothing where there was no answer.
    answer: Option<Answer>,
    took: Duration,
}

/// `POST /mine/trial`: asks every feed with a token that somebody types; it is kept nowhere.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor, &fields).await)
}

async fn show(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let own = visitor.session.user.partner().ok_or(Failed::Unknown)?;
    let secret = fields.whole("secret").trim();
    if secret.is_empty() || secret.len() > TOKEN_MAX {
        return Err(Failed::Wrong);
    }
    let body = if desk.may_try(&visitor.session.user.name, clock::now()) {
        let tried = try_all(desk, own, secret).await?;
        html! {
            (table(visitor, &tried))
            p.note { (texts.say("trial.reading")) }
        }
    } else {
        html! { p.alertbox role="alert" { (texts.say("trial.too_often")) } }
    };
    let body = html! { (body) p { a href="/mine" { (texts.say("trial.back")) } } };
    let title = texts.say("trial.title");
    Ok(Page {
        place: "/mine",
        title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

/// All of them at once, in their order.
async fn try_all(desk: &Desk, own: &PartnerId, secret: &str) -> Result<Vec<Tried>, Failed> {
    let proof = STANDARD.encode(format!("{own}:{secret}"));
    let mut proof = HeaderValue::try_from(format!("Basic {proof}")).map_err(|_| Failed::Wrong)?;
    proof.set_sensitive(true);
    let mut asking = JoinSet::new();
    for (place, feed) in FEEDS.iter().enumerate() {
        let request = Request::get(format!("{}{}", desk.feeds_url, feed.first))
            .header(header::AUTHORIZATION, proof.clone())
            .header(header::ACCEPT, "*/*")
            .body(Full::default())
            .map_err(|_| Failed::Wrong)?;
        let outbound = Arc::clone(&desk.outbound);
        asking.spawn(async move { try_one(place, &outbound, request).await });
    }
    let mut tried = asking.join_all().await;
    tried.sort_by_key(|one| one.place);
    Ok(tried)
}

#[allow(
    clippy::disallowed_methods,
    reason = "a shell: how long an answer took is measured here"
)]
async fn try_one(place: usize, outbound: &Outbound, request: Request<Full<Bytes>>) -> Tried {
    let start = Instant::now();
    let answer = ask(outbound, request, PATIENCE).await;
    if let Err(error) = &answer {
        tracing::warn!(%error, "a feed that was tried for a partner does not answer");
    }
    Tried {
        place,
        answer: answer.ok(),
        took: start.elapsed(),
    }
}

fn table(visitor: &Visitor, tried: &[Tried]) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet { (wide(texts.say("trial.title"), html! { table {
            thead { tr {
                th scope="col" { (texts.say("mine.feed")) }
                th scope="col" { (texts.say("trial.outcome")) }
                th.n scope="col" { (texts.say("trial.bytes")) }
                th.n scope="col" { (texts.say("trial.took")) }
            } }
            tbody { @for one in tried { tr {
                td { (FEEDS[one.place].name) }
                td { (texts.say(outcome(one.answer.as_ref()))) @if let Some(answer) = &one.answer { " (" (answer.head.status.as_u16()) ")" } }
                @match &one.answer {
                    Some(answer) => td.n { @if !answer.is_whole { "> " } (number(answer.body.len() as u64)) }
                    None => td.n { "–" }
                }
                td.n { (number(one.took.as_millis() as u64)) " ms" }
            } } }
        } })) }
    }
}

/// What an answer means for whoever runs the machine.
fn outcome(answer: Option<&Answer>) -> &'static str {
    match answer.map(|answer| answer.head.status) {
        None => "trial.gone",
        Some(status) if status.is_success() => "trial.good",
        Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => "trial.unknown",
        Some(StatusCode::TOO_MANY_REQUESTS) => "trial.slow",
        Some(_) => "trial.wrong",
    }
}
