//! A drill: an alert about nothing, marked as an exercise, and what its partner would receive of it
//! in each format.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{
    Alert, Attribution, Basis, Confidence, Evidence, Kind, Severity, State, Subject,
};
use noroshi_store::changes::Shown;
use noroshi_store::registry::partner::Partner;
use uuid::Uuid;

use crate::stix::{self, Audience};
use crate::{cef, intelmq, render};

/// What a partner would receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The format's name.
    pub format: &'static str,
    /// How it comes.
    pub way: &'static str,
    /// The whole of it.
    pub text: String,
}

/// A drill alert for a partner at `now`, about an address of its own where it has a prefix.
pub fn alert(partner: &Partner, now: Millis) -> Alert {
    let claim = partner.claims.first();
    let address = claim.map_or_else(
        || "192.0.2.1".parse().expect("an address of RFC 5737"),
        |claim| {
            claim
                .prefix
                .hosts()
                .next()
                .unwrap_or(claim.prefix.network())
        },
    );
    let matched = claim.map_or("192.0.2.0/24".to_owned(), |claim| claim.prefix.to_string());
    let opened = Millis(now.0 / 10_000 * 10_000);
    let first = Millis(opened.0.saturating_sub(8_000));
    Alert {
        id: Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("drill {}", partner.id).as_bytes(),
        ),
        kind: Kind::InfectedHost,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: partner.tlp,
        partner: Some(partner.id.as_str().to_owned()),
        country: Some(partner.country.as_str().to_owned()),
        attribution: Some(Attribution {
            basis: Basis::Prefix,
            matched,
            registry_version: String::new(),
        }),
        opened_at: opened,
        first_seen: first,
        last_seen: Millis(first.0 + 7_500),
        detected_at: opened,
        subject: Subject::Source {
            source: address,
            asn: partner.asns.first().copied(),
        },
        evidence: Evidence {
            services: vec!["tcp/23".to_owned(), "tcp/2323".to_owned()],
            packets: 31,
            targets: 29,
            sensors: 2,
            source_port: Some(40_123),
            fingerprint: Some("mirai".to_owned()),
            usual: Some(0.0),
            rule: "drill".to_owned(),
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: "This is a drill: nothing was seen. An alert looks like this.".to_owned(),
        exercise: true,
    }
}

/// The drill alert in each format. Daily reports (CSV) and MISP hold no exercise, so that no tool
/// takes one for real.
pub fn renderings(partner: &Partner, centre: &str, now: Millis) -> Vec<Rendering> {
    let shown = Shown::new(alert(partner, now), None);
    let audience = Audience {
        centre,
        partner: partner.id.as_str(),
        country: partner.country.as_str(),
        markings: partner.stix_markings,
    };
    let objects = stix::objects(&shown, &audience);
    let objects: String = objects.iter().map(|one| one.json() + "\n").collect();
    let one = |format, way, text| Rendering { format, way, text };
    vec![
        one(
            "alerts",
            "GET /v1/alerts.jsonl, and the stream beside it",
            render::lines(&partner.id, [&shown]),
        ),
        one(
            "intelmq",
            "GET /v1/events.jsonl",
            intelmq::lines(&partner.id, [&shown]),
        ),
        one(
            "stix",
            "TAXII 2.1 under /taxii2/, one object a line",
            objects,
        ),
        one(
            "cef",
            "syslog",
            cef::line(&partner.id, &shown).unwrap_or_default() + "\n",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use noroshi_store::registry::Registry;

    use super::*;

    #[test]
    fn a_drill_says_in_every_format_that_it_is_one_and_indicates_nothing() {
        let registry = Registry::parse(
            "registry.toml",
            "[[partner]]\nid = \"th-cert\"\nname = \"ThaiCERT\"\ncountry = \"TH\"\n\
             [[partner.prefix]]\nprefix = \"203.0.113.0/24\"\n",
        );
        let registry = registry.expect("a registry");
        let now = Millis(1_793_599_210_000);
        for shown in renderings(&registry.partners()[0], "Noroshi", now) {
            let text = shown.text.to_lowercase();
            assert!(
                text.contains("exercise") || text.contains("drill"),
                "{shown:?}"
            );
            assert!(!text.contains("indicator--"), "{shown:?}");
        }
    }
}
