//! Signing in by what a provider of identities says.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use maud::html;

use crate::clock;
use crate::desk::{Desk, secret};
use crate::fields::{Asked, Fields};
use crate::guard::{accepted, cookie, cookie_name, read_cookie, travelling_cookie};
use crate::journey::{self, Journey};
use crate::page;
use crate::provider::{Provider, ProviderError};
use crate::session::Proof;

use super::sign_in::{Trouble, form, next};

/// The address of [`begin`].
pub(super) fn begin_at(next: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("/sign-in/elsewhere?next={next}")
}

/// Where [`left`] is.
pub(super) const LEFT: &str = "/sign-in/elsewhere/left";
/// Where [`end`] is.
pub(super) const END: &str = "/sign-in/elsewhere/end";

/// `GET /sign-in/elsewhere`: on to the provider.
pub(super) async fn begin(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Asked(fields): Asked,
) -> Response {
    let Some(provider) = &desk.provider else {
        return page::on_to("/sign-in");
    };
    let next = next(&fields);
    let journey = Journey::begin(secret(), next);
    match provider.way_there(&journey, clock::now()).await {
        Ok(place) => {
            let kept = travelling_cookie(&journey.cookie(), journey::LIFE, desk.is_secure);
            ([(header::SET_COOKIE, kept)], page::on_to(&place)).into_response()
        }
        Err(error) => form(&desk, &headers, next, Some(trouble(&headers, &error))),
    }
}

/// `GET /sign-in/elsewhere/back`: from there.
pub(super) async fn back(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Asked(fields): Asked,
) -> Response {
    let Some(provider) = &desk.provider else {
        return page::on_to("/sign-in");
    };
    let kept = read_cookie(&headers, &cookie_name("journey", desk.is_secure)).unwrap_or("");
    let Some(journey) = Journey::taken_up(kept, fields.whole("state")) else {
        let trouble = Trouble::of(&headers, StatusCode::FORBIDDEN, "sign_in.again");
        return form(&desk, &headers, "/", Some(trouble));
    };
    let known = who(provider, &journey, &fields).await;
    let answer = match known {
        Ok(name) => let_in(&desk, &headers, &journey, &name).await,
        Err(error) => form(
            &desk,
            &headers,
            &journey.next,
            Some(trouble(&headers, &error)),
        ),
    };
    // What was brought back is good once.
    let gone = travelling_cookie("", 0, desk.is_secure);
    (AppendHeaders([(header::SET_COOKIE, gone)]), answer).into_response()
}

/// Whom the provider sends back.
async fn who(
    provider: &Provider,
    journey: &Journey,
    fields: &Fields,
) -> Result<String, ProviderError> {
    if let Some(issuer) = fields.get("iss") {
        provider.is_from(issuer)?;
    }
    let Some(code) = fields.get("code") else {
        let error = fields.get("error").unwrap_or("neither code nor error");
        return Err(ProviderError::Refused(error.chars().take(64).collect()));
    };
    provider.who(journey, code, clock::now()).await
}

/// `GET /sign-in/elsewhere/left`: for who signed out here. At a desk that several share, the next
/// one would come in by their name without being asked anything.
pub(super) async fn left(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let Some(provider) = &desk.provider else {
        return page::on_to("/sign-in");
    };
    let texts = accepted(&headers);
    let words = [("provider", provider.name())];
    let body = html! {
        p { (texts.fill("sign_in.left", &words)) }
        p { a.button.main href=(END) { (texts.fill("sign_in.left_end", &words)) } }
        p { a href="/sign-in" { (texts.say("sign_in.title")) } }
    };
    page::door(texts, StatusCode::OK, body)
}

/// `GET /sign-in/elsewhere/end`: on to where the provider ends what it knows of this browser.
///
/// Anybody can send a browser there, here or by the provider's own address: it asks before it ends
/// anything, for nothing of ours tells it who somebody is (OpenID Connect RP-Initiated Logout, §2).
pub(super) async fn end(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let Some(provider) = &desk.provider else {
        return page::on_to("/sign-in");
    };
    match provider.way_out(clock::now()).await {
        Ok(Some(place)) => page::on_to(&place),
        Ok(None) => {
            let trouble = Trouble::of(&headers, StatusCode::NOT_FOUND, "sign_in.elsewhere_endless");
            form(&desk, &headers, "/", Some(trouble))
        }
        Err(error) => form(&desk, &headers, "/", Some(trouble(&headers, &error))),
    }
}

async fn let_in(desk: &Desk, headers: &HeaderMap, journey: &Journey, name: &str) -> Response {
    let Some(user) = desk.users.from_elsewhere(name) else {
        tracing::warn!(
            oidc = name,
            "the provider of identities knows somebody whom no user names"
        );
        let trouble = Trouble::unknown(headers, name);
        return form(desk, headers, &journey.next, Some(trouble));
    };
    let before = read_cookie(headers, &cookie_name("session", desk.is_secure));
    match desk.let_in(&user, before, Proof::Provider).await {
        Ok(id) => {
            let kept = cookie("session", id.text(), desk.is_secure);
            let texts = user.language.unwrap_or_else(|| accepted(headers));
            let onward = page::onward(texts, &journey.next);
            (AppendHeaders([(header::SET_COOKIE, kept)]), onward).into_response()
        }
        Err(_) => page::refusal(accepted(headers), StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn trouble(headers: &HeaderMap, error: &ProviderError) -> Trouble {
    tracing::warn!(%error, "a sign-in by the provider of identities failed");
    match error {
        ProviderError::Gone(_) => {
            Trouble::of(headers, StatusCode::BAD_GATEWAY, "sign_in.elsewhere_gone")
        }
        ProviderError::Refused(_) => {
            Trouble::of(headers, StatusCode::FORBIDDEN, "sign_in.elsewhere_refused")
        }
        ProviderError::Unproven(_) => {
            Trouble::of(headers, StatusCode::FORBIDDEN, "sign_in.elsewhere_unproven")
        }
    }
}
