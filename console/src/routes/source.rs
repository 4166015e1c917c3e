//! One source: all that packets that bear its address did, hour by hour, and where that is told.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::deeds::{Deed, SeenBy};
use noroshi_store::figures::Bins;
use noroshi_store::sources::SourceDay;

use super::sources::{Leave, ask, leave, note_view, owners_of};
use super::{alert, alerts, search};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::guard::Visitor;
use crate::page::{Failed, Page, minute, number, page_or, wide};
use crate::plot::Plot;
use crate::sight::is_open;

/// Bins of a line.
const BINS: u64 = 24;
/// Seconds of a bin: hours of a day, or less where so much arrives that a day cannot be searched through.
const BIN: RangeInclusive<u64> = 60..=3_600;

/// One source that may be shown, and the view of it written down.
pub(super) struct Opened {
    pub(super) source: IpAddr,
    pub(super) leave: Leave,
    pub(super) owners: BTreeSet<String>,
}

/// What stands between who asks and a source.
pub(super) enum Door {
    Open(Opened),
    /// A purpose is to be stated, or a case to be named.
    Closed(Response),
}

/// `GET /explore/sources/{address}`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Path(address): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = (address.as_str(), query.as_deref().unwrap_or(""));
    page_or(visitor.texts, show(&desk, &visitor, asked).await)
}

/// Lets who asks to `what` of a source, where a purpose was stated, and a case was named if it is a
/// partner's. It is written down before any of it is read; whose it is, is looked up before.
pub(super) async fn door(
    desk: &Desk,
    visitor: &Visitor,
    (address, what, here): (&str, &str, &str),
    range: &Range<u64>,
) -> Result<Door, Failed> {
    let source: IpAddr = address.parse().map_err(|_| Failed::Unknown)?;
    let source = source.to_canonical();
    let Some(leave) = leave(desk, visitor).await? else {
        return Ok(Door::Closed(closed(
            visitor,
            html! { (ask(visitor, None, here)) },
        )));
    };
    let owners = owners_of(desk, source, range).await?;
    let what = format!("{what} {source}");
    if !is_open(&owners, leave.partner()) {
        // that it is theirs can rest on its having been seen: who asks learns that much
        note_view(desk, visitor, &leave, (&owners, &format!("refused {what}"))).await?;
        let texts = visitor.texts;
        let names: Vec<&str> = owners.iter().map(String::as_str).collect();
        let body = html! {
            section.sheet {
                p { (texts.fill("inquiry.partners", &[("partner", &names.join(", "))])) }
                ul { @for name in &names {
                    li { a href={ "/alerts?partner=" (name) } { (texts.word("place", "alerts")) " · " (name) } }
                } }
            }
            (ask(visitor, Some(&leave), here))
        };
        return Ok(Door::Closed(closed(visitor, body)));
    }
    note_view(desk, visitor, &leave, (&owners, &what)).await?;
    Ok(Door::Open(Opened {
        source,
        leave,
        owners,
    }))
}

fn closed(visitor: &Visitor, body: Markup) -> Response {
    let page = Page {
        place: "/explore",
        title: visitor.texts.say("inquiry.one"),
        fresh: 0,
        body,
    };
    page.answer(visitor)
}

