//! What waits for somebody: for the one who begins a shift.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Severity, State as Stand};
use noroshi_store::changes::Shown;
use noroshi_store::figures::Look;
use noroshi_store::listing::{Order, PAGE, Wanted};
use noroshi_store::remedy::Remedy;
use uuid::Uuid;

use super::acts::{NOTE_MAX, TOGETHER_MAX};
use super::{alerts, sensors};
use crate::desk::Desk;
use crate::fields::{Asked, Fields};
use crate::guard::Visitor;
use crate::hand_over::{self, Verdict};
use crate::page::{Failed, Page, lasted, minute, number, page_or, severity, token, wide};
use crate::rights::may;
use crate::sight::{Sight, names_sources, subject};

/// Hours of a shift, unless told otherwise; and at most.
const HOURS: u64 = 8;
const HOURS_MAX: u64 = 168;
/// Pages of open cases that are looked through for those that wait.
const PAGES_MAX: u32 = 20;
/// Notes shown of those before.
const NOTES_MAX: usize = 3;
/// Notes whose digests are looked at: a month of three shifts a day.
const CHECKED_MAX: u32 = 100;
/// Escalations shown.
const ESCALATED_MAX: u32 = 50;
/// Messages shown that did not arrive.
const FAILED_MAX: u32 = 50;

/// `GET /shift`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor, &fields).await)
}

async fn show(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let newest = desk.newest().await?;
    let notes = desk.store.hand_overs(CHECKED_MAX).await?;
    let last = notes.first().map(|note| note.at);
    let since = since(fields, newest, last)?;
    let hours = newest.0.saturating_sub(since.0).div_ceil(3_600_000);
    let opened = Wanted {
        from: Some(since),
        states: Vec::new(),
        ..Wanted::default()
    };
    let (opened, total) = alerts::find(desk, visitor, &opened).await?;
    let waiting = waiting(desk, visitor).await?;
    let body = html! {
        form.filters method="get" action="/shift" {
            label { (texts.say("shift.hours"))
                input type="number" name="hours" min="1" max=(HOURS_MAX) value=(hours);
            }
            button { (texts.say("alerts.show")) }
            span.soft { (texts.say("shift.since")) " " span.t { (minute(since)) } " UTC" }
        }
        (handed_over(visitor, &notes))
        (escalated(desk, visitor, since).await?)
        (awaiting(visitor, &waiting))
        section.sheet {
            h2 { (texts.say("shift.opened")) }
            @if opened.is_empty() { p.soft { (texts.say("alerts.none")) } } @else {
                div.wide { (alerts::table(visitor, &opened)) }
                @if total > opened.len() as u64 {
                    p.note { a href="/alerts?state=any" { (texts.fill("shift.more", &[("total", &number(total))])) } }
                }
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

/// The beginning of what is shown: as many hours back as are asked for, else the last hand-over,
/// where there was one within [`HOURS_MAX`].
fn since(fields: &Fields, newest: Millis, last: Option<Millis>) -> Result<Millis, Failed> {
    let back = |hours: u64| Millis(newest.0.saturating_sub(hours * 3_600_000));
    if let Some(hours) = fields.get("hours") {
        let hours: u64 = hours.parse().map_err(|_| Failed::Wrong)?;
        return Ok(back(hours.clamp(1, HOURS_MAX)));
    }
    let recent = |last: &Millis| back(HOURS_MAX) <= *last && *last < newest;
    Ok(last.filter(recent).unwrap_or_else(|| back(HOURS)))
}

/// What those before left to say, and the form to leave something.
fn handed_over(visitor: &Visitor, notes: &[Look]) -> Markup {
    let texts = visitor.texts;
    let are_all = notes.len() < CHECKED_MAX as usize;
    let verdicts = hand_over::verdicts(notes, are_all);
    html! {
        section.sheet {
            h2 { (texts.say("shift.notes")) }
            @if notes.is_empty() { p.soft { (texts.say("shift.no_notes")) } }
            @for (note, verdict) in notes.iter().zip(&verdicts).take(NOTES_MAX) {
                p.said { (note.purpose) }
                p.note { (note.who) " · " span.t { (minute(note.at)) } }
                @if let Some(digest) = hand_over::digest(note) { p.note.mono { "SHA-256 " (digest) } }
                @if *verdict == Verdict::Bare { p.note { (texts.say("shift.bare")) } }
            }
            (chain(visitor, notes, &verdicts))
            @if may(&visitor.session.user.role, "POST", "/shift/hand-over") {
                form method="post" action="/shift/hand-over" {
                    (token(visitor))
                    label { (texts.say("shift.note"))
                        textarea name="note" required maxlength=(NOTE_MAX) {}
                    }
                    div.actions { button { (texts.say("shift.hand_over")) } }
                }
            }
        }
    }
}

/// Whether each note follows from the one before, in a line; where not, from which on.
fn chain(visitor: &Visitor, notes: &[Look], verdicts: &[Verdict]) -> Markup {
    let texts = visitor.texts;
    let holding = verdicts.iter().filter(|one| **one == Verdict::Holds);
    let holding = number(holding.count() as u64);
    let mut pairs = notes.iter().zip(verdicts);
    let broken = pairs.find(|(_, verdict)| **verdict == Verdict::Broken);
    html! {
        @if let Some((note, _)) = broken {
            p.alertbox { (texts.say("shift.broken")) " " (note.who) " · " span.t { (minute(note.at)) } }
        } @else if verdicts.contains(&Verdict::Holds) {
            p.note { (texts.fill("shift.holds", &[("notes", &holding)])) }
        }
    }
}

/// Cases that grew more urgent, or that nobody answered.
async fn escalated(desk: &Desk, visitor: &Visitor, since: Millis) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let escalated = desk.store.escalated(since, ESCALATED_MAX).await?;
    let ids: Vec<Uuid> = escalated.iter().map(|one| one.case).collect();
    let mut cases = BTreeMap::new();
    for shown in desk.store.show(desk.store.cases_of(&ids).await?).await? {
        cases.insert(shown.alert.id, shown);
    }
    let known = escalated
        .iter()
        .filter_map(|one| Some((one, cases.get(&one.case)?)));
    let known: Vec<_> = known.collect();
    Ok(html! {
        section.sheet {
            h2 { (texts.say("shift.escalated")) }
            @if known.is_empty() { p.soft { (texts.say("shift.none_escalated")) } } @else { (wide(texts.say("shift.escalated"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("alerts.severity")) }
                    th scope="col" { (texts.say("alerts.kind")) }
                    th scope="col" { (texts.say("alerts.subject")) }
                    th scope="col" { (texts.say("alerts.partner")) }
                    th scope="col" { (texts.say("shift.error")) }
                    th scope="col" { (texts.say("alert.when")) }
                } }
                tbody { @for (one, shown) in known { tr {
                    @let alert = &shown.alert;
                    td { (severity(texts, alert.severity)) }
                    td { a href={ "/alerts/" (alert.id) } { (texts.word("kind", alert.kind.name())) } }
                    td { (masked(visitor, alert)) }
                    td { (alert.partner.as_deref().unwrap_or("–")) }
                    td { (texts.word("escalation", one.why.name())) }
                    td.t { (minute(one.at)) }
                } } }
            } })) }
        }
    })
}

