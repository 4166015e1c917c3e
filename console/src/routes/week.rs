//! A partner's week beside the one before: what was new, what was cleaned, what is still open. A page
//! that prints.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Kind, State as Stand};
use noroshi_store::listing::{Order, Wanted};
use noroshi_store::remedy::Event;
use noroshi_store::reported::Reported;
use noroshi_store::week::Week;

use super::alerts;
use crate::clock;
use crate::desk::Desk;
use crate::fields::{Asked, Fields};
use crate::guard::Visitor;
use crate::page::{Failed, Page, minute, number, page_or, severity, wide};
use crate::sight::{Sight, subject};

/// Years that the store's times reach.
const YEARS: std::ops::Range<i16> = 1971..2106;
/// Kinds of one line of the table.
const ATTACKS: [Kind; 2] = [Kind::DdosVictim, Kind::ReflectionVictim];
const SURGES: [Kind; 2] = [Kind::ScanSurge, Kind::NewService];

/// What one week came to.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    /// Infected hosts that were seen.
    seen: u64,
    /// Those whose case was opened within it.
    new: u64,
    /// Those whose case is open now, or that were seen after it.
    open: u64,
    /// Cases that its people called resolved, or that telescopes confirmed clean.
    cleaned: u64,
    /// Attacks on its addresses.
    attacks: u64,
    /// Surges it was told of.
    surges: u64,
}

fn count(from: Millis, cases: &[Reported], steps: &BTreeMap<String, u64>) -> Count {
    let of = |kinds: &[Kind], which: &dyn Fn(&Reported) -> bool| {
        let named = |case: &&Reported| kinds.iter().any(|kind| kind.name() == case.kind);
        let counted = cases.iter().filter(named).filter(|case| which(case));
        counted.count() as u64
    };
    let hosts = [Kind::InfectedHost];
    let open = [Stand::New.name(), Stand::Continuing.name()];
    let said = |event: Event| steps.get(event.name()).copied().unwrap_or(0);
    Count {
        seen: of(&hosts, &|_| true),
        new: of(&hosts, &|case| case.opened_at >= from),
        open: of(&hosts, &|case| open.contains(&case.state.as_str())),
        cleaned: said(Event::Resolve).max(said(Event::Confirm)),
        attacks: of(&ATTACKS, &|_| true),
        surges: of(&SURGES, &|_| true),
    }
}

/// The week that is named, such as `2026-W47`, or the one now is in.
fn week(named: Option<&str>, now: Millis) -> Option<Week> {
    let week = match named {
        Some(text) => text.parse().ok()?,
        None => Week::of(now),
    };
    YEARS.contains(&week.year()).then_some(week)
}

/// `GET /mine/week`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Asked(fields): Asked,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor, &fields).await)
}

async fn show(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let own = visitor.session.user.partner().ok_or(Failed::Unknown)?;
    let partner = desk.registry.partner(own).ok_or(Failed::Unknown)?;
    let week = week(fields.get("of"), clock::now()).ok_or(Failed::Wrong)?;
    let last = Week::before(week.start());
    let mut counts = Vec::new();
    for week in [week, last] {
        let (from, until) = (week.start(), week.end());
        let cases = desk.store.reported(own, from, until).await?;
        let steps = desk.store.steps_between(own, from, until).await?;
        counts.push(count(from, &cases, &steps));
    }
    let (name, before) = (week.to_string(), last.to_string());
    let body = html! {
        p.soft { (texts.fill("week.about", &[("week", &name)])) " " span.t { (minute(week.start())) } " – "
            span.t { (minute(week.end())) } " UTC · TLP:" (partner.tlp.name()) }
        (table(visitor, &counts, (&name, &before)))
        (still_open(desk, visitor).await?)
        p.note {
            a href={ "/mine/week?of=" (before) } { (before) } " · "
            a href="/mine" { (texts.word("place", "mine")) }
        }
    };
    let title = format!("{}: {name}", partner.name);
    Ok(Page {
        place: "/mine",
        title: &title,
        fresh: 0,
        body,
    }
    .answer(visitor))
}

