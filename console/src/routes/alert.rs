//! One case: what was seen, why it is told, what became of it, and what may be done.

mod told;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use noroshi_store::alert::{Alert, Kind, Subject};
use noroshi_store::changes::Shown;
use noroshi_store::deeds::Deed;
use noroshi_store::figures::Bins;
use uuid::Uuid;

use super::sources::CENTRE;
use crate::desk::Desk;
use crate::guard::Visitor;
use crate::page::{Failed, Page, minute, number, page_or, wide};
use crate::plot::Plot;
use crate::sight::{Sight, names_sources, sight, subject};
use crate::user::Role;

/// Seconds before its first packet from which a subject's line begins.
const BEFORE: u64 = 6 * 3_600;
/// Seconds after its last packet until which it goes on.
const AFTER: u64 = 3_600;
/// The longest line: a case that lasts for weeks is shown from its beginning.
const LONGEST: u64 = 3 * 86_400;
/// Seconds of a bin of what surges: what the detector counts by.
const SURGE_BIN: u64 = 600;

/// `GET /alerts/{id}`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor, &id).await)
}

/// A case that who asks may know of, as they may know it. Another's answers as none.
pub(super) async fn known(desk: &Desk, visitor: &Visitor, id: &str) -> Result<Shown, Failed> {
    let id: Uuid = id.parse().map_err(|_| Failed::Unknown)?;
    let Some(own) = visitor.session.user.partner() else {
        let case = desk.store.alert(id).await?.ok_or(Failed::Unknown)?;
        return desk
            .store
            .show(vec![case])
            .await?
            .pop()
            .ok_or(Failed::Unknown);
    };
    let shown = desk.store.shown_to(own, id).await?;
    shown
        .filter(|shown| shown.alert.partner.as_deref() == Some(own.as_str()))
        .ok_or(Failed::Unknown)
}

