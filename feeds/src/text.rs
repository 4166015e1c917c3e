//! The words of mails and pages: one catalogue a language, in a file of its own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use noroshi_store::registry::partner::Partner;
use serde::Deserialize;

/// Every language there is. To add one: translate a file, and add a line here.
static CATALOGUES: LazyLock<[(&str, Texts); 2]> = LazyLock::new(|| {
    [
        ("en", read(include_str!("texts/en.toml"))),
        ("ja", read(include_str!("texts/ja.toml"))),
    ]
});

/// One language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Its tag (BCP 47).
    pub language: String,
    subject: BTreeMap<String, String>,
    body: BTreeMap<String, String>,
    label: BTreeMap<String, String>,
    event: BTreeMap<String, String>,
    state: BTreeMap<String, String>,
    kind: BTreeMap<String, String>,
    severity: BTreeMap<String, String>,
    confidence: BTreeMap<String, String>,
    page: BTreeMap<String, String>,
    report: BTreeMap<String, String>,
}

/// A part of a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Subjects of mails.
    Subject,
    /// Sentences.
    Body,
    /// Names of facts.
    Label,
    /// What happened.
    Event,
    /// Where a case stands on its partner's side.
    State,
    /// Kinds of alerts.
    Kind,
    /// Severities.
    Severity,
    /// Confidences.
    Confidence,
    /// The page behind a link.
    Page,
    /// The weekly report.
    Report,
}

impl Texts {
    /// The catalogue of a language.
    pub fn of(language: &str) -> Option<&'static Self> {
        let mut all = CATALOGUES.iter();
        all.find(|(name, _)| *name == language)
            .map(|(_, texts)| texts)
    }

    /// English.
    pub fn english() -> &'static Self {
        &CATALOGUES[0].1
    }

    /// The catalogue of the language in which a partner takes its mail.
    pub fn for_partner(partner: &Partner) -> &'static Self {
        let mail = partner.push.mail.as_ref();
        mail.and_then(|mail| Self::of(&mail.language))
            .unwrap_or_else(Self::english)
    }

    /// The languages there are.
    pub fn languages() -> Vec<&'static str> {
        CATALOGUES.iter().map(|(name, _)| *name).collect()
    }

    /// A text with its words in braces filled in; its name where the catalogue lacks it, which a
    /// test rules out.
    pub fn say(&self, of: Of, name: &str, words: &[(&str, &str)]) -> String {
        let text = self.part(of).get(name).map_or(name, String::as_str);
        let mut said = text.to_owned();
        for (word, value) in words {
            said = said.replace(&format!("{{{word}}}"), value);
        }
        said
    }

    fn part(&self, of: Of) -> &BTreeMap<String, String> {
        match of {
            Of::Subject => &self.subject,
            Of::Body => &self.body,
            Of::Label => &self.label,
            Of::Event => &self.event,
            Of::State => &self.state,
            Of::Kind => &self.kind,
            Of::Severity => &self.severity,
            Of::Confidence => &self.confidence,
            Of::Page => &self.page,
            Of::Report => &self.report,
        }
    }
}

fn read(text: &str) -> Texts {
    toml::from_str(text).expect("the catalogues are part of the program, and a test reads each")
}

#[cfg(test)]
mod tests {
    use noroshi_store::remedy::Remedy;

    use super::*;
    use crate::message::Event;

    const ALL: [Of; 10] = [
        Of::Subject,
        Of::Body,
        Of::Label,
        Of::Event,
        Of::State,
        Of::Kind,
        Of::Severity,
        Of::Confidence,
        Of::Page,
        Of::Report,
    ];

    /// The words in braces of a text.
    fn words(text: &str) -> Vec<&str> {
        let parts = text.split('{').skip(1);
        let mut words: Vec<_> = parts.filter_map(|part| part.split('}').next()).collect();
        words.sort_unstable();
        words
    }

    #[test]
    fn every_language_says_everything() {
        let english = Texts::of("en").unwrap();
        for language in Texts::languages() {
            let texts = Texts::of(language).unwrap();
            assert_eq!(texts.language, language);
            for of in ALL {
                let (theirs, ours) = (texts.part(of), english.part(of));
                let (names, expected): (Vec<_>, Vec<_>) =
                    (theirs.keys().collect(), ours.keys().collect());
                assert_eq!(names, expected, "{language} {of:?}");
                for (name, text) in theirs {
                    assert_eq!(words(text), words(&ours[name]), "{language} {of:?} {name}");
                }
            }
        }
        for event in Event::ALL {
            assert!(english.event.contains_key(event.name()), "{event:?}");
        }
        for state in Remedy::ALL {
            assert!(english.state.contains_key(state.name()), "{state:?}");
        }
    }

    #[test]
    fn every_kind_has_a_name() {
        use noroshi_store::alert::Kind::*;
        for kind in [
            InfectedHost,
            ScanningHost,
            ReflectionRecon,
            ReflectionVictim,
            OpenReflector,
            DdosVictim,
            ScanSurge,
            NewService,
            CoordinatedScan,
            SpoofSuspect,
            CountrySilence,
            SensorSilence,
        ] {
            assert!(
                Texts::of("en").unwrap().kind.contains_key(kind.name()),
                "{kind:?}"
            );
        }
    }
}