async fn show(
    desk: &Desk,
    visitor: &Visitor,
    (address, query): (&str, &str),
) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let fields = Fields::read(query.as_bytes());
    let asked = search::range(&fields, desk.newest().await?).ok_or(Failed::Wrong)?;
    let bins = bins(desk, asked.end).await?;
    let here = format!("/explore/sources/{address}?{query}");
    let opened = match door(desk, visitor, (address, "source", &here), &bins.range).await? {
        Door::Open(opened) => opened,
        Door::Closed(answer) => return Ok(answer),
    };
    let source = opened.source;
    let deeds = desk.store.deeds(source, &bins).await?;
    let days = desk.store.source_days(source).await?;
    let plot = Plot {
        title: texts.say("alert.packets_line"),
        bins: &bins,
        line: &deeds.line,
        usual: None,
        fired: None,
    };
    let owners: Vec<&str> = opened.owners.iter().map(String::as_str).collect();
    let body = html! {
        p { a href={ "/explore/sources?start=" (asked.start) "&end=" (asked.end) } { (texts.say("explore.tab_sources")) } }
        p.soft { (texts.say("inquiry.now")) " " (opened.leave.purpose) @if !owners.is_empty() { " · " (owners.join(" ")) } }
        section.sheet {
            h2 { (plot.title) }
            (search::period(visitor, &bins.range))
            (plot.draw())
            (hours(source, &bins, &deeds.line, texts.say("inquiry.all")))
        }
        (by_service(visitor, source, &bins.range, &deeds.services))
        (by_sensor(visitor, source, &bins.range, &deeds.sensors))
        (cases(desk, visitor, source).await?)
        (other_days(visitor, source, &days))
    };
    let title = source.to_string();
    Ok(Page {
        place: "/explore",
        title: &title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

/// Of the day until `end`, or of the last part of it that is within reach.
async fn bins(desk: &Desk, end: u64) -> Result<Bins, Failed> {
    let day = Bins::ending(end, *BIN.end(), BINS);
    let reach = desk.store.within_reach(day.range.clone(), "").await?;
    if reach == day.range {
        return Ok(day);
    }
    let minutes = (end.saturating_sub(reach.start)) / BINS / 60;
    Ok(Bins::ending(
        end,
        (minutes * 60).clamp(*BIN.start(), *BIN.end()),
        BINS,
    ))
}

/// The address of rows of one source.
fn rows(source: IpAddr, range: &Range<u64>) -> String {
    format!(
        "/explore/sources/{source}/rows?start={}&end={}",
        range.start, range.end
    )
}

/// Bins with packets; each leads to its rows.
fn hours(source: IpAddr, bins: &Bins, line: &[u64], all: &str) -> Markup {
    let starts = (bins.range.start..).step_by(bins.step as usize);
    html! {
        ul.bins {
            @for (start, seen) in starts.zip(line).filter(|(_, seen)| **seen > 0) { li {
                span.t { (minute(Millis(start * 1_000))) } " "
                a href=(rows(source, &(start..start + bins.step))) { (number(*seen)) }
            } }
            li { (all) " " a href=(rows(source, &bins.range)) { (number(line.iter().sum())) } }
        }
    }
}

fn by_service(visitor: &Visitor, source: IpAddr, range: &Range<u64>, deeds: &[Deed]) -> Markup {
    let texts = visitor.texts;
    let title = texts.say("inquiry.did");
    let packets = |deed: &Deed| {
        html! { a href={ (rows(source, range)) "&service=" (deed.service) } { (number(deed.packets)) } }
    };
    html! {
        section.sheet {
            h2 { (title) }
            @if deeds.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else { (alert::deeds(visitor, title, deeds, packets)) }
        }
    }
}

fn by_sensor(visitor: &Visitor, source: IpAddr, range: &Range<u64>, seen: &[SeenBy]) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet {
            h2 { (texts.say("explore.by_sensor")) }
            @if seen.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else { (wide(texts.say("explore.by_sensor"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("sensors.sensor")) }
                    th.n scope="col" { (texts.say("alert.packets")) }
                    th scope="col" { (texts.say("alert.first_seen")) }
                    th scope="col" { (texts.say("alert.last_seen")) }
                } }
                tbody { @for one in seen { tr {
                    td.mono { (one.sensor) }
                    td.n { a href={ (rows(source, range)) "&sensor=" (one.sensor) } { (number(one.packets)) } }
                    td.t { (minute(one.first)) }
                    td.t { (minute(one.last)) }
                } } }
            } })) }
        }
    }
}

/// Cases about it, as far as the list of alerts would show them.
async fn cases(desk: &Desk, visitor: &Visitor, source: IpAddr) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let shown = desk
        .store
        .show(desk.store.cases_about(source).await?)
        .await?;
    Ok(html! {
        section.sheet {
            h2 { (texts.say("inquiry.cases")) }
            @if shown.is_empty() { p.soft { (texts.say("alerts.none")) } } @else {
                div.wide { (alerts::table(visitor, &shown)) }
            }
        }
    })
}

fn other_days(visitor: &Visitor, source: IpAddr, days: &[SourceDay]) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet {
            h2 { (texts.say("inquiry.days")) }
            p.note { (texts.say("inquiry.days_about")) }
            @if days.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else { (wide(texts.say("inquiry.days"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("alert.when")) }
                    th.n scope="col" { (texts.say("alert.packets")) }
                    th.n scope="col" { (texts.say("inquiry.hours")) }
                } }
                tbody { @for one in days { tr {
                    @let start = one.day * 86_400;
                    @let day = Millis(start * 1_000).to_string();
                    td.t { a href={ "/explore/sources/" (source) "?start=" (start) "&end=" (start + 86_400) } {
                        (day.get(..10).unwrap_or(""))
                    } }
                    td.n { a href=(rows(source, &(start..start + 86_400))) { (number(one.packets)) } }
                    td.n { (number(one.hours)) }
                } } }
            } })) }
        }
    }
}
