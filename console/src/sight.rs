//! What of an alert somebody may see. Pure.
//!
//! Whose address it is, its partner sees. People of the centre see sums; single sources of a
//! partner only once they said what for, case by case, and each view of them is written down.

use noroshi_store::alert::{Alert, Subject};

use crate::guard::Visitor;
use crate::text::Texts;
use crate::user::Role;

/// How much of one alert is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It names no single source.
    Sums,
    /// All of it, which is written down.
    Whole,
    /// No address, and no text that could hold one.
    Masked,
}

/// Whether it names addresses.
pub(crate) fn names_sources(alert: &Alert) -> bool {
    let named = matches!(
        alert.subject,
        Subject::Source { .. } | Subject::Victim { .. }
    );
    named || !alert.evidence.hosts.is_empty() || !alert.evidence.victims.is_empty()
}

/// What `visitor` sees of an alert that they may know of.
pub(crate) fn sight(visitor: &Visitor, alert: &Alert) -> Sight {
    if !names_sources(alert) {
        return Sight::Sums;
    }
    match &visitor.session.user.role {
        Role::Partner(_) => Sight::Whole,
        Role::Viewer => Sight::Masked,
        Role::Analyst | Role::Operator if visitor.session.purpose(alert.id).is_some() => {
            Sight::Whole
        }
        Role::Analyst | Role::Operator => Sight::Masked,
    }
}

/// Whom or what it names, as far as it is seen.
pub(crate) fn subject(texts: &Texts, alert: &Alert, sight: Sight) -> String {
    if sight == Sight::Masked {
        return match &alert.subject {
            Subject::Source { asn: Some(asn), .. } | Subject::Victim { asn: Some(asn), .. } => {
                texts.fill("sight.address_in", &[("asn", &asn.to_string())])
            }
            Subject::Source { .. } | Subject::Victim { .. } => {
                texts.say("sight.address").to_owned()
            }
            _ => named(texts, alert),
        };
    }
    named(texts, alert)
}

fn named(texts: &Texts, alert: &Alert) -> String {
    match &alert.subject {
        Subject::Source { source, .. } => source.to_string(),
        Subject::Victim { victim, .. } => victim.clone(),
        Subject::Service { service, scope } if scope == "region" => {
            format!("{service} · {}", texts.say("sight.region"))
        }
        Subject::Service { service, scope } => format!("{service} · {scope}"),
        Subject::Country { country } => country.clone(),
        Subject::Network { network } => network.clone(),
        Subject::Sensor { sensor } => sensor.clone(),
    }
}