fn table(visitor: &Visitor, counts: &[Count], (week, before): (&str, &str)) -> Markup {
    let texts = visitor.texts;
    let row = |name: &str, of: fn(&Count) -> u64| {
        html! { tr {
            th scope="row" { (texts.word("week", name)) }
            @for count in counts { td.n { (number(of(count))) } }
        } }
    };
    html! {
        section.sheet { (wide(week, html! { table {
            thead { tr {
                th scope="col" { (texts.say("week.what")) }
                th.n scope="col" { (week) }
                th.n scope="col" { (before) }
            } }
            tbody {
                (row("new", |count| count.new))
                (row("cleaned", |count| count.cleaned))
                (row("open", |count| count.open))
                (row("seen", |count| count.seen))
                (row("attacks", |count| count.attacks))
                (row("surges", |count| count.surges))
            }
        } })) p.note { (texts.say("week.told")) } }
    }
}

/// Hosts whose case is open, those that were seen first first.
async fn still_open(desk: &Desk, visitor: &Visitor) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let wanted = Wanted {
        partner: visitor.session.user.partner().cloned(),
        kind: Some(Kind::InfectedHost),
        states: vec![Stand::New, Stand::Continuing],
        order: Order::Severity,
        ..Wanted::default()
    };
    let (mut hosts, total) = alerts::find(desk, visitor, &wanted).await?;
    hosts.sort_by_key(|one| one.alert.first_seen);
    Ok(html! {
        section.sheet {
            h2 { (texts.say("mine.to_clean")) " (" (number(total)) ")" }
            @if hosts.is_empty() { p.soft { (texts.say("mine.none_to_clean")) } } @else { (wide(texts.say("mine.to_clean"), html! { table {
                thead { tr {
                    th scope="col" { (texts.say("alerts.subject")) }
                    th scope="col" { (texts.say("alerts.severity")) }
                    th scope="col" { (texts.say("alert.first_seen")) }
                    th scope="col" { (texts.say("alerts.stands")) }
                } }
                tbody { @for one in &hosts { tr {
                    td.mono { a href={ "/alerts/" (one.alert.id) } { (subject(texts, &one.alert, Sight::Whole)) } }
                    td { (severity(texts, one.alert.severity)) }
                    td.t { (minute(one.alert.first_seen)) }
                    td { (alerts::stands(texts, one)) }
                } } }
            } }))
            @if total > hosts.len() as u64 { p.note { a href="/alerts?kind=infected_host" { (texts.say("mine.all")) } } } }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_and_counts_its_own() {
        let now = Millis(1_793_599_200_000); // Monday 2 November 2026, 06:00
        let of_now = week(None, now).unwrap();
        let start = of_now.start();
        assert_eq!(
            (start, of_now.to_string().as_str()),
            (Millis(1_793_577_600_000), "2026-W45")
        );
        let before = week(None, Millis(start.0 - 1)).unwrap();
        assert_eq!(before.to_string(), "2026-W44");
        assert_eq!(week(Some("2026-W45"), Millis(0)).unwrap().start(), start);
        for wrong in ["2026", "2026-W54", "x-W01", "2026-W", "1812-W01"] {
            assert_eq!(week(Some(wrong), now), None, "{wrong}");
        }
        let case = |kind: &str, state: &str, first: u64| Reported {
            kind: kind.to_owned(),
            state: state.to_owned(),
            severity: "low".to_owned(),
            subject: "203.0.113.7".to_owned(),
            asn: 0,
            family: String::new(),
            opened_at: Millis(first),
            first_seen: Millis(first),
            last_seen: start,
            days: vec![start.0 / 86_400_000],
        };
        let cases = [
            case("infected_host", "new", start.0),
            case("infected_host", "closed", start.0 - 1),
            case("ddos_victim", "closed", start.0),
            case("scan_surge", "new", start.0),
        ];
        let steps = BTreeMap::from([("resolve".to_owned(), 3), ("note".to_owned(), 9)]);
        let counted = count(start, &cases, &steps);
        let expected = Count {
            seen: 2,
            new: 1,
            open: 1,
            cleaned: 3,
            attacks: 1,
            surges: 1,
        };
        assert_eq!(counted, expected);
    }
}
