//! Which cases there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Kind, Severity, State as Stand};
use noroshi_store::changes::Shown;
use noroshi_store::listing::{Order, PAGE, Wanted};
use noroshi_store::origin::{Country, PartnerId};
use noroshi_store::remedy::Remedy;
use uuid::Uuid;

use crate::desk::Desk;
use crate::fields::{Asked, Fields};
use crate::guard::Visitor;
use crate::page::{Failed, Page, lasted, minute, number, page_or, severity};
use crate::sight::{Sight, sight, subject};
use crate::text::Texts;

const SEVERITIES: [Severity; 4] = [
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::Info,
];
/// Names of sets of states, as they are chosen.
const STATES: [(&str, &[Stand]); 4] = [
    ("open", &[Stand::New, Stand::Continuing]),
    ("closed", &[Stand::Closed]),
    ("withdrawn", &[Stand::Withdrawn]),
    ("any", &[]),
];
/// Pages that can be asked for.
const PAGES_MAX: u32 = 10_000;

/// `GET /alerts`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, list(&desk, &visitor, &fields).await)
}

async fn list(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let mut wanted = wanted(fields).ok_or(Failed::Wrong)?;
    if let Some(own) = visitor.session.user.partner() {
        wanted.partner = Some(own.clone());
        if wanted.order == Order::Seen {
            wanted.order = Order::Opened; // when its packets meet a telescope it is not told
        }
    }
    let (shown, total) = find(desk, visitor, &wanted).await?;
    let first = u64::from(wanted.page) * u64::from(PAGE);
    let body = html! {
        (filters(desk, visitor, fields, &wanted))
        section.sheet {
            @if shown.is_empty() {
                p.soft { (texts.say("alerts.none")) }
            } @else {
                p.note { (texts.fill("alerts.count", &[
                    ("first", &number(first + 1)),
                    ("last", &number(first + shown.len() as u64)),
                    ("total", &number(total)),
                ])) }
                div.wide { (table(visitor, &shown)) }
                (pages(texts, fields, &wanted, total))
            }
        }
    };
    let title = texts.word("place", "alerts");
    Ok(Page {
        place: "/alerts",
        title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

/// Alerts as who asks may see them: a partner as they were told to it, and it is written down.
pub(super) async fn find(
    desk: &Desk,
    visitor: &Visitor,
    wanted: &Wanted,
) -> Result<(Vec<Shown>, u64), Failed> {
    let listing = desk.store.listing(wanted).await?;
    let Some(own) = visitor.session.user.partner() else {
        return Ok((desk.store.show(listing.cases).await?, listing.total));
    };
    let ids: Vec<Uuid> = listing.cases.iter().map(|case| case.alert.id).collect();
    let mut told: BTreeMap<Uuid, Shown> = desk.store.shown_of(&ids).await?;
    let own_alone = |shown: &Shown| shown.alert.partner.as_deref() == Some(own.as_str());
    let shown = ids
        .iter()
        .filter_map(|id| told.remove(id))
        .filter(own_alone)
        .collect();
    let action = format!("console view {own} alerts");
    desk.store
        .audit(&visitor.session.user.author(), &action, "")
        .await?;
    Ok((shown, listing.total))
}

/// `None` where something asked for cannot be read.
fn wanted(fields: &Fields) -> Option<Wanted> {
    /// `Some(None)` where nothing is asked for.
    fn one<T>(fields: &Fields, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
        match fields.get(name) {
            None => Some(None),
            Some(text) => read(text).map(Some),
        }
    }
    let kind = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    let severity = |name: &str| SEVERITIES.into_iter().find(|one| one.name() == name);
    let states = |name: &str| {
        STATES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, all)| *all)
    };
    let order = |name: &str| Order::ALL.into_iter().find(|order| order.name() == name);
    let page = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|page| (1..=PAGES_MAX).contains(page))
    };
    Some(Wanted {
        partner: one(fields, "partner", PartnerId::new)?,
        kind: one(fields, "kind", kind)?,
        severity: one(fields, "severity", severity)?,
        states: one(fields, "state", states)?
            .unwrap_or(STATES[0].1)
            .to_vec(),
        country: one(fields, "country", |code| {
            Country::new(&code.to_ascii_uppercase())
        })?,
        from: one(fields, "from", |text| day(text, 0))?,
        until: one(fields, "until", |text| day(text, 1))?,
        order: one(fields, "order", order)?.unwrap_or_default(),
        page: one(fields, "page", page)?.unwrap_or(1) - 1,
    })
}

/// The first moment of a day such as `2026-11-02`, or of one that many days later.
pub(super) fn day(text: &str, later: i32) -> Option<Millis> {
    let day: Date = text.parse().ok()?;
    let day = day.checked_add(jiff::Span::new().days(later)).ok()?;
    let midnight = Offset::UTC.to_timestamp(day.to_datetime(Time::midnight()));
    let at = midnight.ok()?.as_millisecond();
    u64::try_from(at).ok().map(Millis)
}

