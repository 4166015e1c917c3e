//! What of an alert somebody may see. Pure.
//!
//! Whose address it is, its partner sees. People of the centre see sums; single sources of a
//! partner only once they said what for, case by case, and each view of them is written down.

use std::collections::BTreeSet;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Subject};
use noroshi_store::origin::Country;
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution::{Verdict, Whereabouts};
use noroshi_store::registry::partner::Programme;
use noroshi_store::sources::Known;

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
        Role::Viewer | Role::Host(_) => Sight::Masked,
        Role::Analyst | Role::Operator if visitor.session.purpose(alert.id).is_some() => {
            Sight::Whole
        }
        Role::Analyst | Role::Operator => Sight::Masked,
    }
}

/// Every partner that may call a source its own: whoever it was kept for, and whoever the registry
/// says it is at `at`, consent to alerts or not. A verified prefix is its owner's outside its
/// validity as well: nobody else is shown it for that.
pub(crate) fn owners(
    registry: &Registry,
    source: std::net::IpAddr,
    known: &[Known],
    at: Millis,
) -> BTreeSet<String> {
    let mut owners = BTreeSet::new();
    let nothing = [Known {
        partner: String::new(),
        asn: 0,
        country: String::new(),
    }];
    let known = if known.is_empty() {
        nothing.as_slice()
    } else {
        known
    };
    for one in known {
        if !one.partner.is_empty() {
            owners.insert(one.partner.clone());
        }
        let whereabouts = Whereabouts {
            source,
            asn: one.asn,
            country: Country::new(&one.country),
        };
        if let Some(owner) = registry.owner(whereabouts, at) {
            owners.insert(owner.partner.id.to_string());
        } else if registry.holds(source) {
            let verdict = registry.verdict(whereabouts, at, Programme::Daedalus);
            if let Verdict::Withheld { partner, .. } = verdict {
                owners.insert(partner.to_string());
            }
        }
    }
    owners
}

/// Whether a source of these owners is shown to somebody who named an open case of `opened`:
/// nobody's always, a partner's where the case is that partner's, what two claim to none.
pub(crate) fn is_open(owners: &BTreeSet<String>, opened: Option<&str>) -> bool {
    owners.iter().all(|owner| Some(owner.as_str()) == opened)
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

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = r#"
[[partner]]
id = "north"
name = "North"
country = "TH"
asns = [64501]
country_consent = { by = "letter", on = 2026-01-01 }
[[partner.prefix]]
prefix = "203.0.113.0/24"
claim = "verified"
valid_until = 2026-06-01

[[partner]]
id = "south"
name = "South"
country = "MY"
"#;

    #[test]
    fn a_source_is_its_owners_by_prefix_number_country_or_as_it_was_kept() {
        let registry = Registry::parse("registry.toml", REGISTRY).unwrap();
        let november = Millis(1_793_577_600_000);
        let of = |source: &str, partner: &str, asn: u32, country: &str| {
            let known = Known {
                partner: partner.to_owned(),
                asn,
                country: country.to_owned(),
            };
            let owners = owners(&registry, source.parse().unwrap(), &[known], november);
            owners.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("198.51.100.1", "", 0, ""), "");
        assert_eq!(
            of("203.0.113.7", "", 0, ""),
            "north",
            "past its validity, too"
        );
        assert_eq!(of("198.51.100.1", "", 64_501, ""), "north");
        assert_eq!(of("198.51.100.1", "", 0, "TH"), "north");
        assert_eq!(of("198.51.100.1", "", 0, "MY"), "", "no consent by country");
        assert_eq!(of("198.51.100.1", "south", 64_501, ""), "north south");
        let prefix = owners(&registry, "203.0.113.7".parse().unwrap(), &[], november);
        assert_eq!(prefix.len(), 1, "whether it was seen or not");
        assert!(!is_open(&prefix, None) && !is_open(&prefix, Some("south")));
        assert!(is_open(&prefix, Some("north")) && is_open(&BTreeSet::new(), None));
        let both = BTreeSet::from(["north".to_owned(), "south".to_owned()]);
        assert!(!is_open(&both, Some("north")));
    }
}
