use expect_test::expect_file;

use super::*;
use crate::samples::{infected, partner, samples};

#[test]
fn the_keys_are_a_contract() {
    let lines = lines(&partner("th-cert"), &samples());
    expect_file!["../../golden/alerts.cef"].assert_eq(&lines);
}

/// Reads a line as CEF's guide says: bars and equals signs count where nothing escapes them.
fn parse(line: &str) -> (Vec<String>, String) {
    let mut parts = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '|' if parts.len() == 7 => return (parts, characters.collect()),
            '|' => parts.push(String::new()),
            '\\' => parts.last_mut().unwrap().extend(characters.next()),
            _ => parts.last_mut().unwrap().push(character),
        }
    }
    panic!("no extension: {line}");
}

#[test]
fn what_separates_is_escaped() {
    let mut alert = infected(1);
    alert.reason_code = r"a|b\c=d".to_owned();
    alert.explanation = "x=1 \\ | y\nsrc=198.51.100.1\u{2028}z".to_owned();
    let item = Item::of(Event::Opened, &Shown::new(alert, None));
    let text = line(&partner("th-cert"), &item).unwrap();
    let (head, extension) = parse(&text);
    assert_eq!(head[0], "CEF:0");
    assert_eq!(head[4..], [r"a|b\c=d", "infected_host", "5"]);
    assert!(
        extension.ends_with(r"msg=x\=1 \\ | y\nsrc\=198.51.100.1 z"),
        "{text}"
    );
    assert!(!text.chars().any(char::is_control));
}

#[test]
fn nothing_of_anybody_else_is_rendered() {
    assert_eq!(lines(&partner("my-cert"), &samples()), "");
}