/// Its subject in a list of the shift's, where nobody said what for: without an address.
fn masked(visitor: &Visitor, alert: &Alert) -> String {
    let seen = if names_sources(alert) {
        Sight::Masked
    } else {
        Sight::Sums
    };
    subject(visitor.texts, alert, seen)
}

/// Open cases that wait, the most urgent first, as many as can be acknowledged together.
async fn waiting(desk: &Desk, visitor: &Visitor) -> Result<Vec<Shown>, Failed> {
    let mut wanted = Wanted {
        states: vec![Stand::New, Stand::Continuing],
        order: Order::Severity,
        ..Wanted::default()
    };
    let mut waiting = Vec::new();
    while waiting.len() < TOGETHER_MAX && wanted.page < PAGES_MAX {
        let (mut shown, total) = alerts::find(desk, visitor, &wanted).await?;
        shown.retain(waits);
        waiting.extend(shown);
        wanted.page += 1;
        if u64::from(wanted.page) * u64::from(PAGE) >= total {
            break;
        }
    }
    waiting.truncate(TOGETHER_MAX);
    Ok(waiting)
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
                    (wide(texts.say("shift.waiting"), html! { table {
                        thead { tr {
                            @if may_act { th scope="col" { (texts.say("shift.choose")) } }
                            th scope="col" { (texts.say("alerts.severity")) }
                            th scope="col" { (texts.say("alerts.kind")) }
                            th scope="col" { (texts.say("alerts.subject")) }
                            th scope="col" { (texts.say("alerts.partner")) }
                            th scope="col" { (texts.say("alerts.opened")) }
                        } }
                        tbody { @for one in waiting { (row(visitor, one, may_act)) } }
                    } }))
                    @if may_act { div.actions { button { (texts.say("shift.acknowledge")) } } }
                }
            }
        }
    }
}

fn row(visitor: &Visitor, one: &Shown, may_act: bool) -> Markup {
    let (texts, alert) = (visitor.texts, &one.alert);
    let name = masked(visitor, alert);
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
            @if failing.is_empty() { p.soft { (texts.say("shift.none_failed")) } } @else { (wide(texts.say("shift.failed"), html! { table {
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
            } })) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_begins_with_the_last_hand_over() {
        let hour = 3_600_000;
        let newest = Millis(1_000 * hour);
        let from = |query: &str, last: Option<u64>| {
            let fields = Fields::read(query.as_bytes());
            let since = since(&fields, newest, last.map(|hours| Millis(hours * hour)));
            since.ok().map(|since| since.0 / hour)
        };
        assert_eq!(from("", None), Some(992));
        assert_eq!(from("", Some(990)), Some(990));
        assert_eq!(from("", Some(100)), Some(992), "too long ago");
        assert_eq!(from("", Some(1_001)), Some(992), "figures are of the past");
        assert_eq!(from("hours=24", Some(990)), Some(976));
        assert_eq!(from("hours=9999", None), Some(832));
        assert_eq!(from("hours=x", None), None);
    }
}
