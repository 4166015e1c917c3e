//! What alerts say, in each language.
//!
//! A catalogue has one entry per reason (`reason_code`) and per ground of confidence. Words in braces
//! are replaced by the alert's evidence. An alert keeps what was said of it when it was written; who
//! reads another language has the same said in theirs ([`told`]).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::alert::{Alert, Subject};

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

/// Every language there is, by its tag (BCP 47). To add one: translate a file, and add a line here.
static CATALOGUES: LazyLock<[(&str, Texts); 2]> = LazyLock::new(|| {
    [
        ("en", parse(include_str!("texts/en.toml"))),
        ("ja", parse(include_str!("texts/ja.toml"))),
    ]
});

fn parse(catalogue: &str) -> Texts {
    toml::from_str(catalogue).expect("the catalogues are part of the program, and tested")
}

impl Texts {
    /// The catalogue of a language.
    pub fn of(language: &str) -> Option<&'static Self> {
        let mut all = CATALOGUES.iter();
        all.find(|(tag, _)| *tag == language)
            .map(|(_, texts)| texts)
    }

    /// The reasons it knows, by `reason_code`.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.keys().map(String::as_str)
    }

    /// The grounds of confidence it knows, by name.
    pub fn grounds(&self) -> impl Iterator<Item = &str> {
        self.grounds.keys().map(String::as_str)
    }

    /// The rule behind a reason; empty where it is not known.
    pub fn rule(&self, reason: &str) -> &str {
        let text = self.reasons.get(reason);
        text.map_or("", |text| text.rule.as_str())
    }

    /// Why confidence is what it is; empty where the ground is not known.
    pub fn ground(&self, ground: &str) -> &str {
        self.grounds.get(ground).map_or("", String::as_str)
    }

    /// What happened, in one or two sentences; empty where the reason is not known.
    pub fn explanation(&self, reason: &str, alert: &Alert) -> String {
        let text = self.reasons.get(reason);
        text.map_or_else(String::new, |text| fill(&text.explanation, alert))
    }
}

/// What is said of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub explanation: String,
    /// By which rule it is told.
    pub rule: String,
    /// Why its confidence is what it is.
    pub reasons: Vec<String>,
}

/// What is said of `alert`, in another language than it was written in. What no catalogue would say
/// of it (it is older than the catalogues, or others wrote it) is left as it was written.
pub fn told(alert: &Alert, language: &str) -> Told {
    let evidence = &alert.evidence;
    let mut told = Told {
        explanation: alert.explanation.clone(),
        rule: evidence.rule.clone(),
        reasons: evidence.reasons.clone(),
    };
    let reason = alert.reason_code.as_str();
    let (Some(wanted), Some(written)) = (Texts::of(language), written_in(alert)) else {
        return told;
    };
    told.explanation = wanted.explanation(reason, alert);
    if told.rule == written.rule(reason) {
        wanted.rule(reason).clone_into(&mut told.rule);
    }
    for text in &mut told.reasons {
        let mut grounds = written.grounds.iter();
        if let Some((name, _)) = grounds.find(|(_, known)| *known == text) {
            wanted.ground(name).clone_into(text);
        }
    }
    told
}

/// The catalogue that says of this alert what it has.
fn written_in(alert: &Alert) -> Option<&'static Texts> {
    let mut all = CATALOGUES.iter().map(|(_, texts)| texts);
    all.find(|texts| texts.explanation(&alert.reason_code, alert) == alert.explanation)
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
mod tests;
