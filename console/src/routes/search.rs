//! Scans by sensor and by network, from as many raw rows as can be read while somebody waits: sums.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use ipnet::IpNet;
use maud::{Markup, html};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;
use noroshi_store::origin::Country;
use noroshi_store::sources::{Apart, SEARCH_ROWS_MAX, SEARCH_SECONDS_MAX, Search, Share};

use super::alerts::day;
use crate::desk::Desk;
use crate::fields::{Asked, Fields};
use crate::guard::Visitor;
use crate::page::{Failed, Page, minute, number, page_or, wide};
use crate::rights::may;

/// The pages of Explore, and the name of each.
const TABS: [(&str, &str); 4] = [
    ("/explore", "explore.tab_sums"),
    ("/explore/sensors", "explore.tab_sensors"),
    ("/explore/networks", "explore.tab_networks"),
    ("/explore/sources", "explore.tab_sources"),
];

/// The service that is asked for, if one is; `None` where it cannot be read.
pub(super) fn service(fields: &Fields) -> Option<Option<Service>> {
    match fields.get("service") {
        None => Some(None),
        Some(name) => Service::from_name(name).map(Some),
    }
}

/// What is searched for: the last day of the time that is named, or the last one there is. `None`
/// where it cannot be read.
pub(super) fn search(fields: &Fields, newest: Millis) -> Option<Search> {
    let range = range(fields, newest)?;
    let service = service(fields)?;
    let country = fields.get("country").unwrap_or("").to_ascii_uppercase();
    let sensor = fields.get("sensor").unwrap_or("");
    let asn = match fields.get("asn") {
        None => None,
        Some(text) => Some(text.trim_start_matches("AS").parse().ok()?),
    };
    let network: Option<IpNet> = match fields.get("network") {
        None => None,
        Some(text) => Some(text.parse().ok()?),
    };
    let is_read = (country.is_empty() || Country::new(&country).is_some())
        && (sensor.is_empty() || SensorId::new(sensor).is_some())
        && network.is_none_or(is_wide);
    is_read.then(|| Search {
        range,
        service,
        country,
        sensor: sensor.to_owned(),
        asn,
        network,
    })
}

/// Whether a network can be summed: a narrower one than parts are told apart by would be the sum of
/// next to one address, without a purpose.
fn is_wide(network: IpNet) -> bool {
    network.prefix_len() <= if network.addr().is_ipv4() { 24 } else { 48 }
}

/// The end of a search's time that can be searched through while somebody waits.
pub(super) async fn within_reach(desk: &Desk, search: Search) -> Result<Search, Failed> {
    let reach = desk
        .store
        .within_reach(search.range.clone(), &search.sensor);
    let range = reach.await?;
    Ok(Search { range, ..search })
}

/// A search for sums. Networks are for those who may ask for single sources: one can hold a single
/// address.
fn sums(visitor: &Visitor, fields: &Fields, newest: Millis) -> Result<Search, Failed> {
    let search = search(fields, newest).ok_or(Failed::Wrong)?;
    if search.network.is_some() && !may_name(visitor) {
        return Err(Failed::Wrong);
    }
    Ok(search)
}

fn may_name(visitor: &Visitor) -> bool {
    may(&visitor.session.user.role, "GET", "/explore/sources")
}

/// Seconds `start` to `end`, where a link names them; else by days. At most a day, the last one.
pub(super) fn range(fields: &Fields, newest: Millis) -> Option<std::ops::Range<u64>> {
    let (start, end) = match (fields.get("start"), fields.get("end")) {
        (Some(start), Some(end)) => (start.parse::<u64>().ok()?, end.parse::<u64>().ok()?),
        _ => {
            let until = match fields.get("until") {
                Some(text) => day(text, 1)?,
                None => newest,
            };
            let from = match fields.get("from") {
                Some(text) => day(text, 0)?,
                None => Millis(0),
            };
            (from.seconds(), until.seconds())
        }
    };
    // Times of the store are 32-bit: what lies beyond is no time of anything seen.
    let is_time = start < end && end <= u64::from(u32::MAX);
    is_time.then(|| start.max(end.saturating_sub(SEARCH_SECONDS_MAX))..end)
}

/// Links between the pages of Explore, as far as they exist for who asks.
pub(super) fn tabs(visitor: &Visitor, here: &str, fields: &Fields) -> Markup {
    let texts = visitor.texts;
    html! {
        nav.pages aria-label=(texts.say("explore.tabs")) {
            @for (path, name) in TABS {
                @if may(&visitor.session.user.role, "GET", path) {
                    a href={ (path) "?" (fields.with("page", "1")) } aria-current=[(path == here).then_some("page")] {
                        (texts.say(name))
                    }
                }
            }
        }
    }
}

/// What to search for, as a form.
pub(super) fn form(visitor: &Visitor, path: &str, fields: &Fields) -> Markup {
    let texts = visitor.texts;
    let chosen = |name| fields.get(name).unwrap_or("");
    html! {
        form.filters.sheet method="get" action=(path) role="search" {
            label { (texts.say("alert.service"))
                input name="service" size="10" maxlength="16" placeholder="tcp/23" value=(chosen("service"));
            }
            label { (texts.say("alerts.country"))
                input name="country" size="3" maxlength="2" value=(chosen("country"));
            }
            label { (texts.say("sensors.sensor"))
                input name="sensor" size="10" maxlength="64" value=(chosen("sensor"));
            }
            label { (texts.say("explore.asn"))
                input name="asn" size="9" maxlength="12" placeholder="64500" value=(chosen("asn"));
            }
            @if may_name(visitor) {
                label { (texts.say("explore.network"))
                    input name="network" size="13" maxlength="43" placeholder="192.0.2.0/24" value=(chosen("network"));
                }
            }
            label { (texts.say("explore.from")) input type="date" name="from" value=(chosen("from")); }
            label { (texts.say("alerts.until")) input type="date" name="until" value=(chosen("until")); }
            button.main { (texts.say("alerts.show")) }
        }
    }
}

