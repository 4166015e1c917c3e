//! The parts of a case's page.

use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::alert::Alert;
use noroshi_store::changes::Shown;
use noroshi_store::explanation::told;
use noroshi_store::remedy::{Event, Remedy};
use uuid::Uuid;

use super::needs_purpose;
use crate::desk::Desk;
use crate::guard::Visitor;
use crate::page::{Failed, minute, number, severity, token, wide};
use crate::rights::may;
use crate::routes::acts::{NOTE_MAX, PEOPLES, PURPOSE_MAX, PURPOSE_MIN};
use crate::routes::alerts::stands;
use crate::sight::Sight;

/// How urgent, how sure, where it stands.
pub(super) fn head(visitor: &Visitor, shown: &Shown) -> Markup {
    let (texts, alert) = (visitor.texts, &shown.alert);
    html! {
        p {
            (severity(texts, alert.severity)) " "
            span.badge.plain { "TLP:" (alert.tlp.name()) } " "
            @if alert.exercise { span.badge.plain { (texts.say("alert.exercise")) } " " }
            span.soft { (stands(texts, shown)) }
        }
        @if let Some(standing) = &shown.remedy {
            @if !standing.reason.is_empty() { p.soft { (standing.reason) } }
        }
    }
}

/// Asks what for single sources are wanted.
pub(super) fn ask(visitor: &Visitor, alert: &Alert) -> Markup {
    let texts = visitor.texts;
    html! {
        section.sheet {
            h2 { (texts.say("purpose.title")) }
            @if needs_purpose(visitor, alert) {
                p { (texts.say("purpose.about")) }
                form method="post" action={ "/alerts/" (alert.id) "/purpose" } {
                    (token(visitor))
                    label { (texts.say("purpose.label"))
                        textarea name="purpose" required minlength=(PURPOSE_MIN) maxlength=(PURPOSE_MAX) {}
                    }
                    div.actions { button { (texts.say("purpose.show")) } }
                }
            } @else {
                p { (texts.say("purpose.never")) }
            }
        }
    }
}

/// What was seen, and why it is told.
pub(super) fn facts(visitor: &Visitor, alert: &Alert, seen: Sight) -> Markup {
    let texts = visitor.texts;
    let is_masked = seen == Sight::Masked;
    let told = told(alert, &texts.language);
    html! {
        section.sheet {
            h2 { (texts.say("alert.why")) }
            @if is_masked { p.soft { (texts.say("alert.masked")) } } @else { p { (told.explanation) } }
            dl {
                (fact(texts.say("alert.rule"), &told.rule))
                dt { (texts.say("alert.confidence")) }
                dd { (texts.word("confidence", confidence(alert)))
                    @if !is_masked && !told.reasons.is_empty() {
                        ": " (told.reasons.join("; "))
                    }
                }
                dt { (texts.say("alert.first_seen")) } dd.t { (minute(alert.first_seen)) }
                dt { (texts.say("alert.last_seen")) } dd.t { (minute(alert.last_seen)) }
                dt { (texts.say("alert.detected")) } dd.t { (minute(alert.detected_at)) }
                (evidence(visitor, alert, is_masked))
                @if let Some(attribution) = &alert.attribution {
                    @if !is_masked { (fact(texts.say("alert.attribution"), &attribution.matched)) }
                }
                (fact("ID", &alert.id.to_string()))
            }
        }
    }
}

fn evidence(visitor: &Visitor, alert: &Alert, is_masked: bool) -> Markup {
    let (texts, evidence) = (visitor.texts, &alert.evidence);
    let list = |addresses: &[std::net::IpAddr]| {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        texts.join(" ")
    };
    let is_partner = visitor.session.user.partner().is_some();
    let places: Vec<_> = evidence
        .countries
        .iter()
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    html! {
        (fact(texts.say("alert.service"), &evidence.services.join(" ")))
        (fact(texts.say("alert.packets"), &number(evidence.packets)))
        (fact(texts.say("alert.targets"), &number(evidence.targets)))
        (fact(texts.say("alert.sensors"), &evidence.sensors.to_string()))
        @if let Some(sources) = evidence.sources { (fact(texts.say("alert.sources"), &number(sources))) }
        @if let Some(usual) = evidence.usual { (fact(texts.say("alert.usual"), &format!("{usual:.1}"))) }
        @if let Some(port) = evidence.source_port {
            @if !is_masked { (fact(texts.say("alert.source_port"), &port.to_string())) }
        }
        @if let Some(mark) = &evidence.fingerprint { (fact(texts.say("alert.fingerprint"), mark)) }
        @if let Some(rate) = evidence.rate { (fact(texts.say("alert.rate"), &number(rate.max(0.0) as u64))) }
        @if let Some(scanner) = &evidence.scanner { (fact(texts.say("alert.scanner"), scanner)) }
        @if let Some(bogon) = &evidence.bogon { (fact(texts.say("alert.bogon"), bogon)) }
        (fact(texts.say("alert.vectors"), &evidence.vectors.join(" ")))
        @if !is_masked {
            (fact(texts.say("alert.hosts"), &list(&evidence.hosts)))
            (fact(texts.say("alert.victims"), &list(&evidence.victims)))
        }
        @if !is_partner { (fact(texts.say("alert.countries"), &places.join(" · "))) }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { @if !value.is_empty() { dt { (name) } dd { (value) } } }
}

fn confidence(alert: &Alert) -> &'static str {
    use noroshi_store::alert::Confidence::{High, Low, Medium};
    match alert.confidence {
        Low => "low",
        Medium => "medium",
        High => "high",
    }
}

