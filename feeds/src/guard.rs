//! Who may ask, how often, and what is said to whoever may not.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use noroshi_store::origin::PartnerId;

use crate::credential::Credentials;
use crate::desk::Desk;
use noroshi_web::serve::PeerCertificate;

/// Characters of a request's address that are written down.
const TOLD_MAX: usize = 300;

/// Why a request is not answered.
pub(crate) enum Refusal {
    /// No credential, or none we know: the reader asks the centre for one.
    Unknown,
    /// Not there, or not the reader's: which of both is not said.
    NotFound,
    /// The reader mends the request.
    Wrong(String),
    /// Not from where the case stands.
    Conflict(String),
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
                "send 'Authorization: Bearer TOKEN', or Basic with your id and the token",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "there is nothing here for you"),
            Self::Wrong(problem) => (StatusCode::BAD_REQUEST, problem.as_str()),
            Self::Conflict(problem) => (StatusCode::CONFLICT, problem.as_str()),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "too many requests: wait"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "try again in a minute"),
        };
        let mut response = (status, Json(serde_json::json!({ "error": message }))).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unknown => {
                for scheme in ["Basic realm=\"noroshi\"", "Bearer"] {
                    headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
                }
            }
            Self::TooOften(wait) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from(60));
            }
            Self::NotFound | Self::Wrong(_) | Self::Conflict(_) => {}
        }
        response
    }
}

/// Lets a request through when it is known whose it is and that partner has not asked too often.
pub(crate) async fn guard(
    State(desk): State<Arc<Desk>>,
    mut request: Request,
    next: Next,
) -> Response {
    let certificate = request.extensions().get::<PeerCertificate>();
    let Some(reader) = reader(&desk.keyring.current(), request.headers(), certificate) else {
        return Refusal::Unknown.into_response();
    };
    if let Err(wait) = desk.ask(&reader) {
        return Refusal::TooOften(wait).into_response();
    }
    let asked = format!("{} {}", request.method(), told(request.uri()));
    request.extensions_mut().insert(reader.clone());
    let Some(hand) = desk.hands.hand(&reader).await else {
        return Refusal::Unavailable.into_response();
    };
    let mut response = next.run(request).await;
    drop(hand);
    response.headers_mut().remove(ALLOW); // what is not found allows nothing
    let status = response.status().as_u16();
    desk.note(format!("partner:{reader}"), format!("{asked} {status}"))
        .await;
    response
}

/// What of a request's address is written down.
fn told(uri: &Uri) -> String {
    let all = uri.path_and_query().map_or("/", |all| all.as_str());
    all.chars().take(TOLD_MAX).collect()
}

/// Whose request it is: by its token, or else by the certificate of its connection.
fn reader(
    credentials: &Credentials,
    headers: &HeaderMap,
    certificate: Option<&PeerCertificate>,
) -> Option<PartnerId> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        return by_authorization(credentials, value.to_str().ok()?).cloned();
    }
    let certificate = certificate?.0.as_deref()?;
    credentials.by_certificate(certificate).cloned()
}

/// `Bearer TOKEN` (RFC 6750 §2.1), `Token TOKEN` (what taxii2-client sends), or Basic with the
/// partner's id and the token (RFC 7617); the scheme in any case.
fn by_authorization<'a>(credentials: &'a Credentials, value: &str) -> Option<&'a PartnerId> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        return credentials.by_token(rest);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(rest).ok()?;
    let (user, token) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    credentials
        .by_token(token)
        .filter(|partner| partner.as_str() == user)
}
