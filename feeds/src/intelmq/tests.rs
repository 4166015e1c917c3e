use expect_test::expect_file;

use super::*;
use crate::samples::{infected, partner, samples};

fn object(line: &str) -> Map<String, Value> {
    serde_json::from_str(line).expect("a line is an object")
}

#[test]
fn the_keys_are_a_contract() {
    let text = lines(&partner("th-cert"), &samples());
    expect_file!["../../golden/intelmq.jsonl"].assert_eq(&text);
}

#[test]
fn a_silent_sensor_is_no_event() {
    let text = lines(&partner("th-cert"), &samples());
    assert_eq!(text.lines().count(), samples().len() - 1);
    assert!(!text.contains("bangkok"), "{text}");
}

#[test]
fn no_text_breaks_a_line_where_python_would() {
    let mut alert = infected(1);
    alert.explanation = "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{1c}f\r\n𝕏".to_owned();
    let text = lines(&partner("th-cert"), [&Shown::new(alert.clone(), None)]);
    assert!(text.is_ascii());
    let ends = |character: char| character.is_ascii_control();
    assert_eq!(text.matches(ends).collect::<Vec<_>>(), ["\n"]);
    assert_eq!(object(&text)["extra.explanation"], alert.explanation);
}

#[test]
fn a_port_comes_with_the_time_of_its_packet() {
    let mut alert = infected(1);
    let told = |alert: &Alert| {
        let shown = Shown::new(alert.clone(), None);
        object(&lines(&partner("th-cert"), [&shown]))
    };
    let first = told(&alert);
    assert_eq!(first["time.source"], alert.first_seen.to_string());
    assert_eq!(first["source.port"], 40_123);
    alert.state = State::Continuing;
    let later = told(&alert);
    assert_eq!(later["time.source"], alert.last_seen.to_string());
    assert_eq!(later.get("source.port"), None);
}

#[test]
fn nothing_of_anybody_else_is_rendered() {
    assert_eq!(lines(&partner("my-cert"), &samples()), "");
    assert_eq!(lines(&partner("th-cert2"), &samples()), "");
}
