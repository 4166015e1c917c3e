//! What alerts say, in each language.
//!
//! A catalogue has one entry per reason and per ground of confidence; a test holds that
//! each is complete. Words in braces are replaced by the alert's evidence.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use noroshi_store::alert::{Alert, Subject};
use serde::Deserialize;

use crate::finding::Reason;
use crate::settings::Language;

/// Why confidence is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// Only a packet or two.
    FewPackets,
    /// Enough evidence, but a source address can be forged.
    Forgeable,
    /// Sensors of different owners agree.
    IndependentSensors,
    /// Many targets, five minutes apart, over one path; or an attack that lasts.
    Steady,
    /// Several sensors count the same hops, or nearly.
    PathsAgree,
    /// Sensors count hops that no single host explains.
    PathsDiffer,
    /// What it is follows from ports alone.
    ByPorts,
    /// Whose it is follows from a country alone.
    ByCountry,
    /// Few of our addresses were hit.
    FewTargets,
    /// Many sources, many targets.
    ManySources,
    /// Its host may be another one tomorrow.
    Dynamic,
    /// Many hosts share it.
    Cgn,
    /// Only one telescope misses them.
    OneTelescope,
    /// Several telescopes miss them, and nobody else.
    OthersGoOn,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Self; 14] = [
        Self::FewPackets,
        Self::Forgeable,
        Self::IndependentSensors,
        Self::Steady,
        Self::PathsAgree,
        Self::PathsDiffer,
        Self::ByPorts,
        Self::ByCountry,
        Self::FewTargets,
        Self::ManySources,
        Self::Dynamic,
        Self::Cgn,
        Self::OneTelescope,
        Self::OthersGoOn,
    ];

    /// Whether nothing is more than medium sure where it holds.
    pub fn limits(self) -> bool {
        matches!(self, Self::ByPorts | Self::ByCountry)
    }

    /// Its name in the catalogues.
    pub fn name(self) -> &'static str {
        match self {
            Self::FewPackets => "few_packets",
            Self::Forgeable => "forgeable",
            Self::IndependentSensors => "independent_sensors",
            Self::Steady => "steady",
            Self::PathsAgree => "paths_agree",
            Self::PathsDiffer => "paths_differ",
            Self::ByPorts => "by_ports",
            Self::ByCountry => "by_country",
            Self::FewTargets => "few_targets",
            Self::ManySources => "many_sources",
            Self::Dynamic => "dynamic",
            Self::Cgn => "cgn",
            Self::OneTelescope => "one_telescope",
            Self::OthersGoOn => "others_go_on",
        }
    }
}

/// The catalogue of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    reasons: BTreeMap<String, ReasonText>,
    grounds: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonText {
    explanation: String,
    rule: String,
}

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| parse(include_str!("../texts/en.toml")));
static JAPANESE: LazyLock<Texts> = LazyLock::new(|| parse(include_str!("../texts/ja.toml")));

fn parse(catalogue: &str) -> Texts {
    toml::from_str(catalogue).expect("the catalogues are part of the program, and tested")
}

impl Texts {
    /// The catalogue of this language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Ja => &JAPANESE,
        }
    }

    /// The rule behind a reason.
    pub fn rule(&self, reason: Reason) -> String {
        let text = self.reasons.get(reason.code());
        text.map_or_else(String::new, |text| text.rule.clone())
    }

    /// Why confidence is what it is.
    pub fn ground(&self, ground: Ground) -> String {
        self.grounds.get(ground.name()).cloned().unwrap_or_default()
    }

    /// What happened, in one or two sentences.
    pub fn explanation(&self, reason: Reason, alert: &Alert) -> String {
        let text = self.reasons.get(reason.code());
        let Some(text) = text.map(|text| text.explanation.as_str()) else {
            return String::new();
        };
        fill(text, alert)
    }
}

/// Replaces `{name}` by what the alert says; a name that no alert has stays as it is.
fn fill(text: &str, alert: &Alert) -> String {
    let mut filled = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        match value(name, alert) {
            Some(value) => filled.push_str(&value),
            None => filled.extend(["{", name, "}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn value(name: &str, alert: &Alert) -> Option<String> {
    let evidence = &alert.evidence;
    let number = |number: Option<f64>| number.map_or_else(|| "0".to_owned(), |n| n.to_string());
    Some(match name {
        "subject" => subject(&alert.subject),
        "services" => services(&evidence.services),
        "packets" => evidence.packets.to_string(),
        "targets" => evidence.targets.to_string(),
        "sensors" => evidence.sensors.to_string(),
        "sources" => evidence.sources.unwrap_or(1).to_string(),
        "scope" => scope(&alert.subject),
        "victims" => evidence.victims.len().to_string(),
        "usual" => number(evidence.usual),
        "rate" => number(evidence.rate),
        "tool" => evidence.fingerprint.clone().unwrap_or_default(),
        "seconds" => {
            let millis = alert.last_seen.0.saturating_sub(alert.first_seen.0);
            millis.div_ceil(1000).max(1).to_string()
        }
        _ => return None,
    })
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Source { source, .. } => source.to_string(),
        Subject::Victim { victim, .. } => victim.clone(),
        Subject::Service { service, .. } => service.clone(),
        Subject::Country { country } => country.clone(),
        Subject::Network { network } => network.clone(),
        Subject::Sensor { sensor } => sensor.clone(),
    }
}

/// Whose sources a service is asked by, where they are not the region's.
fn scope(subject: &Subject) -> String {
    match subject {
        Subject::Service { scope, .. } => scope.clone(),
        _ => String::new(),
    }
}

/// The first five, and how many more.
fn services(all: &[String]) -> String {
    let first = all.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    match all.len() {
        0..=5 => first,
        more => format!("{first} (+{})", more - 5),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_catalogue_is_complete() {
        let reasons: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let grounds: BTreeSet<&str> = Ground::ALL.iter().map(|ground| ground.name()).collect();
        for language in [Language::En, Language::Ja] {
            let texts = Texts::of(language);
            let known = texts.reasons.keys().map(String::as_str);
            assert_eq!(known.collect::<BTreeSet<_>>(), reasons, "{language:?}");
            let known = texts.grounds.keys().map(String::as_str);
            assert_eq!(known.collect::<BTreeSet<_>>(), grounds, "{language:?}");
            for text in texts.reasons.values() {
                assert!(!text.rule.is_empty() && text.explanation.contains("{subject}"));
            }
        }
    }
}
