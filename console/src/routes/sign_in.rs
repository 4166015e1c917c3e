//! Signing in and out.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use maud::html;

use crate::desk::{Desk, SignIn, secret};
use crate::fields::Fields;
use crate::guard::{Visitor, accepted, cookie, cookie_name, is_foreign, read_cookie};
use crate::page;
use crate::session::Secret;

/// `GET /sign-in`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    form(&desk, &headers, next(&fields), None)
}

/// The form. Its token stands in a cookie too: no other site can have it sent.
fn form(
    desk: &Desk,
    headers: &HeaderMap,
    next: &str,
    trouble: Option<(StatusCode, &str)>,
) -> Response {
    let texts = accepted(headers);
    let token = secret();
    let (status, why) = trouble.map_or((StatusCode::OK, None), |(status, why)| (status, Some(why)));
    let body = html! {
        p.soft { (texts.say("sign_in.about")) }
        @if let Some(why) = why { p.alertbox role="alert" { (texts.say(why)) } }
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
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    let next = next(&fields);
    let kept = read_cookie(&headers, &cookie_name("form", desk.is_secure)).unwrap_or("");
    if kept.is_empty() || is_foreign(&headers) || !Secret::received(kept).is(fields.whole("token"))
    {
        let trouble = (StatusCode::FORBIDDEN, "sign_in.again");
        return form(&desk, &headers, next, Some(trouble));
    }
    let name = fields.whole("name").to_owned();
    let password = fields.whole("password").to_owned();
    let before = read_cookie(&headers, &cookie_name("session", desk.is_secure));
    let (id, user) = match desk.sign_in(name, password, before).await {
        SignIn::In(id, user) => (id, user),
        SignIn::Unproven => {
            let trouble = (StatusCode::UNAUTHORIZED, "sign_in.unproven");
            return form(&desk, &headers, next, Some(trouble));
        }
        SignIn::TooOften => {
            let trouble = (StatusCode::TOO_MANY_REQUESTS, "sign_in.too_often");
            return form(&desk, &headers, next, Some(trouble));
        }
    };
    if let Err(error) = desk
        .store
        .audit(&user.author(), "console sign-in", "")
        .await
    {
        tracing::error!(%error, "a sign-in cannot be written down");
        desk.sessions().end(id.text());
        return page::refusal(accepted(&headers), StatusCode::SERVICE_UNAVAILABLE);
    }
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

/// `POST /sign-out`
pub(super) async fn end(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    desk.sessions().end(&visitor.id);
    let gone = cookie("session", "; Max-Age=0", desk.is_secure);
    ([(header::SET_COOKIE, gone)], page::on_to("/sign-in")).into_response()
}

/// Where to go on: a path of the console and of nobody else.
fn next(fields: &Fields) -> &str {
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