fn filters(desk: &Desk, visitor: &Visitor, fields: &Fields, wanted: &Wanted) -> Markup {
    let texts = visitor.texts;
    let is_partner = visitor.session.user.partner().is_some();
    let kinds = Kind::ALL.map(|kind| (kind.name(), texts.word("kind", kind.name()).to_owned()));
    let levels = SEVERITIES.map(|one| (one.name(), texts.word("severity", one.name()).to_owned()));
    let states = STATES.map(|(name, _)| (name, texts.word("states", name).to_owned()));
    let orders = Order::ALL.map(|one| (one.name(), texts.word("order", one.name()).to_owned()));
    let orders = orders
        .into_iter()
        .filter(|(name, _)| !is_partner || *name != Order::Seen.name());
    let partners = desk.registry.partners().iter();
    let partners = partners.map(|one| (one.id.as_str(), format!("{} ({})", one.name, one.id)));
    let any = texts.say("alerts.any");
    let chosen = |name| fields.get(name).unwrap_or("");
    let state = fields.get("state").unwrap_or(STATES[0].0);
    html! {
        form.filters.sheet method="get" action="/alerts" role="search" {
            (choice("state", texts.say("alerts.state"), None, states, state))
            (choice("kind", texts.say("alerts.kind"), Some(any), kinds, chosen("kind")))
            (choice("severity", texts.say("alerts.severity"), Some(any), levels, chosen("severity")))
            @if !is_partner {
                (choice("partner", texts.say("alerts.partner"), Some(any), partners, chosen("partner")))
                label { (texts.say("alerts.country"))
                    input name="country" size="3" maxlength="2" value=(chosen("country")) autocomplete="off";
                }
            }
            label { (texts.say("alerts.from")) input type="date" name="from" value=(chosen("from")); }
            label { (texts.say("alerts.until")) input type="date" name="until" value=(chosen("until")); }
            (choice("order", texts.say("alerts.order"), None, orders, wanted.order.name()))
            button.main { (texts.say("alerts.show")) }
        }
    }
}

fn choice<'a>(
    name: &str,
    label: &str,
    any: Option<&str>,
    options: impl IntoIterator<Item = (&'a str, String)>,
    chosen: &str,
) -> Markup {
    html! {
        label { (label)
            select name=(name) {
                @if let Some(any) = any { option value="" { (any) } }
                @for (value, text) in options {
                    option value=(value) selected[value == chosen] { (text) }
                }
            }
        }
    }
}

/// Alerts, a row each.
pub(super) fn table(visitor: &Visitor, shown: &[Shown]) -> Markup {
    let texts = visitor.texts;
    let is_partner = visitor.session.user.partner().is_some();
    html! {
        table {
            thead { tr {
                th scope="col" { (texts.say("alerts.severity")) }
                th scope="col" { (texts.say("alerts.kind")) }
                th scope="col" { (texts.say("alerts.subject")) }
                @if !is_partner { th.second scope="col" { (texts.say("alerts.partner")) } }
                th scope="col" { (texts.say("alerts.opened")) }
                th.n.second scope="col" { (texts.say("alerts.lasts")) }
                th scope="col" { (texts.say("alerts.stands")) }
            } }
            tbody { @for one in shown { (row(visitor, one)) } }
        }
    }
}

fn row(visitor: &Visitor, one: &Shown) -> Markup {
    let (texts, alert) = (visitor.texts, &one.alert);
    // A list never lifts the mask: a purpose is of one case.
    let seen = match sight(visitor, alert) {
        Sight::Whole if visitor.session.user.partner().is_none() => Sight::Masked,
        seen => seen,
    };
    html! {
        tr {
            td { (severity(texts, alert.severity)) }
            td { a href={ "/alerts/" (alert.id) } { (texts.word("kind", alert.kind.name())) }
                @if alert.exercise { " " span.badge.plain { (texts.say("alert.exercise")) } } }
            td class=(if seen == Sight::Masked { "soft" } else { "mono" }) { (subject(texts, alert, seen)) }
            @if visitor.session.user.partner().is_none() {
                td.second { (alert.partner.as_deref().unwrap_or("–")) }
            }
            td.t { (minute(alert.opened_at)) }
            td.n.second { (lasted(texts, age(alert))) }
            td { (stands(texts, one)) }
        }
    }
}

/// From its first packet to its last, in milliseconds.
fn age(alert: &Alert) -> u64 {
    alert.last_seen.0.saturating_sub(alert.first_seen.0)
}

/// Where a case stands, on the telescopes' side and on its partner's.
pub(super) fn stands(texts: &Texts, one: &Shown) -> Markup {
    let state = one.alert.state.name();
    let remedy = one.remedy.as_ref().map(|standing| standing.state);
    html! {
        (texts.word("state", state))
        @if let Some(remedy) = remedy.filter(|state| *state != Remedy::Withdrawn) {
            " · " (texts.word("remedy", remedy.name()))
        }
    }
}

fn pages(texts: &Texts, fields: &Fields, wanted: &Wanted, total: u64) -> Markup {
    let pages = total.div_ceil(u64::from(PAGE));
    let page = u64::from(wanted.page) + 1;
    let to = |page: u64| format!("/alerts?{}", fields.with("page", &page.to_string()));
    html! {
        @if pages > 1 {
            nav.pages aria-label=(texts.say("alerts.pages")) {
                @if page > 1 { a href=(to(page - 1)) rel="prev" { "← " (texts.say("alerts.previous")) } }
                span.soft { (page) " / " (pages) }
                @if page < pages { a href=(to(page + 1)) rel="next" { (texts.say("alerts.next")) " →" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_or_refused() {
        let read = |query: &str| wanted(&Fields::read(query.as_bytes()));
        let all = read("").unwrap();
        assert_eq!(all.states, [Stand::New, Stand::Continuing]);
        let some = read("kind=scan_surge&severity=high&country=th&state=any&page=2").unwrap();
        assert_eq!((some.kind, some.page), (Some(Kind::ScanSurge), 1));
        assert_eq!(some.country, Country::new("TH"));
        let days = read("from=2026-11-01&until=2026-11-01").unwrap();
        let length = days.until.unwrap().0 - days.from.unwrap().0;
        assert_eq!(length, 86_400_000, "the last day is one of them");
        for wrong in [
            "kind=x",
            "page=0",
            "page=99999",
            "from=yesterday",
            "partner=A'B",
            "order=x",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
