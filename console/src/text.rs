//! The words of pages: one catalogue a language, in a file of its own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

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
pub struct Texts {
    /// Its tag (BCP 47).
    pub language: String,
    #[serde(flatten)]
    parts: BTreeMap<String, BTreeMap<String, String>>,
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

    /// The languages there are.
    pub fn languages() -> Vec<&'static str> {
        CATALOGUES.iter().map(|(name, _)| *name).collect()
    }

    /// The first language of a browser's list (`Accept-Language`) that there is; else English.
    pub fn accepted(list: &str) -> &'static Self {
        let tags = list
            .split(',')
            .take(16)
            .map(|one| one.split(';').next().unwrap_or(one));
        let mut known = tags.filter_map(|tag| Self::of(tag.trim().split('-').next()?));
        known.next().unwrap_or_else(Self::english)
    }

    /// The text of this name, such as `alerts.title`; the name itself where the catalogue lacks
    /// it, which a test rules out.
    pub fn say<'a>(&'a self, name: &'a str) -> &'a str {
        let found = name
            .split_once('.')
            .and_then(|(part, word)| self.parts.get(part)?.get(word));
        found.map_or(name, String::as_str)
    }

    /// The same with words in braces filled in.
    pub fn fill(&self, name: &str, words: &[(&str, &str)]) -> String {
        let mut said = self.say(name).to_owned();
        for (word, value) in words {
            said = said.replace(&format!("{{{word}}}"), value);
        }
        said
    }

    /// The word for one of a fixed set, such as a kind or a state.
    pub fn word<'a>(&'a self, part: &str, name: &'a str) -> &'a str {
        let found = self.parts.get(part).and_then(|part| part.get(name));
        found.map_or(name, String::as_str)
    }
}

fn read(text: &str) -> Texts {
    toml::from_str(text).expect("the catalogues are part of the program, and a test reads each")
}

#[cfg(test)]
mod tests;
