//! What a sensor's host sees of it: how it is, and the sums of what it saw. Never a single source.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::id::SensorId;
use noroshi_store::figures::Bins;
use noroshi_store::sources::{Apart, Search, Share};

use super::search::{period, within_reach};
use super::sensors::Roll;
use crate::desk::Desk;
use crate::fields::{Asked, Fields};
use crate::guard::Visitor;
use crate::page::{Failed, Page, number, page_or, wide};
use crate::plot::Plot;
use crate::user::Role;

/// Bins of the line: a day in quarters of an hour.
const BINS: u64 = 96;
const BIN_SECONDS: u64 = 900;
/// Services and countries shown.
const PARTS_SHOWN: usize = 20;

/// `GET /telescope`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor, &fields).await)
}

async fn show(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let Role::Host(own) = &visitor.session.user.role else {
        return Err(Failed::Unknown);
    };
    let wanted = fields.get("sensor");
    let mut own_ones = own.iter();
    let sensor = own_ones.find(|id| wanted.is_none_or(|wanted| id.as_str() == wanted));
    let sensor = sensor.ok_or(Failed::Unknown)?;
    let newest = desk.newest().await?;
    let is_own = |id: &str| own.iter().any(|one| one.as_str() == id);
    let roll = Roll::call(desk, newest, is_own).await?;
    let bins = Bins::ending(newest.seconds() + 1, BIN_SECONDS, BINS);
    let body = html! {
        p.soft { (texts.say("telescope.about")) }
        section.sheet {
            @if roll.sensors.is_empty() { p.soft { (texts.say("telescope.none")) } }
            @else { (roll.table(texts)) }
            p.note { (texts.say("sensors.enrol")) }
        }
        @if own.len() > 1 {
            nav.pages aria-label=(texts.word("place", "telescope")) { @for one in own {
                a href={ "/telescope?sensor=" (one) } aria-current=[(one == sensor).then_some("page")] { (one) }
            } }
        }
        (watched(desk, visitor, sensor, newest.seconds()))
        (line(desk, visitor, sensor, &bins).await?)
        div.pair {
            (parts(desk, visitor, (sensor, &bins), Apart::Service).await?)
            (parts(desk, visitor, (sensor, &bins), Apart::Country).await?)
        }
    };
    Ok(Page {
        place: "/telescope",
        title: texts.word("place", "telescope"),
        fresh: 60,
        body,
    }
    .answer(visitor))
}

/// The space that it watches, as the registry has it now.
fn watched(desk: &Desk, visitor: &Visitor, sensor: &SensorId, second: u64) -> Markup {
    let texts = visitor.texts;
    let known = desk.registry.sensor(sensor);
    let telescope = known.map(|known| known.telescope_at(second));
    let prefixes = telescope
        .map(|telescope| telescope.prefixes)
        .unwrap_or_default();
    html! {
        section.sheet {
            h2 { (sensor) ": " (texts.say("telescope.watched")) }
            @if prefixes.is_empty() { p.soft { (texts.say("telescope.watches_nothing")) } }
            @else { ul { @for prefix in &prefixes { li.mono { (prefix) } } } }
        }
    }
}

/// Its packets over the last day.
async fn line(
    desk: &Desk,
    visitor: &Visitor,
    sensor: &SensorId,
    bins: &Bins,
) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let lines = desk.store.sensor_lines(bins).await?;
    let line = lines.get(sensor.as_str());
    Ok(html! {
        section.sheet {
            h2 { (sensor) ": " (texts.say("telescope.line")) }
            @match line {
                None => p.soft { (texts.say("sensors.nothing")) },
                Some(line) => (Plot { title: texts.say("telescope.line"), bins, line, usual: None, fired: None }.draw()),
            }
        }
    })
}

/// What is scanned for, or from where, the most sources first.
async fn parts(
    desk: &Desk,
    visitor: &Visitor,
    (sensor, bins): (&SensorId, &Bins),
    by: Apart,
) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let search = Search {
        range: bins.range.clone(),
        sensor: sensor.to_string(),
        ..Search::default()
    };
    let search = within_reach(desk, search).await?;
    let parts = desk.store.search_parts(&search, by).await?;
    let title = match by {
        Apart::Country => texts.say("telescope.countries"),
        _ => texts.say("telescope.services"),
    };
    let name = |part: &Share| match part.of.as_str() {
        "" => texts.say("explore.unknown").to_owned(),
        of => of.to_owned(),
    };
    Ok(html! {
        section.sheet {
            h2 { (sensor) ": " (title) }
            (period(visitor, &search.range))
            @if parts.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else {
                (wide(title, html! { table {
                    thead { tr {
                        th scope="col" { (title) }
                        th.n scope="col" { (texts.say("alert.sources")) }
                        th.n scope="col" { (texts.say("alert.packets")) }
                    } }
                    tbody { @for part in parts.iter().take(PARTS_SHOWN) { tr {
                        td.mono { (name(part)) }
                        td.n { (number(part.sources)) }
                        td.n { (number(part.packets)) }
                    } } }
                } }))
            }
        }
    })
}