/// What may be done with it now.
pub(super) fn actions(visitor: &Visitor, shown: &Shown) -> Markup {
    let (texts, id) = (visitor.texts, shown.alert.id);
    let role = &visitor.session.user.role;
    let state = shown
        .remedy
        .as_ref()
        .map_or(Remedy::Delivered, |one| one.state);
    let steps = PEOPLES
        .into_iter()
        .filter(|event| state.after(*event).is_ok());
    let steps: Vec<Event> = if may(role, "POST", "/alerts/{id}/step") {
        steps.collect()
    } else {
        Vec::new()
    };
    let may_note = may(role, "POST", "/alerts/{id}/note");
    html! {
        @if may_note || !steps.is_empty() {
            section.sheet {
                h2 { (texts.say("alert.act")) }
                form method="post" action={ "/alerts/" (id) "/step" } {
                    (token(visitor))
                    input type="hidden" name="step" value=(Uuid::new_v4());
                    label { (texts.say("alert.note_label"))
                        textarea name="note" maxlength=(NOTE_MAX) {}
                    }
                    div.actions {
                        @for event in steps {
                            button name="event" value=(event.name()) { (texts.word("event", event.name())) }
                        }
                        @if may_note {
                            button formaction={ "/alerts/" (id) "/note" } { (texts.word("event", "note")) }
                        }
                    }
                }
            }
        }
    }
}

/// One line of a history.
struct Line {
    at: Millis,
    what: String,
    who: String,
    note: String,
}

/// What became of it: the telescopes' part and people's, in the order of time.
pub(super) async fn history(
    desk: &Desk,
    visitor: &Visitor,
    shown: &Shown,
    seen: Sight,
) -> Result<Markup, Failed> {
    let texts = visitor.texts;
    let id = shown.alert.id;
    let mut lines = Vec::new();
    for one in desk.store.history(id).await? {
        let state = one.case.alert.state.name();
        let what = format!(
            "{} · {}",
            texts.word("state", state),
            texts.word("severity", one.case.alert.severity.name())
        );
        let who = author(visitor, &one.by);
        let note = if is_told(visitor, &one.by, None) {
            one.note
        } else {
            String::new()
        };
        lines.push(Line {
            at: one.at,
            what,
            who,
            note,
        });
    }
    for step in desk.store.steps(&[id]).await? {
        let what = texts.word("event", step.event.name()).to_owned();
        let who = author(visitor, &step.by);
        let is_told = is_told(visitor, &step.by, Some(step.event));
        let note = if is_told { step.note } else { String::new() };
        lines.push(Line {
            at: step.at,
            what,
            who,
            note,
        });
    }
    lines.sort_by_key(|line| line.at);
    let is_masked = seen == Sight::Masked;
    Ok(html! {
        (wide(texts.say("alert.history"), html! { table {
            thead { tr {
                th scope="col" { (texts.say("alert.when")) }
                th scope="col" { (texts.say("alert.what")) }
                th scope="col" { (texts.say("alert.who")) }
            } }
            tbody { @for line in lines { tr {
                td.t { (minute(line.at)) }
                td { (line.what)
                    @if !line.note.is_empty() {
                        br;
                        span.soft { @if is_masked { (texts.say("alert.note_masked")) } @else { (line.note) } }
                    }
                }
                td { (line.who) }
            } } }
        } }))
    })
}

/// Whether a note is for who asks: a partner reads its own, and why the centre took a step back.
fn is_told(visitor: &Visitor, by: &str, event: Option<Event>) -> bool {
    visitor.session.user.partner().is_none()
        || is_own(visitor, by)
        || matches!(
            event,
            Some(Event::StayQuiet | Event::Confirm | Event::Withdraw)
        )
}

fn is_own(visitor: &Visitor, by: &str) -> bool {
    let Some(own) = visitor.session.user.partner() else {
        return false;
    };
    by.strip_prefix("partner:")
        .and_then(|rest| rest.strip_prefix(own.as_str()))
        .is_some_and(|way| way.is_empty() || way.starts_with(':'))
}

/// Who did it, as who asks may know: to a partner the people of the centre stay unnamed.
fn author(visitor: &Visitor, by: &str) -> String {
    let texts = visitor.texts;
    match by {
        "analyzer" => texts.say("alert.telescopes").to_owned(),
        by if visitor.session.user.partner().is_none() || is_own(visitor, by) => by.to_owned(),
        _ => texts.say("alert.centre").to_owned(),
    }
}
