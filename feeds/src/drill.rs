//! A drill: an alert about nothing, marked as an exercise, and what its partner would receive of it
//! in each format.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{
    Alert, Attribution, Basis, Confidence, Evidence, Kind, Severity, State, Subject,
};
use noroshi_store::changes::Shown;
use noroshi_store::deliveries::Form;
use noroshi_store::registry::partner::Partner;
use uuid::Uuid;

use crate::channel::{Channel, Source};
use crate::message::{self, Event, Item, Message, Said};
use crate::plan::Profile;
use crate::stix::{self, Audience};
use crate::{cef, intelmq, render};

/// What a partner would receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The format's name, or the channel's.
    pub format: String,
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

/// The message that tells of a drill alert on a channel.
pub fn message(channel: &Profile, alert: &Alert) -> Message {
    let (partner, case) = (channel.partner.as_str(), alert.id);
    let id = message::id(partner, &channel.channel, case, Event::Opened, 0);
    Message {
        id,
        form: Form::Single,
        at: alert.opened_at,
        said: Said {
            items: vec![Item {
                event: Event::Opened,
                alert: alert.clone(),
                reason: String::new(),
            }],
            ..Said::default()
        },
        opened: Some(id),
    }
}

/// The drill alert in each format. Daily reports (CSV) and MISP hold no exercise, so that no tool
/// takes one for real. What would not go out by a channel says why; links to answer by stand in no
/// drill, for there is no case to answer.
pub fn renderings(
    partner: &Partner,
    channels: &[Channel],
    centre: &str,
    now: Millis,
) -> Vec<Rendering> {
    let mut all = read(partner, centre, now);
    let alert = alert(partner, now);
    for channel in channels {
        if channel.profile.partner != partner.id || channel.source != Source::Changes {
            continue;
        }
        let (way, text) = match channel.preview(&message(&channel.profile, &alert)) {
            Ok(text) => (channel.way().name(), text),
            Err(why) => ("not sent", why),
        };
        let format = channel.profile.channel.clone();
        all.push(Rendering { format, way, text });
    }
    all
}

/// In the formats that it would read.
fn read(partner: &Partner, centre: &str, now: Millis) -> Vec<Rendering> {
    let shown = Shown::new(alert(partner, now), None);
    let audience = Audience {
        centre,
        partner: partner.id.as_str(),
        country: partner.country.as_str(),
        markings: partner.stix_markings,
    };
    let item = Item::of(Event::Opened, &shown);
    let objects = stix::objects(&shown, &audience);
    let objects: String = objects.iter().map(|one| one.json() + "\n").collect();
    let one = |format: &str, way, text| Rendering {
        format: format.to_owned(),
        way,
        text,
    };
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
            cef::line(&partner.id, &item).unwrap_or_default() + "\n",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use noroshi_store::registry::Registry;

    use super::*;
    use crate::channel::{self, Settings};
    use crate::samples::mail_settings;

    #[test]
    fn a_drill_says_in_every_format_that_it_is_one_and_indicates_nothing() {
        let registry = Registry::parse(
            "registry.toml",
            "[[partner]]\nid = \"th-cert\"\nname = \"ThaiCERT\"\ncountry = \"TH\"\n\
             [[partner.prefix]]\nprefix = \"203.0.113.0/24\"\n\
             [partner.mail]\nto = [\"soc@th-cert.example\"]\n[partner.syslog]\naddress = \"siem.th-cert.example:6514\"\n",
        );
        let registry = registry.expect("a registry");
        let now = Millis(1_793_599_210_000);
        let settings = Settings {
            mail: Some(mail_settings(Some("duty@centre.example"))),
            ..Settings::default()
        };
        let channels = channel::open(&settings, registry.partners(), None, now);
        let channels = channels.unwrap_or_else(|problems| panic!("{problems:?}"));
        let shown = renderings(&registry.partners()[0], &channels, "Noroshi", now);
        let formats: Vec<&str> = shown.iter().map(|one| one.format.as_str()).collect();
        assert_eq!(
            formats,
            ["alerts", "intelmq", "stix", "cef", "syslog", "mail"]
        );
        for shown in renderings(&registry.partners()[0], &channels, "Noroshi", now) {
            let text = shown.text.to_lowercase();
            assert!(
                text.contains("exercise") || text.contains("drill"),
                "{shown:?}"
            );
            assert!(!text.contains("indicator--"), "{shown:?}");
        }
    }
}
