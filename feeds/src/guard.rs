//! Who may ask, how often, and what is said to whoever may not.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::desk::Desk;

/// Why a request is not answered.
pub(crate) enum Refusal {
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
pub(crate) async fn guard(
    State(desk): State<Arc<Desk>>,
    mut request: Request,
    next: Next,
) -> Response {
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