async fn show(desk: &Desk, visitor: &Visitor, id: &str) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let shown = known(desk, visitor, id).await?;
    let alert = &shown.alert;
    let seen = sight(visitor, alert);
    if seen == Sight::Whole {
        note_view(desk, visitor, alert).await?;
    }
    let history = told::history(desk, visitor, &shown, seen).await?;
    // A partner that scans from its own prefix could tell from a line which packets met a telescope.
    let line = match visitor.session.user.role {
        Role::Partner(_) => html! {},
        _ => line(desk, visitor, alert, seen).await?,
    };
    let body = html! {
        (told::head(visitor, &shown))
        @if seen == Sight::Masked { (told::ask(visitor, alert)) }
        div.pair {
            (told::facts(visitor, alert, seen))
            div {
                (told::actions(visitor, &shown))
                section.sheet { h2 { (texts.say("alert.history")) } (history) }
            }
        }
        (line)
    };
    let title = format!(
        "{}: {}",
        texts.word("kind", alert.kind.name()),
        subject(texts, alert, seen)
    );
    Ok(Page {
        place: "/alerts",
        title: &title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

/// No single source of a partner is shown before this is written down.
async fn note_view(desk: &Desk, visitor: &Visitor, alert: &Alert) -> Result<(), Failed> {
    let owner = alert.partner.as_deref().unwrap_or(CENTRE);
    let action = format!("console view {owner} alert {}", alert.id);
    let purpose = visitor.session.purpose(alert.id).unwrap_or("");
    desk.store
        .audit(&visitor.session.user.author(), &action, purpose)
        .await?;
    Ok(())
}

/// The subject over time, and what else it did; as far as the store has it and it may be seen.
async fn line(
    desk: &Desk,
    visitor: &Visitor,
    alert: &Alert,
    seen: Sight,
) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let drawn = match &alert.subject {
        Subject::Service { service, scope } => {
            let bins = bins(alert, SURGE_BIN);
            let country = Some(scope.as_str()).filter(|scope| *scope != "region");
            let services = [service.clone()];
            let mut lines = desk.store.service_lines(&services, country, &bins).await?;
            let line = lines.remove(service);
            line.map(|line| (texts.say("alert.sources_line"), bins, line, Vec::new()))
        }
        subject if seen == Sight::Whole => match address(subject) {
            Some(address) => {
                let bins = bins(alert, 60);
                let deeds = desk.store.deeds(address, &bins).await?;
                let any = deeds.line.iter().any(|value| *value > 0);
                let title = texts.say("alert.packets_line");
                any.then_some((title, bins, deeds.line, deeds.services))
            }
            None => None,
        },
        _ => None,
    };
    let Some((title, bins, line, deeds)) = drawn else {
        let why = match seen {
            Sight::Masked => texts.say("alert.line_masked"),
            _ => texts.say("alert.line_none"),
        };
        return Ok(html! { section.sheet { h2 { (texts.say("alert.line")) } p.soft { (why) } } });
    };
    let is_surge =
        matches!(alert.kind, Kind::ScanSurge | Kind::NewService) && bins.step == SURGE_BIN;
    let plot = Plot {
        title,
        bins: &bins,
        line: &line,
        usual: alert
            .evidence
            .usual
            .filter(|_| is_surge)
            .map(|usual| (usual, texts.say("alert.usual_line"))),
        fired: Some((alert.opened_at, texts.say("alert.fired"))),
    };
    let step = (bins.step / 60).to_string();
    Ok(html! {
        section.sheet {
            h2 { (title) }
            p.note { (texts.fill("alert.bins", &[("minutes", &step)])) }
            (plot.draw())
        }
        @if !deeds.is_empty() {
            @let title = texts.say("alert.deeds");
            section.sheet {
                h2 { (title) }
                (self::deeds(visitor, title, &deeds, |deed| html! { (number(deed.packets)) }))
            }
        }
    })
}

/// What one source did, by service and class; `packets` says how many, and may lead on.
pub(super) fn deeds(
    visitor: &Visitor,
    title: &str,
    deeds: &[Deed],
    packets: impl Fn(&Deed) -> Markup,
) -> Markup {
    let texts = visitor.texts;
    html! {
        (wide(title, html! { table {
            thead { tr {
                th scope="col" { (texts.say("alert.service")) }
                th scope="col" { (texts.say("alert.class")) }
                th.n scope="col" { (texts.say("alert.packets")) }
                th.n scope="col" { (texts.say("alert.sensors")) }
                th scope="col" { (texts.say("alert.first_seen")) }
                th scope="col" { (texts.say("alert.last_seen")) }
            } }
            tbody { @for deed in deeds { tr {
                td.mono { (deed.service) }
                td { (deed.class) }
                td.n { (packets(deed)) }
                td.n { (number(deed.sensors)) }
                td.t { (minute(deed.first)) }
                td.t { (minute(deed.last)) }
            } } }
        } }))
    }
}

/// Bins of at least `step` seconds around a case, not more than a plot can show.
fn bins(alert: &Alert, step: u64) -> Bins {
    let start = alert.first_seen.seconds().saturating_sub(BEFORE);
    let end =
        (alert.last_seen.seconds().max(alert.detected_at.seconds()) + AFTER).min(start + LONGEST);
    let step = (end.saturating_sub(start) / 216).div_ceil(step).max(1) * step;
    Bins::ending(end, step, end.saturating_sub(start).div_ceil(step).max(1))
}

fn address(subject: &Subject) -> Option<IpAddr> {
    match subject {
        Subject::Source { source, .. } => Some(*source),
        Subject::Victim { victim, .. } => victim.parse().ok(),
        _ => None,
    }
}

/// Whether there is a purpose to be asked for.
pub(super) fn needs_purpose(visitor: &Visitor, alert: &Alert) -> bool {
    names_sources(alert) && matches!(visitor.session.user.role, Role::Analyst | Role::Operator)
}
