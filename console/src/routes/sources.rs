//! Single sources of a search, once somebody said what for.
//!
//! A source that is a partner's is shown where the purpose names an open case of that partner; else
//! it is part of a sum. Each view is in the audit before it is a page.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::State as Stand;
use noroshi_store::sources::{Known, SOURCES_MAX, Search, Source, Withheld};
use uuid::Uuid;

use super::acts::{PURPOSE_MAX, PURPOSE_MIN};
use super::search::{form, period, search, tabs, within_reach};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::guard::Visitor;
use crate::page::{Failed, Page, minute, number, on_to, page_or, token, wide};
use crate::session::Inquiry;
use crate::sight::{is_open, owners};

/// Whose a view is of what is nobody's: no partner can have this name, which reads its own.
pub(super) const CENTRE: &str = "(centre)";

/// What somebody may look through, and what for.
pub(super) struct Leave {
    pub(super) purpose: String,
    /// The case that was named, while it is open, and whose it is.
    pub(super) case: Option<(Uuid, String)>,
}

impl Leave {
    /// The partner whose sources are open.
    pub(super) fn partner(&self) -> Option<&str> {
        self.case.as_ref().map(|(_, partner)| partner.as_str())
    }
}

/// What for `visitor` looks through single sources; `None` before they said so. Whether the case is
/// open is asked each time.
pub(super) async fn leave(desk: &Desk, visitor: &Visitor) -> Result<Option<Leave>, Failed> {
    let Some(inquiry) = visitor.session.inquiry() else {
        return Ok(None);
    };
    let case = match inquiry.case {
        Some(case) => open_case(desk, case).await?.map(|owner| (case, owner)),
        None => None,
    };
    let purpose = inquiry.purpose.clone();
    Ok(Some(Leave { purpose, case }))
}

/// Whose this case is, where it is open and a partner's.
async fn open_case(desk: &Desk, case: Uuid) -> Result<Option<String>, Failed> {
    let case = desk.store.alert(case).await?;
    let open = case.filter(|case| matches!(case.alert.state, Stand::New | Stand::Continuing));
    Ok(open.and_then(|case| case.alert.partner))
}

/// Writes down, for each of `owners`, that its single sources are about to be shown; what is
/// nobody's is the centre's.
pub(super) async fn note_view(
    desk: &Desk,
    visitor: &Visitor,
    leave: &Leave,
    (owners, what): (&BTreeSet<String>, &str),
) -> Result<(), Failed> {
    // a partner is not told of cases of others
    let case_of = |owner: &str| match &leave.case {
        Some((case, partner)) if owner == partner || owner == CENTRE => {
            format!(" for alert {case}")
        }
        _ => String::new(),
    };
    let nobody = BTreeSet::from([CENTRE.to_owned()]);
    let owners = if owners.is_empty() { &nobody } else { owners };
    for owner in owners {
        let action = format!("console view {owner} {what}{}", case_of(owner));
        let who = visitor.session.user.author();
        desk.store.audit(&who, &action, &leave.purpose).await?;
    }
    Ok(())
}

/// `GET /explore/sources`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    page_or(visitor.texts, show(&desk, &visitor, &query).await)
}

async fn show(desk: &Desk, visitor: &Visitor, query: &str) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let fields = Fields::read(query.as_bytes());
    let search = search(&fields, desk.newest().await?).ok_or(Failed::Wrong)?;
    let search = within_reach(desk, search).await?;
    let here = format!("/explore/sources?{query}");
    let found = match leave(desk, visitor).await? {
        None => html! { (ask(visitor, None, &here)) },
        Some(leave) => html! {
            (found(desk, visitor, &leave, &search).await?)
            (ask(visitor, Some(&leave), &here))
        },
    };
    let body = html! {
        (tabs(visitor, "/explore/sources", &fields))
        (form(visitor, "/explore/sources", &fields))
        (found)
    };
    let title = texts.say("explore.tab_sources");
    Ok(Page {
        place: "/explore",
        title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

/// Asks what for, or says what was said and asks anew.
pub(super) fn ask(visitor: &Visitor, leave: Option<&Leave>, here: &str) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet {
            h2 { (texts.say(if leave.is_some() { "inquiry.again" } else { "inquiry.title" })) }
            @if let Some(leave) = leave {
                p { (texts.say("inquiry.now")) " " (leave.purpose)
                    @if let Some((case, partner)) = &leave.case {
                        " · " a href={ "/alerts/" (case) } { (texts.say("inquiry.case_of")) " " (partner) }
                    }
                }
            }
            p { (texts.say("inquiry.about")) }
            form method="post" action="/explore/purpose" {
                (token(visitor))
                input type="hidden" name="next" value=(here);
                label { (texts.say("purpose.label"))
                    textarea name="purpose" required minlength=(PURPOSE_MIN) maxlength=(PURPOSE_MAX) {}
                }
                label { (texts.say("inquiry.case"))
                    input name="case" size="36" maxlength="36";
                }
                div.actions { button { (texts.say("inquiry.show")) } }
            }
        }
    }
}

