//! Signing in and out.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use maud::html;

use crate::desk::{Desk, SignIn, secret};
use crate::fields::{Asked, Fields};
use crate::guard::{Visitor, accepted, cookie, cookie_name, is_foreign, read_cookie};
use crate::page;
use crate::session::{Proof, Secret};

use super::elsewhere;

/// Bytes of the form: anybody may send it, and it waits for its turn.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// `GET /sign-in`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Asked(fields): Asked,
) -> Response {
    form(&desk, &headers, next(&fields), None)
}

/// Why somebody is not signed in.
pub(super) struct Trouble {
    status: StatusCode,
    why: String,
}

impl Trouble {
    /// In the words of this name.
    pub(super) fn of(headers: &HeaderMap, status: StatusCode, why: &str) -> Self {
        let why = accepted(headers).say(why).to_owned();
        Self { status, why }
    }

    /// Whom a provider of identities knows as `name`, and nobody here.
    pub(super) fn unknown(headers: &HeaderMap, name: &str) -> Self {
        let words = [("name", name)];
        let why = accepted(headers).fill("sign_in.elsewhere_unknown", &words);
        let status = StatusCode::FORBIDDEN;
        Self { status, why }
    }
}

/// The form. Its token stands in a cookie too: no other site can have it sent.
pub(super) fn form(
    desk: &Desk,
    headers: &HeaderMap,
    next: &str,
    trouble: Option<Trouble>,
) -> Response {
    let texts = accepted(headers);
    let token = secret();
    let status = trouble
        .as_ref()
        .map_or(StatusCode::OK, |trouble| trouble.status);
    let body = html! {
        p.soft { (texts.say("sign_in.about")) }
        @if let Some(trouble) = &trouble { p.alertbox role="alert" { (trouble.why) } }
        @if let Some(provider) = &desk.provider {
            // A link: what a form is sent to may not lead elsewhere.
            p { a.button.main href=(elsewhere::begin_at(next)) {
                (texts.fill("sign_in.elsewhere", &[("provider", provider.name())]))
            } }
        }
        form.sheet method="post" action="/sign-in" {
            input type="hidden" name="token" value=(token.text());
            input type="hidden" name="next" value=(next);
            label { (texts.say("sign_in.name"))
                input name="name" required maxlength="64" autocomplete="username" autocapitalize="none" autofocus;
            }
            label { (texts.say("sign_in.password"))
                input type="password" name="password" required maxlength="256" autocomplete="current-password";
            }
            button.main { (texts.say("sign_in.title")) }
        }
    };
    let page = page::door(texts, status, body);
    let kept = cookie("form", token.text(), desk.is_secure);
    ([(header::SET_COOKIE, kept)], page).into_response()
}

/// `POST /sign-in`
pub(super) async fn begin(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let fields = match Fields::received(body, FORM_BYTES_MAX).await {
        Ok(fields) => fields,
        Err(status) => return page::refusal(accepted(&headers), status),
    };
    let next = next(&fields);
    let kept = read_cookie(&headers, &cookie_name("form", desk.is_secure)).unwrap_or("");
    if kept.is_empty() || is_foreign(&headers) || !Secret::received(kept).is(fields.whole("token"))
    {
        let trouble = Trouble::of(&headers, StatusCode::FORBIDDEN, "sign_in.again");
        return form(&desk, &headers, next, Some(trouble));
    }
    let name = fields.whole("name").to_owned();
    let password = fields.whole("password").to_owned();
    let before = read_cookie(&headers, &cookie_name("session", desk.is_secure));
    let proven = match desk.prove(name, password).await {
        SignIn::Proven(user) => Ok(user),
        SignIn::Unproven => Err((StatusCode::UNAUTHORIZED, "sign_in.unproven")),
        SignIn::Busy => Err((StatusCode::SERVICE_UNAVAILABLE, "sign_in.busy")),
        SignIn::TooOften => Err((StatusCode::TOO_MANY_REQUESTS, "sign_in.too_often")),
    };
    let user = match proven {
        Ok(user) => user,
        Err((status, why)) => {
            let trouble = Trouble::of(&headers, status, why);
            return form(&desk, &headers, next, Some(trouble));
        }
    };
    match desk.let_in(&user, before, Proof::Password).await {
        Ok(id) => {
            let cookies = AppendHeaders([
                (
                    header::SET_COOKIE,
                    cookie("session", id.text(), desk.is_secure),
                ),
                (
                    header::SET_COOKIE,
                    cookie("form", "; Max-Age=0", desk.is_secure),
                ),
            ]);
            (cookies, page::on_to(next)).into_response()
        }
        Err(_) => page::refusal(accepted(&headers), StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// `POST /sign-out`
pub(super) async fn end(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    desk.sessions().end(&visitor.id);
    let gone = cookie("session", "; Max-Age=0", desk.is_secure);
    let place = match visitor.session.proof {
        Proof::Password => "/sign-in",
        Proof::Provider => elsewhere::LEFT,
    };
    ([(header::SET_COOKIE, gone)], page::on_to(place)).into_response()
}

/// Where to go on: a path of the console and of nobody else.
pub(super) fn next(fields: &Fields) -> &str {
    let wanted = fields.get("next").unwrap_or("/");
    let own = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && wanted
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if own { wanted } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (wanted, sent) in [
            (
                "next=/alerts%3Fkind%3Dscan_surge",
                "/alerts?kind=scan_surge",
            ),
            ("next=//example.org", "/"),
            ("next=/%5Cexample.org", "/"),
            ("next=https://example.org", "/"),
            ("next=/a%0d%0aset-cookie:x", "/"),
            ("", "/"),
        ] {
            assert_eq!(next(&Fields::read(wanted.as_bytes())), sent, "{wanted}");
        }
    }
}
