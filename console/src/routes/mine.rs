//! What a partner has to do, what it receives, and who looked at what is its own.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Kind, State as Stand};
use noroshi_store::changes::Shown;
use noroshi_store::listing::{Order, Wanted};
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::partner::Partner;

use super::alerts;
use super::trial::TOKEN_MAX;
use crate::clock;
use crate::desk::Desk;
use crate::guard::Visitor;
use crate::page::{Failed, Page, lasted, minute, page_or, severity, token, wide};
use crate::sight::{Sight, subject};

/// Looks shown.
const LOOKS_MAX: u32 = 30;
/// Milliseconds over which feeds that were read are told: thirty days.
const READ_BACK: u64 = 30 * 86_400_000;
/// What a partner's machines read.
pub(super) struct Feed {
    pub(super) name: &'static str,
    /// The paths of all of it begin with this.
    root: &'static str,
    /// What a machine asks for first.
    pub(super) first: &'static str,
}

const fn feed(name: &'static str, root: &'static str, first: &'static str) -> Feed {
    Feed { name, root, first }
}

pub(super) const FEEDS: [Feed; 6] = [
    feed("JSON Lines", "/v1/alerts.jsonl", "/v1/alerts.jsonl"),
    feed("IntelMQ", "/v1/events.jsonl", "/v1/events.jsonl"),
    feed("TAXII 2.1 / STIX", "/taxii2/", "/taxii2/"),
    feed("MISP", "/misp/", "/misp/manifest.json"),
    feed("CEF", "/v1/alerts.cef", "/v1/alerts.cef"),
    feed("CSV (Shadowserver)", "/v1/reports/", "/v1/reports/"),
];

/// `GET /mine`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor).await)
}

async fn show(desk: &Desk, visitor: &Visitor) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let own = visitor.session.user.partner().ok_or(Failed::Unknown)?;
    let partner = desk.registry.partner(own).ok_or(Failed::Unknown)?;
    let wanted = Wanted {
        states: vec![Stand::New, Stand::Continuing],
        order: Order::Severity,
        ..Wanted::default()
    };
    let wanted = Wanted {
        partner: Some(own.clone()),
        ..wanted
    };
    let (open, _) = alerts::find(desk, visitor, &wanted).await?;
    let since = Millis(clock::now().0.saturating_sub(READ_BACK));
    let read = desk.store.feeds_read(own, since).await?;
    let (hosts, others): (Vec<Shown>, Vec<Shown>) = open
        .into_iter()
        .partition(|one| one.alert.kind == Kind::InfectedHost);
    let body = html! {
        p { a href="/mine/week" { (texts.say("mine.week")) } }
        (to_clean(visitor, &hosts))
        section.sheet {
            h2 { (texts.say("mine.others")) }
            @if others.is_empty() { p.soft { (texts.say("alerts.none")) } } @else {
                div.wide { (alerts::table(visitor, &others)) }
            }
            p.note { a href="/alerts?state=any" { (texts.say("mine.all")) } }
        }
        (feeds(desk, visitor, partner, &read))
        (credentials(visitor, partner))
        div.pair {
            (contacts(visitor, partner))
            (looks(desk, visitor, own).await?)
        }
    };
    let title = partner.name.clone();
    Ok(Page {
        place: "/mine",
        title: &title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

/// Hosts to clean, and how long each has been there.
fn to_clean(visitor: &Visitor, hosts: &[Shown]) -> Markup {
    let texts = visitor.texts;
    let now = clock::now();
    html! {
        section.sheet {
            h2 { (texts.say("mine.to_clean")) " (" (hosts.len()) ")" }
            @if hosts.is_empty() { p.soft { (texts.say("mine.none_to_clean")) } } @else { (wide(texts.say("mine.to_clean"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("alerts.severity")) }
                    th scope="col" { (texts.say("alerts.subject")) }
                    th scope="col" { (texts.say("alert.fingerprint")) }
                    th scope="col" { (texts.say("alert.first_seen")) }
                    th.n scope="col" { (texts.say("mine.for")) }
                    th scope="col" { (texts.say("alerts.stands")) }
                } }
                tbody { @for one in hosts { tr {
                    td { (severity(texts, one.alert.severity)) }
                    td.mono { a href={ "/alerts/" (one.alert.id) } { (subject(texts, &one.alert, Sight::Whole)) } }
                    td { (one.alert.evidence.fingerprint.as_deref().unwrap_or("–")) }
                    td.t { (minute(one.alert.first_seen)) }
                    td.n { (lasted(texts, now.0.saturating_sub(one.alert.first_seen.0))) }
                    td { (alerts::stands(texts, one)) }
                } } }
            } })) }
        }
    }
}

