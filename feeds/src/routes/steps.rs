//! What partners do with their cases: over the feed with a credential, or by a signed link.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Extension, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::{Event, Remedy};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock;
use crate::desk::{Desk, in_time};
use crate::guard::Refusal;
use crate::links::{self, Link, Page};
use crate::render;
use crate::steps::{self, NOTE_BYTES_MAX, StepError, Taken};
use crate::text::Texts;

/// Longest body of a step: a note, written as JSON escapes it.
const BODY_BYTES_MAX: usize = 8 * NOTE_BYTES_MAX;
/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(10);

/// `POST /v1/alerts/{id}/remedy` and `GET /v1/alerts/{id}/history`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/v1/alerts/{id}/remedy", post(remedy))
        .route("/v1/alerts/{id}/history", get(history))
}

/// `/links/…`: signed, so outside the guard.
pub(crate) fn links() -> Router<Arc<Desk>> {
    Router::new().route(
        "/links/{case}/{state}/{until}/{signature}",
        get(ask).post(press),
    )
}

/// Where a partner says that its case stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    state: Option<String>,
    #[serde(default)]
    note: String,
}

async fn remedy(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let case: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    steps::own(&desk.store, &reader, case).await?; // before the body, which may be anything
    let body = whole(body).await?;
    let wrong = || {
        Refusal::Wrong(format!(
            "send {{\"state\":\"…\",\"note\":\"…\"}}: acknowledged, notified, cleaning, resolved, \
             not_ours or false_positive, or a note alone of at most {NOTE_BYTES_MAX} bytes"
        ))
    };
    let said: Said = serde_json::from_slice(&body).map_err(|_| wrong())?;
    let event = match said.state.as_deref() {
        None if !said.note.trim().is_empty() => Event::Note,
        None => return Err(wrong()),
        Some(state) => steps::toward(state).ok_or_else(wrong)?,
    };
    if said.note.len() > NOTE_BYTES_MAX {
        return Err(wrong());
    }
    let taken = Taken {
        partner: &reader,
        case,
        event,
        note: &said.note,
        way: "feed",
        id: drawn(&headers, &reader, case),
    };
    let shown = steps::take(&desk.store, &taken).await?;
    let body = render::one(&reader, &shown).ok_or(Refusal::NotFound)?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, kind)], body).into_response())
}

/// A step's id: the same for the same `Idempotency-Key`, so that a request may be sent again.
fn drawn(headers: &HeaderMap, reader: &PartnerId, case: Uuid) -> Uuid {
    match headers.get("idempotency-key") {
        Some(key) => {
            let own = [reader.as_str().as_bytes(), b"\0", key.as_bytes()].concat();
            Uuid::new_v5(&case, &own)
        }
        None => Uuid::new_v4(),
    }
}

/// One line of a case's history, as its partner reads it.
#[derive(Serialize)]
struct Line {
    at: String,
    by: String,
    what: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
}

async fn history(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let case: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    steps::own(&desk.store, &reader, case).await?;
    let mut lines = Vec::new();
    for transition in in_time(desk.store.history(case)).await? {
        lines.push(Line {
            at: transition.at.to_string(),
            by: steps::told_author(&transition.by, &reader).to_owned(),
            what: transition.case.alert.state.name(),
            note: String::new(),
        });
    }
    let mut state = Remedy::default();
    for step in in_time(desk.store.steps(&[case])).await? {
        let Ok(next) = state.after(step.event) else {
            continue; // not possible any more when its turn came
        };
        state = next;
        let by = steps::told_author(&step.by, &reader).to_owned();
        let is_told = by != "centre" || step.event == Event::Withdraw;
        if step.event == Event::Note && !is_told {
            continue; // what the centre's people write among themselves
        }
        lines.push(Line {
            at: step.at.to_string(),
            by,
            what: step.event.aim(),
            note: if is_told { step.note } else { String::new() },
        });
    }
    lines.sort_by(|a, b| a.at.cmp(&b.at));
    Ok(Json(lines).into_response())
}

type Signed = Path<(String, String, String, String)>;