/// What was found, parted into what may be shown and what is summed.
struct Found {
    shown: Vec<(Source, BTreeSet<String>)>,
    withheld: Vec<Withheld>,
}

/// Parts sources by who may see them; pure. What the registry says is a partner's by now joins that
/// partner's sum.
fn part(desk: &Desk, leave: &Leave, sources: Vec<Source>, withheld: Vec<Withheld>) -> Found {
    let mut sums: BTreeMap<(String, u32), (u64, u64)> = BTreeMap::new();
    let mut add = |partner: String, asn: u32, (sources, packets): (u64, u64)| {
        let sum = sums.entry((partner, asn)).or_default();
        *sum = (sum.0 + sources, sum.1 + packets);
    };
    for one in withheld {
        add(one.partner, one.asn, (one.sources, one.packets));
    }
    let mut shown = Vec::new();
    for source in sources {
        let known = Known {
            partner: source.partner.clone(),
            asn: source.asn,
            country: source.country.clone(),
        };
        let owners = owners(&desk.registry, source.address, &[known], source.last);
        if is_open(&owners, leave.partner()) {
            shown.push((source, owners));
        } else {
            let other = owners
                .iter()
                .find(|one| Some(one.as_str()) != leave.partner());
            let partner = other.cloned().unwrap_or_default();
            add(partner, source.asn, (1, source.packets));
        }
    }
    let withheld = sums.into_iter();
    let withheld = withheld.map(|((partner, asn), (sources, packets))| Withheld {
        partner,
        asn,
        sources,
        packets,
    });
    Found {
        shown,
        withheld: withheld.collect(),
    }
}

async fn found(
    desk: &Desk,
    visitor: &Visitor,
    leave: &Leave,
    search: &Search,
) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let opened = leave.partner().unwrap_or("");
    let sources = desk.store.search_sources(search, opened).await?;
    let is_cut = sources.len() >= SOURCES_MAX as usize;
    let withheld = desk.store.search_withheld(search, opened).await?;
    let found = part(desk, leave, sources, withheld);
    if !found.shown.is_empty() {
        let owners = found.shown.iter().flat_map(|one| one.1.clone()).collect();
        note_search(desk, visitor, leave, (search, &owners)).await?;
    }
    Ok(html! {
        section.sheet {
            h2 { (texts.say("explore.tab_sources")) " (" (found.shown.len()) ")" }
            (period(visitor, &search.range))
            @if is_cut { p.note { (texts.fill("inquiry.cut", &[("most", &number(u64::from(SOURCES_MAX)))])) } }
            @if found.shown.is_empty() { p.soft { (texts.say("explore.nothing")) } } @else {
                div.wide { (table(visitor, search, &found.shown)) }
            }
        }
        @if !found.withheld.is_empty() { (sums(visitor, &found.withheld)) }
    })
}

/// Writes down that single sources of a search are about to be shown: all of it for the centre; for
/// each owner its time alone, because which sensor was named is nobody else's.
async fn note_search(
    desk: &Desk,
    visitor: &Visitor,
    leave: &Leave,
    (search, owners): (&Search, &BTreeSet<String>),
) -> Result<(), Failed> {
    note_view(desk, visitor, leave, (&BTreeSet::new(), &told(search))).await?;
    if owners.is_empty() {
        return Ok(());
    }
    note_view(desk, visitor, leave, (owners, &time_of(search))).await
}

/// The time of a search, as the audit names it.
fn time_of(search: &Search) -> String {
    let [start, end] = [search.range.start, search.range.end].map(|second| Millis(second * 1_000));
    format!("sources {start} to {end}")
}

