//! What waits for somebody: for the one who begins a shift.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Severity, State as Stand};
use noroshi_store::changes::Shown;
use noroshi_store::listing::{Order, Wanted};
use noroshi_store::remedy::Remedy;

use super::{alerts, sensors};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::guard::Visitor;
use crate::page::{Failed, Page, lasted, minute, page_or, severity, token};
use crate::rights::may;
use crate::sight::{Sight, names_sources, subject};

/// Hours of a shift, unless told otherwise; and at most.
const HOURS: u64 = 8;
const HOURS_MAX: u64 = 168;
/// Messages shown that did not arrive.
const FAILED_MAX: u32 = 50;

/// `GET /shift`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    page_or(visitor.texts, show(&desk, &visitor, &fields).await)
}

async fn show(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let hours = fields
        .get("hours")
        .map_or(Ok(HOURS), str::parse)
        .map_err(|_| Failed::Wrong)?;
    let hours = hours.clamp(1, HOURS_MAX);
    let newest = desk.newest().await?;
    let since = Millis(newest.0.saturating_sub(hours * 3_600_000));
    let opened = Wanted {
        from: Some(since),
        ..Wanted::default()
    };
    let (opened, _) = alerts::find(desk, visitor, &opened).await?;
    let waiting = Wanted {
        states: vec![Stand::New, Stand::Continuing],
        order: Order::Severity,
        ..Wanted::default()
    };
    let (mut waiting, _) = alerts::find(desk, visitor, &waiting).await?;
    waiting.retain(waits);
    let body = html! {
        form.filters method="get" action="/shift" {
            label { (texts.say("shift.hours"))
                input type="number" name="hours" min="1" max=(HOURS_MAX) value=(hours);
            }
            button { (texts.say("alerts.show")) }
            span.soft { (texts.say("shift.since")) " " span.t { (minute(since)) } " UTC" }
        }
        (awaiting(visitor, &waiting))
        section.sheet {
            h2 { (texts.say("shift.opened")) }
            @if opened.is_empty() { p.soft { (texts.say("alerts.none")) } } @else {
                div.wide { (alerts::table(visitor, &opened)) }
            }
        }
        div.pair {
            (failed(desk, visitor).await?)
            (silent(desk, visitor, newest).await?)
        }
    };
    let title = texts.word("place", "shift");
    Ok(Page {
        place: "/shift",
        title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

/// Somebody should have taken it up: it is urgent, a partner's, and where it was delivered.
fn waits(one: &Shown) -> bool {
    let state = one
        .remedy
        .as_ref()
        .map_or(Remedy::Delivered, |standing| standing.state);
    one.alert.severity >= Severity::Medium && state == Remedy::Delivered
}

fn awaiting(visitor: &Visitor, waiting: &[Shown]) -> Markup {
    let texts = visitor.texts;
    let may_act = may(&visitor.session.user.role, "POST", "/shift/acknowledge");
    html! {
        section.sheet {
            h2 { (texts.say("shift.waiting")) }
            @if waiting.is_empty() { p.soft { (texts.say("shift.none_waiting")) } } @else {
                form method="post" action="/shift/acknowledge" {
                    (token(visitor))
                    div.wide { table {
                        thead { tr {
                            @if may_act { th scope="col" { (texts.say("shift.choose")) } }
                            th scope="col" { (texts.say("alerts.severity")) }
                            th scope="col" { (texts.say("alerts.kind")) }
                            th scope="col" { (texts.say("alerts.subject")) }
                            th scope="col" { (texts.say("alerts.partner")) }
                            th scope="col" { (texts.say("alerts.opened")) }
                        } }
                        tbody { @for one in waiting { (row(visitor, one, may_act)) } }
                    } }
                    @if may_act { div.actions { button { (texts.say("shift.acknowledge")) } } }
                }
            }
        }
    }
}

fn row(visitor: &Visitor, one: &Shown, may_act: bool) -> Markup {
    let (texts, alert) = (visitor.texts, &one.alert);
    let seen = if names_sources(alert) {
        Sight::Masked
    } else {
        Sight::Sums
    };
    let name = subject(texts, alert, seen);
    html! {
        tr {
            @if may_act {
                td { input type="checkbox" name="case" value=(alert.id) aria-label=(name); }
            }
            td { (severity(texts, alert.severity)) }
            td { a href={ "/alerts/" (alert.id) } { (texts.word("kind", alert.kind.name())) } }
            td { (name) }
            td { (alert.partner.as_deref().unwrap_or("–")) }
            td.t { (minute(alert.opened_at)) }
        }
    }
}

/// Messages that did not reach their partners.
async fn failed(desk: &Desk, visitor: &Visitor) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let failing = desk.store.failing_deliveries(None, FAILED_MAX).await?;
    Ok(html! {
        section.sheet {
            h2 { (texts.say("shift.failed")) }
            @if failing.is_empty() { p.soft { (texts.say("shift.none_failed")) } } @else { div.wide { table {
                thead { tr {
                    th scope="col" { (texts.say("alerts.partner")) }
                    th scope="col" { (texts.say("shift.channel")) }
                    th scope="col" { (texts.say("shift.planned")) }
                    th scope="col" { (texts.say("shift.error")) }
                } }
                tbody { @for one in &failing { tr {
                    td { (one.partner) }
                    td { (one.channel) }
                    td.t { (minute(one.planned_at)) }
                    td { (one.error) }
                } } }
            } } }
        }
    })
}

async fn silent(desk: &Desk, visitor: &Visitor, newest: Millis) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let mut silent = sensors::known(desk, newest).await?;
    silent.retain(|sensor| sensor.is_silent(newest));
    Ok(html! {
        section.sheet {
            h2 { (texts.say("shift.silent")) }
            @if silent.is_empty() { p.soft { (texts.say("shift.none_silent")) } } @else { ul {
                @for sensor in &silent { li {
                    span.mono { (sensor.id) } " · " (sensor.partner)
                    @if let Some(behind) = sensor.behind(newest) { " · " (lasted(texts, behind)) }
                } }
            } }
        }
    })
}
