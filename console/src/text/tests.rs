use std::path::Path;

use noroshi_store::alert::{Kind, Severity, State};
use noroshi_store::remedy::{Event, Remedy};

use super::*;

/// The words in braces of a text.
fn braces(text: &str) -> Vec<&str> {
    let parts = text.split('{').skip(1);
    let mut words: Vec<_> = parts.filter_map(|part| part.split('}').next()).collect();
    words.sort_unstable();
    words
}

#[test]
fn every_language_says_everything() {
    let english = Texts::english();
    for language in Texts::languages() {
        let texts = Texts::of(language).unwrap();
        assert_eq!(texts.language, language);
        let parts: Vec<_> = texts.parts.keys().collect();
        assert_eq!(
            parts,
            english.parts.keys().collect::<Vec<_>>(),
            "{language}"
        );
        for (part, words) in &texts.parts {
            let expected = &english.parts[part];
            let names: Vec<_> = words.keys().collect();
            assert_eq!(
                names,
                expected.keys().collect::<Vec<_>>(),
                "{language} {part}"
            );
            for (name, text) in words {
                assert_eq!(
                    braces(text),
                    braces(&expected[name]),
                    "{language} {part}.{name}"
                );
            }
        }
    }
}

#[test]
fn every_word_of_a_set_is_there() {
    let english = Texts::english();
    let has = |part: &str, name: &str| {
        assert!(english.parts[part].contains_key(name), "{part}.{name}");
    };
    Kind::ALL.iter().for_each(|kind| has("kind", kind.name()));
    Remedy::ALL
        .iter()
        .for_each(|state| has("remedy", state.name()));
    Event::ALL
        .iter()
        .for_each(|event| has("event", event.name()));
    for state in [
        State::New,
        State::Continuing,
        State::Closed,
        State::Withdrawn,
    ] {
        has("state", state.name());
    }
    for severity in [
        Severity::Info,
        Severity::Low,
        Severity::Medium,
        Severity::High,
    ] {
        has("severity", severity.name());
    }
}

/// Names in `say("…")` and `fill("…")` of the sources.
#[test]
fn whatever_is_said_is_in_the_catalogue() {
    let mut said = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|name| name == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                for call in ["say(\"", "fill(\""] {
                    for name in source.split(call).skip(1) {
                        let name = name.split('"').next().unwrap();
                        if name.contains('.') {
                            said += 1;
                            let text = Texts::english().say(name);
                            assert_ne!(
                                text,
                                name,
                                "{name} of {} is in no catalogue",
                                path.display()
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(said > 30, "the walk finds the sources");
}

#[test]
fn a_browser_is_answered_in_its_language() {
    for (list, language) in [
        ("ja,en-US;q=0.7", "ja"),
        ("fr, ja-JP;q=0.8, en", "ja"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
    ] {
        assert_eq!(Texts::accepted(list).language, language, "{list}");
    }
}
