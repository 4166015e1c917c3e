//! Questions over HTTP and their answers.
//!
//! | route                                     | answer                                           |
//! |-------------------------------------------|--------------------------------------------------|
//! | `GET /v1/alerts.jsonl?since=…&limit=…`    | the reader's alerts, in the order they changed   |
//! | `GET /v1/alerts/{id}`                     | one of the reader's alerts                       |
//! | `GET /health`                             | 200 while the store answers, else 503; no token  |
//!
//! All but `/health` ask for `Authorization: Bearer TOKEN`. Without a known token every path
//! answers 401, whether it exists or not; with one, what is not the reader's answers 404, with the
//! same words as what does not exist.
//!
//! # Reading on
//! An alert changes when the analyzer says so, and when people do: its `remedy` says where it stands
//! on the partner's side. An answer's `noroshi-next` header is the `since` of the next request. Where more is waiting,
//! `noroshi-more` is `true`: ask again at once. An alert comes again whenever its state changes;
//! its `id` stays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use noroshi_store::cases::ChangeCursor;
use noroshi_store::origin::PartnerId;
use noroshi_store::store::Store;
use serde::Deserialize;
use uuid::Uuid;

use crate::rate::Rate;
use crate::render;
use crate::token::Tokens;

/// Alerts in one answer, unless the reader asks for fewer.
pub const ALERTS_DEFAULT: u32 = 500;
/// Alerts in one answer at most: about two megabytes.
pub const ALERTS_MAX: u32 = 1_000;
/// How long the store may take.
const STORE_WAIT: Duration = Duration::from_secs(20);

const NEXT: HeaderName = HeaderName::from_static("noroshi-next");
const MORE: HeaderName = HeaderName::from_static("noroshi-more");

/// What the routes share.
pub struct Desk {
    store: Store,
    tokens: Tokens,
    opened: Instant,
    /// One entry per partner with a token.
    rates: Mutex<HashMap<PartnerId, Rate>>,
}

impl Desk {
    /// Serves the alerts of `store` to the holders of `tokens`.
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: rates are counted in its own time"
    )]
    pub fn new(store: Store, tokens: Tokens) -> Self {
        Self {
            store,
            tokens,
            opened: Instant::now(),
            rates: Mutex::default(),
        }
    }

    /// Counts a request of `reader`; how long to wait where there were too many.
    fn ask(&self, reader: &PartnerId) -> Result<(), Duration> {
        let now = self.opened.elapsed();
        // A panic elsewhere leaves a rate as it was, which does no harm.
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.entry(reader.clone()).or_default().ask(now)
    }
}

/// Every route there is. Nothing but `/health` is outside the guard.
pub fn router(desk: Desk) -> Router {
    let desk = Arc::new(desk);
    let inside = Router::new()
        .route("/v1/alerts.jsonl", get(alerts))
        .route("/v1/alerts/{id}", get(alert))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::NotFound })
        .with_state(Arc::clone(&desk));
    // Around the whole of it, so that a refusal cannot differ from route to route.
    let guarded = Router::new()
        .fallback_service(inside)
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard));
    Router::new()
        .route("/health", get(health))
        .with_state(desk)
        .fallback_service(guarded)
}

/// Why a request is not answered.
enum Refusal {
    /// No token, or none we know: the reader asks the centre for one.
    Unknown,
    /// Not there, or not the reader's: which of both is not said.
    NotFound,
    /// The reader mends the request.
    Wrong(String),
    /// The reader waits.
    TooOften(Duration),
    /// The reader tries later.
    Unavailable,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match &self {
            Self::Unknown => (
                StatusCode::UNAUTHORIZED,
                "send 'Authorization: Bearer TOKEN'",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "there is nothing here for you"),
            Self::Wrong(problem) => (StatusCode::BAD_REQUEST, problem.as_str()),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "too many requests: wait"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "try again in a minute"),
        };
        let mut response = (status, Json(serde_json::json!({ "error": message }))).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unknown => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooOften(wait) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from(60));
            }
            Self::NotFound | Self::Wrong(_) => {}
        }
        response
    }
}

/// Lets a request through when its token is known and its partner has not asked too often.
async fn guard(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let reader = bearer(request.headers()).and_then(|token| desk.tokens.partner(token));
    let Some(reader) = reader.cloned() else {
        return Refusal::Unknown.into_response();
    };
    if let Err(wait) = desk.ask(&reader) {
        return Refusal::TooOften(wait).into_response();
    }
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(reader.clone());
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().remove(ALLOW); // what is not found allows nothing
    tracing::info!(
        reader = reader.as_str(),
        path,
        status = response.status().as_u16(),
        "feed was read"
    );
    response
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1); the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Where to read on, and how much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    since: Option<String>,
    limit: Option<u32>,
}

async fn alerts(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(page) = page.map_err(|_| {
        Refusal::Wrong("the parameters are 'since' (a noroshi-next) and 'limit' (a number)".into())
    })?;
    let since = match page.since.as_deref() {
        None | Some("") => ChangeCursor::default(),
        Some(text) => text.parse().map_err(|_| {
            Refusal::Wrong("'since' is not a noroshi-next of an earlier answer".into())
        })?,
    };
    let limit = page.limit.unwrap_or(ALERTS_DEFAULT).clamp(1, ALERTS_MAX);
    let changes = in_time(desk.store.changes_of(&reader, since, limit)).await?;
    let next = changes.last().map_or(since, |(cursor, _)| *cursor);
    let more = changes.len() == limit as usize;
    let body = render::lines(&reader, changes.iter().map(|(_, shown)| shown));
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-ndjson"),
        ),
        (
            NEXT,
            HeaderValue::from_str(&next.to_string()).map_err(|_| Refusal::Unavailable)?,
        ),
        (
            MORE,
            HeaderValue::from_static(if more { "true" } else { "false" }),
        ),
    ];
    Ok((headers, body).into_response())
}

async fn alert(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let shown = in_time(desk.store.shown(id))
        .await?
        .ok_or(Refusal::NotFound)?;
    let body = render::one(&reader, &shown).ok_or(Refusal::NotFound)?;
    Ok((
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response())
}

async fn health(State(desk): State<Arc<Desk>>) -> Result<&'static str, Refusal> {
    // Whether there is such an alert does not matter: the store has looked.
    in_time(desk.store.alert(Uuid::nil())).await?;
    Ok("ok\n")
}

/// The store's answer, if it comes in time.
async fn in_time<T, E: std::fmt::Display>(
    question: impl Future<Output = Result<T, E>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout(STORE_WAIT, question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store did not answer");
            Err(Refusal::Unavailable)
        }
        Err(_) => {
            tracing::warn!("the store took too long");
            Err(Refusal::Unavailable)
        }
    }
}
