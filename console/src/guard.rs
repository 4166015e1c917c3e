//! Who asks, and whether they may: before every route behind the sign-in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::clock;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::page;
use crate::rights::may;
use crate::session::Session;
use crate::text::Texts;

/// Bytes of one form.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// What a page may load and do: nothing that is not the console's own.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      form-action 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Who asks.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) session: Session,
    /// The id of the session, as the browser sent it.
    pub(crate) id: String,
    pub(crate) texts: &'static Texts,
}

/// The cookie of this name. `__Host-` ties it to this host and to TLS.
pub(crate) fn cookie_name(name: &str, is_secure: bool) -> String {
    format!("{}noroshi-{name}", if is_secure { "__Host-" } else { "" })
}

/// A cookie of this browser session that no script reads and no other site sends.
pub(crate) fn cookie(name: &str, value: &str, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    let name = cookie_name(name, is_secure);
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

/// The cookie of a sign-in elsewhere: it is sent, too, where another site sends the browser back.
pub(crate) fn travelling_cookie(value: &str, seconds: u32, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    let name = cookie_name("journey", is_secure);
    format!("{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}")
}

pub(crate) fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The language of who has not signed in.
pub(crate) fn accepted(headers: &HeaderMap) -> &'static Texts {
    let list = headers.get(header::ACCEPT_LANGUAGE);
    Texts::accepted(list.and_then(|list| list.to_str().ok()).unwrap_or(""))
}

/// Whether another site sent the browser here to do something.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Lets those through who are signed in; a form must carry its session's token.
pub(crate) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let id = read_cookie(headers, &cookie_name("session", desk.is_secure)).map(str::to_owned);
    let is_glance = headers.contains_key("x-glance");
    let session = id.as_deref().and_then(|id| {
        let mut sessions = desk.sessions();
        let now = clock::now();
        if is_glance {
            sessions.look_up(id, now)
        } else {
            sessions.take_up(id, now)
        }
    });
    let (Some(id), Some(session)) = (id, session) else {
        return to_the_door(&request);
    };
    let texts = session.user.language.unwrap_or_else(|| accepted(headers));
    let visitor = Visitor { session, id, texts };
    let (mut parts, body) = request.into_parts();
    let mut body = body;
    if parts.method == Method::POST {
        let fields = match Fields::received(body, FORM_BYTES_MAX).await {
            Ok(fields) => fields,
            Err(status) => return page::refusal(texts, status),
        };
        if is_foreign(&parts.headers) || !visitor.session.token.is(fields.whole("token")) {
            return page::refusal(texts, StatusCode::FORBIDDEN);
        }
        parts.extensions.insert(fields);
        body = Body::empty();
    }
    parts.extensions.insert(visitor);
    next.run(Request::from_parts(parts, body)).await
}

/// Whoever is not signed in is sent to the sign-in, whether what they ask for exists or not.
fn to_the_door(request: &Request) -> Response {
    let path = match request.method() {
        &Method::GET => request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str()),
        _ => "/",
    };
    let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let place = format!("/sign-in?next={next}");
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// Asks the one table of rights; what a role may not do does not exist for it.
pub(crate) async fn rights(request: Request, next: Next) -> Response {
    let method = match request.method() {
        &Method::HEAD => "GET",
        method => method.as_str(),
    };
    let path = request.extensions().get::<MatchedPath>();
    let visitor = request.extensions().get::<Visitor>();
    let (Some(path), Some(visitor)) = (path, visitor) else {
        return page::refusal(Texts::english(), StatusCode::NOT_FOUND);
    };
    if !may(&visitor.session.user.role, method, path.as_str()) {
        return page::refusal(visitor.texts, StatusCode::NOT_FOUND);
    }
    next.run(request).await
}

/// What every answer says to the browser.
pub(crate) async fn hardened(
    State(desk): State<Arc<Desk>>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(no_store);
    if desk.is_secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    answer
}
