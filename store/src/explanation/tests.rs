use super::*;
use crate::digest::tests::alert;

fn of(language: &str) -> &'static Texts {
    Texts::of(language).unwrap()
}

/// As the analyzer writes it in this language.
fn written(language: &str) -> Alert {
    let mut alert = alert("203.0.113.7", 64_500);
    alert.reason_code = "mirai_syn".to_owned();
    alert.evidence.rule = of(language).rule("mirai_syn").to_owned();
    alert.evidence.reasons = vec![of(language).ground("steady").to_owned()];
    alert.explanation = of(language).explanation("mirai_syn", &alert);
    alert
}

#[test]
fn every_explanation_says_whom_and_by_which_rule() {
    for (language, texts) in CATALOGUES.iter() {
        for text in texts.reasons.values() {
            assert!(
                !text.rule.is_empty() && text.explanation.contains("{subject}"),
                "{language}"
            );
        }
        assert!(texts.reasons().eq(of("en").reasons()), "{language}");
        assert!(texts.grounds().eq(of("en").grounds()), "{language}");
    }
}

#[test]
fn the_same_is_said_in_every_language() {
    for language in ["en", "ja"] {
        let alert = written(language);
        for wanted in ["en", "ja"] {
            let expected = written(wanted);
            let said = told(&alert, wanted);
            assert_eq!(said.explanation, expected.explanation);
            assert_eq!(said.rule, expected.evidence.rule);
            assert_eq!(said.reasons, expected.evidence.reasons);
        }
        assert_eq!(told(&alert, "xx").explanation, alert.explanation);
    }
}

#[test]
fn what_no_catalogue_would_say_is_left_as_it_was_written() {
    let mut alert = written("en");
    alert.evidence.reasons.push("the owner says so".to_owned());
    assert_eq!(told(&alert, "ja").reasons[1], "the owner says so");
    alert.explanation.push_str(" An operator adds this.");
    let said = told(&alert, "ja");
    assert_eq!(said.explanation, alert.explanation);
    assert_eq!(said.rule, alert.evidence.rule);
}
