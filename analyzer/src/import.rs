//! Evidence from elsewhere: logs of a command-and-control server after a take-down.
//!
//! Whoever connected to it is infected, with more certainty than any telescope can have. Each
//! address becomes a case of the partner it belongs to, apart from what telescopes saw.
//!
//! # Promises
//! - Every line is counted once: in a case, known already, nobody's, or faulty with its number.
//! - What belongs to no partner, or to one that must not be told, leaves no trace but a count.

pub mod log;

use std::collections::BTreeMap;
use std::net::IpAddr;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Basis, Confidence, Evidence, Kind, Severity, State, Subject};
use noroshi_store::cases::Case;
use noroshi_store::notices::SINKHOLE;
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution::{Addressee, Verdict, Whereabouts};
use noroshi_store::registry::partner::{PrefixUse, Programme};
use uuid::Uuid;

use self::log::{Contact, Log};
use crate::finding::Reason;
use crate::settings::Language;

/// What becomes of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// Cases in their new state, by id.
    pub cases: Vec<Case>,
    /// What became of every line.
    pub accounts: Accounts,
}

/// What became of the lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// In a case.
    pub noticed: u64,
    /// In a case since an earlier import.
    pub known: u64,
    /// Discarded, by reason.
    pub discarded: BTreeMap<&'static str, u64>,
}

/// What is known of addresses, and what was imported before.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Whose addresses are.
    pub registry: &'a Registry,
    /// Cases of earlier imports.
    pub before: &'a [Case],
    /// What ids of cases are derived in: nobody else may know it.
    pub namespace: Uuid,
    /// When partners are told, in wall time.
    pub at: Millis,
    /// The language of explanations.
    pub language: Language,
}

/// The cases that a log makes or continues, given what is known of each address.
pub fn import(
    log: &Log,
    context: Context<'_>,
    whereabouts: impl Fn(IpAddr) -> Whereabouts,
) -> Import {
    let mut import = Import::default();
    let mut by_address: BTreeMap<IpAddr, Vec<Contact>> = BTreeMap::new();
    for contact in &log.contacts {
        let contacts = by_address.entry(contact.address).or_default();
        contacts.push(*contact);
    }
    let before: BTreeMap<(&str, IpAddr), &Case> = context.before.iter().filter_map(of).collect();
    for (address, mut contacts) in by_address {
        contacts.sort_by_key(|contact| (contact.at, contact.port));
        let whereabouts = whereabouts(address);
        let addressee = match addressee(whereabouts, context) {
            Ok(addressee) => addressee,
            Err(reason) => {
                let discarded = import.accounts.discarded.entry(reason).or_default();
                *discarded += contacts.len() as u64;
                continue;
            }
        };
        let partner = addressee.partner.as_str();
        let known = before.get(&(partner, address)).copied();
        let lines = contacts.len();
        contacts.retain(|contact| known.is_none_or(|case| contact.at > case.alert.last_seen));
        import.accounts.known += (lines - contacts.len()) as u64;
        import.accounts.noticed += contacts.len() as u64;
        if contacts.is_empty() {
            continue;
        }
        import.cases.push(match known {
            Some(case) => continued(case, &contacts, context),
            None => {
                let name = format!("{SINKHOLE}|{partner}|{address}");
                let id = Uuid::new_v5(&context.namespace, name.as_bytes());
                opened(id, whereabouts, &addressee, &contacts, context)
            }
        });
    }
    import
}

/// A case, by whose it is and which address it is about.
fn of(case: &Case) -> Option<((&str, IpAddr), &Case)> {
    let Subject::Source { source, .. } = case.alert.subject else {
        return None;
    };
    Some(((case.alert.partner.as_deref()?, source), case))
}

/// Whose an address is: the owner alone, whomever it informs of what telescopes see.
fn addressee(
    whereabouts: Whereabouts,
    context: Context<'_>,
) -> Result<Box<Addressee>, &'static str> {
    let verdict = context
        .registry
        .verdict(whereabouts, context.at, Programme::Daedalus);
    match verdict {
        Verdict::Theirs(addressee) => Ok(addressee),
        Verdict::Withheld { reason, .. } => Err(reason.name()),
        Verdict::Nobody => Err("nobody"),
    }
}

/// A case of the first lines about an address.
fn opened(
    id: Uuid,
    whereabouts: Whereabouts,
    addressee: &Addressee,
    contacts: &[Contact],
    context: Context<'_>,
) -> Case {
    let first = contacts[0];
    let urgent = addressee.usage == Some(PrefixUse::Critical);
    let by_country = addressee.attribution.basis == Basis::Country;
    let alert = Alert {
        id,
        kind: Kind::InfectedHost,
        state: State::New,
        severity: if urgent {
            Severity::High
        } else {
            Severity::Medium
        },
        confidence: if by_country {
            Confidence::Medium
        } else {
            Confidence::High
        },
        tlp: addressee.tlp,
        partner: Some(addressee.partner.as_str().to_owned()),
        country: Some(addressee.country.to_string()),
        attribution: Some(addressee.attribution.clone()),
        opened_at: first.at,
        first_seen: first.at,
        last_seen: first.at,
        detected_at: first.at,
        subject: Subject::Source {
            source: whereabouts.source,
            asn: (whereabouts.asn != 0).then_some(whereabouts.asn),
        },
        evidence: Evidence {
            source_port: Some(first.port),
            ..Evidence::default()
        },
        reason_code: Reason::Sinkhole.code().to_owned(),
        explanation: String::new(),
        exercise: false,
    };
    absorb(Case { alert, version: 1 }, contacts, context.language)
}

/// A case of an earlier import that goes on.
fn continued(known: &Case, contacts: &[Contact], context: Context<'_>) -> Case {
    let mut case = known.clone();
    case.version += 1;
    case.alert.state = State::Continuing;
    absorb(case, contacts, context.language)
}

fn absorb(mut case: Case, contacts: &[Contact], language: Language) -> Case {
    let alert = &mut case.alert;
    for contact in contacts {
        alert.evidence.packets += 1;
        alert.last_seen = alert.last_seen.max(contact.at);
    }
    alert.detected_at = alert.last_seen;
    let texts = language.texts();
    alert.evidence.rule = texts.rule(SINKHOLE).to_owned();
    alert.explanation = texts.explanation(SINKHOLE, alert);
    case
}

#[cfg(test)]
mod tests;
