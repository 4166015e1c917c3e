//! Scans by service, country and time: sums, with each number leading to what is beneath it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::explore::{Field, Part, grain};
use noroshi_store::figures::Bins;
use noroshi_store::origin::Country;

use super::alerts::day;
use super::search::{service, tabs};
use crate::desk::Desk;
use crate::fields::{Asked, Fields};
use crate::guard::Visitor;
use crate::page::{Failed, Page, number, page_or, wide};
use crate::plot::Plot;

/// Days at most: what the rollup of minutes keeps by default.
const DAYS_MAX: u64 = 35;
/// Bins of a line, about.
const BINS: u64 = 144;
/// Parts shown.
const PARTS: u32 = 25;

/// `GET /explore`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor, &fields).await)
}

/// `GET /explore.csv`
pub(super) async fn csv(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, table(&desk, &fields).await)
}

async fn show(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let field = field(fields, desk.newest().await?).ok_or(Failed::Wrong)?;
    // Each takes a core for a while; together they take no longer than there are cores.
    let (line, services, countries) = tokio::try_join!(
        desk.store.explore_line(&field),
        desk.store.explore_services(&field, PARTS),
        desk.store.explore_countries(&field, PARTS),
    )?;
    let mut values = vec![0; field.bins.count()];
    for one in &line {
        let place = usize::try_from(one.of).ok();
        if let Some(value) = place.and_then(|place| values.get_mut(place)) {
            *value = one.sources;
        }
    }
    let plot = Plot {
        title: texts.say("alert.sources_line"),
        bins: &field.bins,
        line: &values,
        usual: None,
        fired: None,
    };
    let minutes = (field.bins.step / 60).to_string();
    let body = html! {
        (tabs(visitor, "/explore", fields))
        (form(visitor, fields))
        section.sheet {
            h2 { (plot.title) }
            p.note { (texts.fill("alert.bins", &[("minutes", &minutes)])) " "
                a href={ "/explore.csv?" (fields.with("as", "csv")) } { (texts.say("explore.csv")) } }
            (plot.draw())
        }
        div.pair {
            (parts(visitor, fields, "service", &services))
            (parts(visitor, fields, "country", &countries))
        }
    };
    let title = texts.word("place", "explore");
    Ok(Page {
        place: "/explore",
        title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

fn form(visitor: &Visitor, fields: &Fields) -> Markup {
    let texts = visitor.texts;
    let chosen = |name| fields.get(name).unwrap_or("");
    html! {
        form.filters.sheet method="get" action="/explore" role="search" {
            label { (texts.say("alert.service"))
                input name="service" size="12" maxlength="16" placeholder="tcp/23" value=(chosen("service"));
            }
            label { (texts.say("alerts.country"))
                input name="country" size="3" maxlength="2" value=(chosen("country"));
            }
            label { (texts.say("explore.from")) input type="date" name="from" value=(chosen("from")); }
            label { (texts.say("alerts.until")) input type="date" name="until" value=(chosen("until")); }
            button.main { (texts.say("alerts.show")) }
            span.soft { (texts.say("explore.sums")) }
        }
    }
}

fn parts(visitor: &Visitor, fields: &Fields, name: &str, parts: &[Part<String>]) -> Markup {
    let texts = visitor.texts;
    let title = match name {
        "service" => texts.say("alert.service"),
        _ => texts.say("alerts.country"),
    };
    let beneath = |of: &str| format!("/explore?{}", fields.with(name, of));
    html! {
        section.sheet {
            h2 { (title) }
            @if parts.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else { (wide(title, html! { table {
                thead { tr {
                    th scope="col" { (title) }
                    th.n scope="col" { (texts.say("alert.sources")) }
                    th.n scope="col" { (texts.say("alert.packets")) }
                } }
                tbody { @for one in parts { tr {
                    td.mono {
                        @if one.of.is_empty() { (texts.say("explore.unknown")) }
                        @else { a href=(beneath(&one.of)) { (one.of) } }
                    }
                    td.n { (number(one.sources)) }
                    td.n { (number(one.packets)) }
                } } }
            } })) }
        }
    }
}

/// The line as CSV: a row for each bin in which anything was seen.
async fn table(desk: &Desk, fields: &Fields) -> Result<Response, Failed> {
    let field = field(fields, desk.newest().await?).ok_or(Failed::Wrong)?;
    let mut text = "from,seconds,sources,packets\r\n".to_owned();
    for one in desk.store.explore_line(&field).await? {
        let from = Millis((field.bins.range.start + one.of * field.bins.step) * 1_000);
        let Part {
            sources, packets, ..
        } = one;
        text += &format!("{from},{},{sources},{packets}\r\n", field.bins.step);
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"scans.csv\"",
        ),
    ];
    Ok((headers, text).into_response())
}

/// What is asked for; the last day where no time is. `None` where it cannot be read.
fn field(fields: &Fields, newest: Millis) -> Option<Field> {
    let until = match fields.get("until") {
        Some(text) => day(text, 1)?,
        None => newest,
    };
    let from = match fields.get("from") {
        Some(text) => day(text, 0)?,
        None => Millis(until.0.saturating_sub(86_400_000)),
    };
    let seconds = until.seconds().checked_sub(from.seconds())?;
    if seconds == 0 || seconds > DAYS_MAX * 86_400 {
        return None;
    }
    let grain = grain(seconds);
    let step = (seconds / BINS).div_ceil(grain).max(1) * grain;
    let service = service(fields)?;
    let country = fields.get("country").unwrap_or("").to_ascii_uppercase();
    let is_read = country.is_empty() || Country::new(&country).is_some();
    is_read.then(|| Field {
        bins: Bins::ending(until.seconds(), step, seconds.div_ceil(step)),
        service,
        country,
    })
}

#[cfg(test)]
mod tests {
    use noroshi_proto::traffic::Service;

    use super::*;

    #[test]
    fn what_is_asked_is_read_or_refused() {
        let newest = Millis(1_793_577_600_000);
        let read = |query: &str| field(&Fields::read(query.as_bytes()), newest);
        let last_day = read("").unwrap();
        assert_eq!(last_day.bins.range.end, newest.seconds());
        assert_eq!(last_day.bins.count(), 144);
        let one = read("service=tcp/23&country=th&from=2026-11-01&until=2026-11-01").unwrap();
        assert_eq!(
            (one.service, one.country.as_str()),
            (Service::from_name("tcp/23"), "TH")
        );
        for wrong in [
            "service=tcp",
            "service=tcp/99999",
            "country=THA",
            "from=2026-11-02&until=2026-11-01",
            "from=2025-11-02&until=2026-11-01",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