/// From when until when.
pub(super) fn period(visitor: &Visitor, range: &std::ops::Range<u64>) -> Markup {
    html! {
        p.note {
            span.t { (minute(Millis(range.start * 1_000))) } " – "
            span.t { (minute(Millis(range.end * 1_000))) } " UTC. "
            (visitor.texts.fill("explore.one_day", &[("most", &number(SEARCH_ROWS_MAX))]))
        }
    }
}

/// `GET /explore/sensors`
pub(super) async fn sensors(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, by_sensor(&desk, &visitor, &fields).await)
}

async fn by_sensor(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let search = sums(visitor, fields, desk.newest().await?)?;
    let search = within_reach(desk, search).await?;
    let parts = desk.store.search_parts(&search, Apart::Sensor).await?;
    let body = html! {
        (tabs(visitor, "/explore/sensors", fields))
        (form(visitor, "/explore/sensors", fields))
        section.sheet {
            h2 { (texts.say("explore.by_sensor")) }
            (period(visitor, &search.range))
            (table(visitor, fields, &parts, (texts.say("sensors.sensor"), "sensor", "/explore/networks")))
        }
    };
    Ok(whole(visitor, body))
}

/// `GET /explore/networks`
pub(super) async fn networks(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, by_network(&desk, &visitor, &fields).await)
}

/// By AS number; of one of them by network as well, for those who may ask for single sources: a
/// network can hold a single one.
async fn by_network(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let search = sums(visitor, fields, desk.newest().await?)?;
    let search = within_reach(desk, search).await?;
    let numbers = desk.store.search_parts(&search, Apart::Asn).await?;
    let networks = if may_name(visitor) && search.asn.is_some() {
        desk.store.search_parts(&search, Apart::Network).await?
    } else {
        Vec::new()
    };
    let body = html! {
        (tabs(visitor, "/explore/networks", fields))
        (form(visitor, "/explore/networks", fields))
        section.sheet {
            h2 { (texts.say("explore.by_asn")) }
            (period(visitor, &search.range))
            (table(visitor, fields, &numbers, (texts.say("explore.asn"), "asn", "/explore/networks")))
        }
        @if !networks.is_empty() {
            section.sheet {
                h2 { (texts.say("explore.by_network")) }
                (table(visitor, fields, &networks, (texts.say("explore.network"), "network", "/explore/sources")))
            }
        }
    };
    Ok(whole(visitor, body))
}

fn whole(visitor: &Visitor, body: Markup) -> Response {
    let title = visitor.texts.word("place", "explore");
    let page = Page {
        place: "/explore",
        title,
        fresh: 0,
        body,
    };
    page.answer(visitor)
}

/// Parts; each name leads to `beneath`, each number of sources to them, for those who may.
fn table(
    visitor: &Visitor,
    fields: &Fields,
    parts: &[Share],
    (title, name, beneath): (&str, &str, &str),
) -> Markup {
    let texts = visitor.texts;
    html! {
        @if parts.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else { (wide(title, html! { table {
            thead { tr {
                th scope="col" { (title) }
                th.n scope="col" { (texts.say("alert.sources")) }
                th.n scope="col" { (texts.say("alert.packets")) }
                th.n scope="col" { (texts.say("explore.share")) }
            } }
            tbody { @for one in parts { tr {
                @let chosen = fields.with(name, &one.of);
                td.mono { a href={ (beneath) "?" (chosen) } {
                    @if name == "asn" && one.of == "0" { (texts.say("explore.unknown")) }
                    @else if name == "asn" { "AS" (one.of) } @else { (one.of) }
                } }
                td.n {
                    @if may_name(visitor) { a href={ "/explore/sources?" (chosen) } { (number(one.sources)) } }
                    @else { (number(one.sources)) }
                }
                td.n { (number(one.packets)) }
                td.n { (percent(one.packets, one.together)) }
            } } }
        } })) }
    }
}

/// `12.3 %`
fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_of_one_day_at_most_and_of_what_can_be_read() {
        let newest = Millis(1_793_577_600_000);
        let read = |query: &str| search(&Fields::read(query.as_bytes()), newest);
        let last = read("").unwrap();
        assert_eq!(last.range, newest.seconds() - 86_400..newest.seconds());
        let of = read("asn=AS64500&network=203.0.113.0%2F24&country=th&sensor=jp-1").unwrap();
        assert_eq!((of.asn, of.country.as_str()), (Some(64_500), "TH"));
        let month = read("from=2026-10-01&until=2026-10-31").unwrap().range;
        assert_eq!(month.end - month.start, 86_400, "the last day of it");
        let long = read("start=1793500000&end=1793577600").unwrap().range;
        assert_eq!(long, 1_793_500_000..1_793_577_600);
        for wrong in [
            "service=tcp",
            "country=THA",
            "asn=x",
            "network=203.0.113.0",
            "network=203.0.113.7%2F32",
            "network=203.0.113.0%2F25",
            "network=2001:db8::%2F64",
            "sensor=%3Cx%3E",
            "start=9&end=9",
            "start=0&end=99999999999",
            "from=2026-11-02&until=2026-11-01",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 0), "0.0 %");
    }
}