/// A search, as the audit names it.
fn told(search: &Search) -> String {
    let mut text = time_of(search);
    if let Some(service) = search.service {
        text = format!("{text} {service}");
    }
    for word in [&search.country, &search.sensor] {
        if !word.is_empty() {
            text = format!("{text} {word}");
        }
    }
    if let Some(asn) = search.asn {
        text = format!("{text} AS{asn}");
    }
    match search.network {
        Some(network) => format!("{text} {network}"),
        None => text,
    }
}

fn table(visitor: &Visitor, search: &Search, shown: &[(Source, BTreeSet<String>)]) -> Markup {
    let texts = visitor.texts;
    let (start, end) = (search.range.start, search.range.end);
    html! {
        table {
            thead { tr {
                th scope="col" { (texts.say("inquiry.address")) }
                th scope="col" { (texts.say("explore.asn")) }
                th scope="col" { (texts.say("alerts.country")) }
                th scope="col" { (texts.say("alerts.partner")) }
                th scope="col" { (texts.say("alert.service")) }
                th.n scope="col" { (texts.say("alert.packets")) }
                th.n scope="col" { (texts.say("alert.sensors")) }
                th scope="col" { (texts.say("alert.first_seen")) }
                th scope="col" { (texts.say("alert.last_seen")) }
            } }
            tbody { @for (one, owners) in shown { tr {
                @let place = format!("/explore/sources/{}", one.address);
                td.mono { a href={ (place) "?start=" (start) "&end=" (end) } { (one.address) } }
                td { @if one.asn > 0 { "AS" (one.asn) } @else { "–" } }
                td { @if one.country.is_empty() { "–" } (one.country) }
                td { @if owners.is_empty() { "–" } @for owner in owners { (owner) } }
                td.mono { (one.services) }
                td.n { a href={ (place) "/rows?start=" (start) "&end=" (end) } { (number(one.packets)) } }
                td.n { (number(one.sensors)) }
                td.t { (minute(one.first)) }
                td.t { (minute(one.last)) }
            } } }
        }
    }
}

fn sums(visitor: &Visitor, withheld: &[Withheld]) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet {
            h2 { (texts.say("inquiry.withheld")) }
            p.note { (texts.say("inquiry.withheld_about")) }
            (wide(texts.say("inquiry.withheld"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("alerts.partner")) }
                    th scope="col" { (texts.say("explore.asn")) }
                    th.n scope="col" { (texts.say("alert.sources")) }
                    th.n scope="col" { (texts.say("alert.packets")) }
                } }
                tbody { @for one in withheld { tr {
                    td { a href={ "/alerts?partner=" (one.partner) } { (one.partner) } }
                    td { @if one.asn > 0 { "AS" (one.asn) } @else { "–" } }
                    td.n { (number(one.sources)) }
                    td.n { (number(one.packets)) }
                } } }
            } }))
        }
    }
}

/// `POST /explore/purpose`
pub(super) async fn purpose(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    page_or(visitor.texts, allow(&desk, &visitor, &fields).await)
}

async fn allow(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let purpose = fields.get("purpose").unwrap_or("");
    if !(PURPOSE_MIN..=PURPOSE_MAX).contains(&purpose.chars().count()) {
        return Err(Failed::Wrong);
    }
    let case = match fields.get("case") {
        None => None,
        Some(text) => {
            let case: Uuid = text.parse().map_err(|_| Failed::Wrong)?;
            open_case(desk, case).await?.ok_or(Failed::Wrong)?;
            Some(case)
        }
    };
    let inquiry = Inquiry {
        purpose: purpose.to_owned(),
        case,
    };
    desk.sessions().inquire(&visitor.id, inquiry);
    let next = fields.get("next").unwrap_or("");
    let is_here =
        next.starts_with("/explore/sources") && next.bytes().all(|one| one.is_ascii_graphic());
    Ok(on_to(if is_here { next } else { "/explore/sources" }))
}

/// Who owns one source, by all that was ever kept of it.
pub(super) async fn owners_of(
    desk: &Desk,
    source: IpAddr,
    range: &std::ops::Range<u64>,
) -> Result<BTreeSet<String>, Failed> {
    let known = desk.store.source_origins(source, range).await?;
    let at = Millis(range.end * 1_000);
    Ok(owners(&desk.registry, source, &known, at))
}