/// Each feed, when its machines read it last, and the line that tries it.
fn feeds(desk: &Desk, visitor: &Visitor, partner: &Partner, read: &[(String, Millis)]) -> Markup {
    let texts = visitor.texts;
    let last = |feed: &Feed| {
        let of_feed = read
            .iter()
            .filter(|(known, _)| known.starts_with(feed.root));
        of_feed.map(|(_, at)| *at).max()
    };
    html! {
        section.sheet {
            h2 { (texts.say("mine.feeds")) }
            form method="post" action="/mine/trial" {
                (token(visitor))
                label { (texts.say("trial.token"))
                    input type="password" name="secret" required maxlength=(TOKEN_MAX) autocomplete="off";
                }
                button { (texts.say("trial.try")) }
            }
            p.note { (texts.say("trial.about")) }
            p.note { (texts.say("mine.test_about")) " " a href="/mine" { (texts.say("mine.look_again")) } }
            (wide(texts.say("mine.feeds"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("mine.feed")) }
                    th scope="col" { (texts.say("mine.test")) }
                    th scope="col" { (texts.say("mine.last_read")) }
                } }
                tbody { @for feed in &FEEDS { tr {
                    td { (feed.name) }
                    td.mono { "curl --fail --user " (partner.id) " " (desk.feeds_url) (feed.first) }
                    @if let Some(at) = last(feed) { td.t { (minute(at)) } }
                    @else { td.soft { (texts.say("mine.never_read")) } }
                } } }
            } }))
        }
    }
}

/// How to come by another token: the centre keeps a digest, so it can be drawn where it is used.
fn credentials(visitor: &Visitor, partner: &Partner) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet {
            h2 { (texts.say("mine.credentials")) }
            p { (texts.say("mine.token")) }
            p { (texts.say("mine.new_token")) }
            (wide(texts.say("mine.credentials"), html! { pre { "openssl rand -base64 32 | tr -d '\\n' > token\nsha256sum token" } }))
            p.note { (texts.fill("mine.both", &[("partner", partner.id.as_str())])) }
        }
    }
}

fn contacts(visitor: &Visitor, partner: &Partner) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet {
            h2 { (texts.say("mine.contacts")) }
            @if partner.contacts.is_empty() { p.soft { (texts.say("mine.no_contacts")) } } @else {
                ul { @for contact in &partner.contacts { li { (contact) } } }
            }
        }
    }
}

async fn looks(desk: &Desk, visitor: &Visitor, own: &PartnerId) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let looks = desk.store.looks(own.as_str(), LOOKS_MAX).await?;
    let prefix = format!("console view {own} ");
    Ok(html! {
        section.sheet {
            h2 { (texts.say("mine.looks")) }
            p.note { (texts.say("mine.looks_about")) }
            (wide(texts.say("mine.looks"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("alert.when")) }
                    th scope="col" { (texts.say("alert.who")) }
                    th scope="col" { (texts.say("mine.looked_at")) }
                    th scope="col" { (texts.say("mine.purpose")) }
                } }
                tbody { @for look in &looks { tr {
                    td.t { (minute(look.at)) }
                    td { (looker(visitor, &look.who)) }
                    td { (look.action.strip_prefix(&prefix).unwrap_or("")) }
                    td { (look.purpose) }
                } } }
            } }))
        }
    })
}

/// Who looked: its own people by name, those of the centre by their role.
fn looker<'a>(visitor: &'a Visitor, who: &'a str) -> &'a str {
    if who.starts_with("partner:") {
        return who;
    }
    let role = who.split(':').next().unwrap_or(who);
    visitor.texts.word("role", role)
}
