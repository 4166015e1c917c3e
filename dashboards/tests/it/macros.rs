//! What Grafana's ClickHouse plugin puts in place of its macros, and Grafana in place of variables.
//!
//! By the plugin's documentation: times are Unix seconds, `$__timeInterval` is the panel's step,
//! `$__conditionalAll` is `1=1` when all values are chosen.

use std::collections::BTreeMap;

/// What the reader sees: a stretch of time, in steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Unix seconds.
    pub(crate) from: u64,
    /// Unix seconds.
    pub(crate) to: u64,
    /// Seconds.
    pub(crate) step: u64,
}

/// What was chosen for a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// One value.
    One(String),
    /// All of these, by "All".
    All(Vec<String>),
}

/// The question as the store receives it.
pub(crate) fn expand(sql: &str, span: Span, chosen: &BTreeMap<&str, Chosen>) -> String {
    let mut text = replace_calls(sql, "$__conditionalAll", |arguments| {
        let (predicate, variable) = arguments.rsplit_once(',').expect("a predicate, a variable");
        let variable = variable.trim().trim_start_matches('$');
        match chosen.get(variable) {
            Some(Chosen::All(_)) => "1=1".to_owned(),
            _ => predicate.trim().to_owned(),
        }
    });
    for (name, value) in chosen {
        text = text.replace(&format!("${{{name}:singlequote}}"), &quoted(value));
        text = text.replace(&format!("${{{name}}}"), &plain(value));
    }
    let (from, to) = (
        format!("toDateTime({})", span.from),
        format!("toDateTime({})", span.to),
    );
    text = replace_calls(&text, "$__timeFilter", |column| {
        format!("{column} >= {from} AND {column} <= {to}")
    });
    text = replace_calls(&text, "$__timeInterval", |column| {
        format!(
            "toStartOfInterval(toDateTime({column}), INTERVAL {} second)",
            span.step
        )
    });
    text = text.replace("$__interval_s", &span.step.to_string());
    text = text.replace("$__fromTime", &from).replace("$__toTime", &to);
    assert!(!text.contains('$'), "something is left to expand: {text}");
    text
}

fn quoted(value: &Chosen) -> String {
    let quote = |value: &String| format!("'{}'", value.replace('\'', "\\'"));
    match value {
        Chosen::One(value) => quote(value),
        Chosen::All(values) => values.iter().map(quote).collect::<Vec<_>>().join(","),
    }
}

fn plain(value: &Chosen) -> String {
    match value {
        Chosen::One(value) => value.clone(),
        Chosen::All(values) => values.join(","),
    }
}

/// Replaces every `name(…)`, brackets balanced, by what `with` makes of what stands between them.
fn replace_calls(sql: &str, name: &str, with: impl Fn(&str) -> String) -> String {
    let opening = format!("{name}(");
    let mut text = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once(&opening) {
        let end = closing(after);
        text.push_str(before);
        text.push_str(&with(&after[..end]));
        rest = &after[end + 1..];
    }
    text + rest
}

/// Where the bracket closes that was opened before `text`.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (place, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    panic!("a bracket is not closed: {text}")
}

#[test]
fn macros_become_sql() {
    let span = Span {
        from: 100,
        to: 200,
        step: 60,
    };
    let chosen = BTreeMap::from([
        (
            "country",
            Chosen::All(vec!["TH".to_owned(), "MY".to_owned()]),
        ),
        ("sensor", Chosen::One("o'1".to_owned())),
    ]);
    let sql = "SELECT $__timeInterval(f(a)) AS time FROM t WHERE $__timeFilter(a) \
               AND $__conditionalAll(country IN (${country:singlequote}), $country) \
               AND $__conditionalAll(sensor IN (${sensor:singlequote}), $sensor) \
               AND b / $__interval_s > $__toTime";
    assert_eq!(
        expand(sql, span, &chosen),
        "SELECT toStartOfInterval(toDateTime(f(a)), INTERVAL 60 second) AS time FROM t \
         WHERE a >= toDateTime(100) AND a <= toDateTime(200) AND 1=1 AND sensor IN ('o\\'1') \
         AND b / 60 > toDateTime(200)"
    );
}