/// Shows the page; changes nothing.
async fn ask(
    State(desk): State<Arc<Desk>>,
    Path((case, state, until, signature)): Signed,
) -> Result<Response, Refusal> {
    let link = Link::read(&desk.key, &case, &state, &until, &signature).ok_or(Refusal::NotFound)?;
    let (partner, shown) = of_link(&desk, &link).await?;
    let texts = desk.texts(&partner);
    if link.is_over(clock::now()) {
        return Ok(page(StatusCode::GONE, &Page::Over, texts));
    }
    let stands = shown
        .remedy
        .as_ref()
        .map_or(Remedy::Delivered, |one| one.state);
    let page_told = match stands.after(link.event) {
        Ok(_) => Page::Ask(&link, &shown),
        Err(_) if stands.name() == link.event.aim() => Page::Done(&shown),
        Err(_) => Page::Impossible(&shown),
    };
    Ok(page(StatusCode::OK, &page_told, texts))
}

/// The case of a link, and whose it is now.
async fn of_link(desk: &Desk, link: &Link) -> Result<(PartnerId, Shown), Refusal> {
    let shown = in_time(desk.store.shown(link.case)).await?;
    let shown = shown.ok_or(Refusal::NotFound)?;
    let partner = shown.alert.partner.as_deref().and_then(PartnerId::new);
    Ok((partner.ok_or(Refusal::NotFound)?, shown))
}

/// Takes the step.
async fn press(
    State(desk): State<Arc<Desk>>,
    Path((case, state, until, signature)): Signed,
    body: Body,
) -> Result<Response, Refusal> {
    let link = Link::read(&desk.key, &case, &state, &until, &signature).ok_or(Refusal::NotFound)?;
    let (partner, shown) = of_link(&desk, &link).await?;
    let texts = desk.texts(&partner);
    if link.is_over(clock::now()) {
        return Ok(page(StatusCode::GONE, &Page::Over, texts));
    }
    let body = whole(body).await?;
    let note = form_urlencoded::parse(&body).find(|(name, _)| name == "note");
    let note: String = note.map_or_else(String::new, |(_, note)| note.into_owned());
    let mut note = note.trim();
    while note.len() > NOTE_BYTES_MAX {
        let end = note
            .char_indices()
            .next_back()
            .map_or(0, |(place, _)| place);
        note = &note[..end];
    }
    let taken = Taken {
        partner: &partner,
        case: link.case,
        event: link.event,
        note,
        way: "link",
        id: link.step(),
    };
    let action = format!("POST /links/{}/{} ", link.case, link.event.aim());
    match steps::take(&desk.store, &taken).await {
        Ok(shown) => {
            desk.note(format!("partner:{partner}"), action + "200")
                .await;
            Ok(page(StatusCode::OK, &Page::Done(&shown), texts))
        }
        Err(StepError::Impossible(_)) => {
            desk.note(format!("partner:{partner}"), action + "409")
                .await;
            Ok(page(StatusCode::CONFLICT, &Page::Impossible(&shown), texts))
        }
        Err(error) => Err(error.into()),
    }
}

fn page(status: StatusCode, page: &Page<'_>, texts: &Texts) -> Response {
    let policy = format!(
        "default-src 'none'; style-src '{}'; form-action 'self'; frame-ancestors 'none'",
        links::style_digest()
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, policy.as_str()),
    ];
    (status, headers, page.html(texts)).into_response()
}

async fn whole(body: Body) -> Result<Bytes, Refusal> {
    let read = tokio::time::timeout(BODY_WAIT, to_bytes(body, BODY_BYTES_MAX)).await;
    let told = || {
        Refusal::Wrong(format!(
            "the body is too long or too slow: {BODY_BYTES_MAX} bytes"
        ))
    };
    read.map_err(|_| told())?.map_err(|_| told())
}

impl From<StepError> for Refusal {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Unknown => Self::NotFound,
            StepError::Impossible(impossible) => {
                let possible: Vec<_> = steps::possible(impossible.from).map(Event::aim).collect();
                let possible = match possible.as_slice() {
                    [] => "nothing follows".to_owned(),
                    some => format!("possible are: {}", some.join(", ")),
                };
                Self::Conflict(format!("{impossible}; {possible}"))
            }
            StepError::Store(error) => {
                tracing::warn!(%error, "the store did not answer");
                Self::Unavailable
            }
        }
    }
}
