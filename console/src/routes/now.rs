//! What goes on in the region, at a glance.

pub(super) mod map;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::State as Stand;
use noroshi_store::listing::{Order, Wanted};

use super::alerts;
use crate::desk::Desk;
use crate::glance::Glance;
use crate::guard::Visitor;
use crate::page::{Failed, Page, lasted, minute, number, page_or, wide};
use crate::plot::spark;
use crate::text::Texts;

/// Seconds between two looks of an open page.
const FRESH: u32 = 10;
/// Cases shown.
const CASES: usize = 12;
/// Milliseconds by which figures may be old before it is said: twice the longest interval, and the
/// analyzer's patience.
const STALE: u64 = 180_000;

/// `GET /now`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor).await)
}

async fn show(desk: &Desk, visitor: &Visitor) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let newest = desk.newest().await?;
    let glance = desk
        .glances
        .of(&desk.store, newest, crate::clock::now)
        .await?;
    let countries = &glance.countries;
    let body = html! {
        (age(visitor, newest))
        div.pair {
            section.sheet { h2 { (texts.say("now.leaving")) } (map::leaving(desk, texts, countries)) }
            section.sheet { h2 { (texts.say("now.hit")) } (map::hit(desk, texts, countries)) }
        }
        (cases(desk, visitor).await?)
        div.pair {
            (services(texts, &glance))
            (sensors(texts, &glance))
        }
    };
    let title = texts.say("now.title");
    Ok(Page {
        place: "/now",
        title,
        fresh: FRESH,
        body,
    }
    .answer(visitor))
}

/// Until when there are figures; and a warning where they are old.
fn age(visitor: &Visitor, newest: Millis) -> Markup {
    let texts = visitor.texts;
    let old = crate::clock::now().0.saturating_sub(newest.0);
    html! {
        p.soft { (texts.say("now.until")) " " span.t { (minute(newest)) } " UTC" }
        @if old > STALE {
            p.alertbox { (texts.fill("now.old", &[("age", &lasted(texts, old))])) }
        }
    }
}

async fn cases(desk: &Desk, visitor: &Visitor) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let wanted = Wanted {
        states: vec![Stand::New, Stand::Continuing],
        order: Order::Opened,
        ..Wanted::default()
    };
    let (mut shown, total) = alerts::find(desk, visitor, &wanted).await?;
    shown.truncate(CASES);
    Ok(html! {
        section.sheet {
            h2 { (texts.say("now.cases")) }
            @if shown.is_empty() { p.soft { (texts.say("now.no_cases")) } } @else {
                div.wide { (alerts::table(visitor, &shown)) }
                p.note { a href="/alerts" { (texts.fill("now.all_cases", &[("total", &number(total))])) } }
            }
        }
    })
}

fn services(texts: &Texts, glance: &Glance) -> Markup {
    let (services, lines) = (&glance.services, &glance.service_lines);
    html! {
        section.sheet {
            h2 { (texts.say("now.services")) }
            @if services.is_empty() { p.soft { (texts.say("now.nothing")) } } @else { (wide(texts.say("now.services"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("alert.service")) }
                    th.n scope="col" { (texts.say("alert.sources")) }
                    th.n scope="col" { (texts.say("alert.packets")) }
                    th scope="col" { (texts.say("now.three_hours")) }
                } }
                tbody { @for one in services { tr {
                    td.mono { (one.service) }
                    td.n { (number(one.sources)) }
                    td.n { (number(one.packets)) }
                    td { @if let Some(line) = lines.get(&one.service) { (spark(line)) } }
                } } }
            } })) }
        }
    }
}

fn sensors(texts: &Texts, glance: &Glance) -> Markup {
    let (lines, step) = (&glance.sensor_lines, glance.bins.step);
    html! {
        section.sheet {
            h2 { (texts.say("now.sensors")) }
            @if lines.is_empty() { p.soft { (texts.say("now.nothing")) } } @else { (wide(texts.say("now.sensors"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("sensors.sensor")) }
                    th.n scope="col" { (texts.say("now.rate")) }
                    th scope="col" { (texts.say("now.three_hours")) }
                } }
                tbody { @for (sensor, line) in lines { tr {
                    td.mono { (sensor) }
                    td.n { (rate(line, step)) }
                    td { (spark(line)) }
                } } }
            } })) }
        }
    }
}

/// Packets a second, in the last bin that is complete.
fn rate(line: &[u64], step: u64) -> String {
    let last = line.len().checked_sub(2).map_or(0, |place| line[place]);
    format!("{:.1}", last as f64 / step as f64)
}
