//! The rows beneath what one source did: as they were kept, without targets, a page at a time or as
//! CSV.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::sources::{FlowRow, ROWS_MAX, ROWS_PAGE, RowsWanted};

use super::search::{period, range, service};
use super::source::{Door, door};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::guard::Visitor;
use crate::page::{Failed, Page, number, page_or};

/// `GET /explore/sources/{address}/rows`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Path(address): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = (address.as_str(), query.as_deref().unwrap_or(""));
    page_or(visitor.texts, show(&desk, &visitor, asked).await)
}

/// `GET /explore/sources/{address}/rows.csv`
pub(super) async fn csv(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Path(address): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = (address.as_str(), query.as_deref().unwrap_or(""));
    page_or(visitor.texts, take(&desk, &visitor, asked).await)
}

/// What is asked for, once the door to it is open.
struct Asked {
    wanted: RowsWanted,
    page: u64,
}

async fn asked(
    desk: &Desk,
    visitor: &Visitor,
    (address, query): (&str, &str),
) -> Result<Result<Asked, Response>, Failed> {
    let fields = Fields::read(query.as_bytes());
    let range = range(&fields, desk.newest().await?).ok_or(Failed::Wrong)?;
    let service = service(&fields).ok_or(Failed::Wrong)?;
    let sensor = fields.get("sensor").unwrap_or("");
    let page = fields.get("page").unwrap_or("1").parse::<u64>();
    let page = page
        .ok()
        .filter(|page| (1..=u64::from(ROWS_MAX / ROWS_PAGE)).contains(page));
    let page = page.ok_or(Failed::Wrong)? - 1;
    if !(sensor.is_empty() || SensorId::new(sensor).is_some()) {
        return Err(Failed::Wrong);
    }
    let range = desk.store.within_reach(range, sensor).await?;
    let here = format!("/explore/sources/{address}/rows?{query}");
    Ok(
        match door(desk, visitor, (address, "rows", &here), &range).await? {
            Door::Closed(answer) => Err(answer),
            Door::Open(opened) => Ok(Asked {
                wanted: RowsWanted {
                    source: opened.source,
                    range,
                    service,
                    sensor: sensor.to_owned(),
                },
                page,
            }),
        },
    )
}

async fn show(desk: &Desk, visitor: &Visitor, place: (&str, &str)) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let asked = match asked(desk, visitor, place).await? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    let (wanted, fields) = (&asked.wanted, Fields::read(place.1.as_bytes()));
    let offset = asked.page * u64::from(ROWS_PAGE);
    let mut rows = desk
        .store
        .source_rows(wanted, ROWS_PAGE + 1, offset)
        .await?;
    let is_more =
        rows.len() > ROWS_PAGE as usize && offset + u64::from(ROWS_PAGE) < u64::from(ROWS_MAX);
    rows.truncate(ROWS_PAGE as usize);
    let path = format!("/explore/sources/{}", wanted.source);
    let body = html! {
        p { a href={ (path) "?" (fields.with("page", "1")) } { (texts.say("inquiry.back")) } }
        section.sheet {
            (period(visitor, &wanted.range))
            p.note {
                @if let Some(service) = wanted.service { span.mono { (service) } " · " }
                @if !wanted.sensor.is_empty() { span.mono { (wanted.sensor) } " · " }
                a href={ (path) "/rows.csv?" (fields.with("page", "1")) } {
                    (texts.fill("inquiry.csv", &[("most", &number(u64::from(ROWS_MAX)))]))
                }
            }
            @if rows.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else {
                div.wide { (table(visitor, &rows)) }
            }
            div.pages {
                @if asked.page > 0 {
                    a rel="prev" href={ (path) "/rows?" (fields.with("page", &asked.page.to_string())) } { (texts.say("alerts.previous")) }
                }
                @if is_more {
                    a rel="next" href={ (path) "/rows?" (fields.with("page", &(asked.page + 2).to_string())) } { (texts.say("alerts.next")) }
                }
            }
        }
    };
    let title = texts.fill("inquiry.rows_of", &[("source", &wanted.source.to_string())]);
    Ok(Page {
        place: "/explore",
        title: &title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

fn table(visitor: &Visitor, rows: &[FlowRow]) -> Markup {
    let texts = visitor.texts;
    html! {
        table {
            thead { tr {
                th scope="col" { (texts.say("alert.first_seen")) }
                th.n scope="col" { (texts.say("inquiry.lasted")) }
                th scope="col" { (texts.say("sensors.sensor")) }
                th scope="col" { (texts.say("alert.service")) }
                th scope="col" { (texts.say("alert.class")) }
                th.n scope="col" { (texts.say("alert.packets")) }
                th.n scope="col" { (texts.say("inquiry.bytes")) }
                th.n scope="col" { (texts.say("alert.targets")) }
                th.n scope="col" { (texts.say("alert.source_port")) }
                th.n scope="col" { "TTL" }
                th.n scope="col" { (texts.say("inquiry.window")) }
                th scope="col" { (texts.say("inquiry.options")) }
                th scope="col" { (texts.say("alert.fingerprint")) }
            } }
            tbody { @for row in rows { tr {
                td.t { (second(row.first)) }
                td.n { (format!("{:.1} s", row.lasted as f64 / 1_000.0)) }
                td.mono { (row.sensor) }
                td.mono { (row.service) }
                td { (row.class) }
                td.n { (number(row.packets)) }
                td.n { (number(row.bytes)) }
                td.n { (number(u64::from(row.targets))) }
                td.n { @if row.source_port > 0 { (row.source_port) } @else { "–" } }
                td.n { (row.ttl_min) @if row.ttl_max > u16::from(row.ttl_min) { "–" (row.ttl_max) } }
                td.n { (row.window) }
                td { (row.options) }
                td { (row.marks) }
            } } }
        }
    }
}

/// `2026-11-02 06:00:01`, in UTC.
fn second(at: i64) -> String {
    let text = Millis(u64::try_from(at).unwrap_or(0)).to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

async fn take(desk: &Desk, visitor: &Visitor, place: (&str, &str)) -> Result<Response, Failed> {
    let wanted = match asked(desk, visitor, place).await? {
        Ok(asked) => asked.wanted,
        Err(answer) => return Ok(answer),
    };
    let mut text = "first,milliseconds,sensor,service,class,packets,bytes,targets,source_port,ttl_min,ttl_max,\
                    window,options,fingerprints\r\n"
        .to_owned();
    for row in desk.store.source_rows(&wanted, ROWS_MAX, 0).await? {
        let first = Millis(u64::try_from(row.first).unwrap_or(0));
        text += &format!(
            "{first},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
            row.lasted,
            row.sensor,
            row.service,
            row.class,
            row.packets,
            row.bytes,
            row.targets,
            row.source_port,
            row.ttl_min,
            row.ttl_max,
            row.window,
            row.options,
            row.marks
        );
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"rows.csv\"",
        ),
    ];
    Ok((headers, text).into_response())
}
