//! Every question of every dashboard, asked of the real engine over a day of data.

use std::collections::BTreeMap;
use std::net::IpAddr;

use noroshi_dashboards::alerting::RULES;
use noroshi_dashboards::all;
use noroshi_dashboards::board::{Panel, View};
use serde_json::Value;

use super::day;
use super::macros::{Chosen, Span, expand};
use super::question::{Answer, Read, ask, choices, values};

/// What the reader sees: the day, and a little before and after it.
const SPAN: Span = Span {
    from: day::START - 60,
    to: day::START + day::LENGTH,
    step: 600,
};

#[tokio::test]
async fn every_question_is_answered() {
    let store = day::store().await;
    let raw = "SELECT count() FROM flow_tuples";
    let raw: u64 = store
        .client()
        .query(raw)
        .fetch_one()
        .await
        .expect("a count");
    let mut wrong = Vec::new();
    let mut asked = 0;
    for board in all() {
        let choices = choices(&store, &board).await;
        assert!(!choices.is_empty(), "{}: nothing to choose", board.uid);
        for panel in board.rows.iter().flat_map(|row| &row.panels) {
            for chosen in &choices {
                asked += 1;
                let sql = expand(panel.sql, SPAN, chosen);
                let verdict = match ask(&store, &sql).await {
                    Ok(answer) => {
                        judge(panel, &answer).and_then(|()| is_of_rollups(answer.read, raw))
                    }
                    Err(error) => Err(error),
                };
                if let Err(problem) = verdict {
                    wrong.push(format!("{} / {}: {problem}\n{sql}", board.uid, panel.title));
                }
            }
        }
    }
    assert!(asked > 100, "asked {asked} questions");
    assert!(
        wrong.is_empty(),
        "{} of {asked} questions:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// Whether an answer is fit for its panel.
fn judge(panel: &Panel, answer: &Answer) -> Result<(), String> {
    if answer.rows.is_empty() {
        return Err("no rows, although there is data".to_owned());
    }
    if panel.view.is_over_time() {
        over_time(answer)?;
    }
    if matches!(panel.view, View::Stat | View::Fault) {
        one_number(panel, answer)?;
    }
    if let View::Table(columns) = panel.view {
        for column in columns {
            if !answer.columns.iter().any(|(name, _)| name == column.name) {
                return Err(format!("no column '{}'", column.name));
            }
        }
    }
    nobody_is_named(answer)
}

/// Nobody waits for raw rows: of a day there are more of them than of all that is made of them.
fn is_of_rollups(read: Read, raw: u64) -> Result<(), String> {
    if read.rows < raw {
        return Ok(());
    }
    let Read { rows, bytes } = read;
    Err(format!(
        "{rows} rows and {bytes} bytes are read, of {raw} raw rows"
    ))
}

/// A time column of that name, ascending; at least one number beside it.
fn over_time(answer: &Answer) -> Result<(), String> {
    let (name, kind) = &answer.columns[0];
    if name != "time" || !kind.starts_with("DateTime") {
        return Err(format!("the first column is {name} {kind}, not a time"));
    }
    let numbers = answer
        .columns
        .iter()
        .skip(1)
        .filter(|(_, kind)| is_number(kind))
        .count();
    if numbers == 0 {
        return Err("no column of numbers".to_owned());
    }
    let times: Vec<&str> = answer
        .rows
        .iter()
        .filter_map(|row| row[0].as_str())
        .collect();
    if !times.is_sorted() {
        return Err("times are not in order".to_owned());
    }
    Ok(())
}

fn one_number(panel: &Panel, answer: &Answer) -> Result<(), String> {
    if answer.rows.len() != 1 || answer.columns.len() != 1 || !is_number(&answer.columns[0].1) {
        return Err("not one number".to_owned());
    }
    let number = match &answer.rows[0][0] {
        Value::String(text) => text.parse::<f64>().map_err(|error| error.to_string())?,
        other => other.as_f64().ok_or("not a number")?,
    };
    if !number.is_finite() {
        return Err(format!("{number} is no number"));
    }
    // The day has one restart; nothing else in it is at fault.
    if panel.view == View::Fault && panel.title != "Restarts" && number != 0.0 {
        return Err(format!("{number} where nothing is at fault"));
    }
    if panel.view == View::Stat && number <= 0.0 {
        return Err(format!("{number}, although there is data"));
    }
    Ok(())
}

fn is_number(kind: &str) -> bool {
    ["UInt", "Int", "Float"]
        .iter()
        .any(|name| kind.contains(name))
}

/// No cell is an address or a prefix: Grafana does not ask for what purpose somebody looks.
fn nobody_is_named(answer: &Answer) -> Result<(), String> {
    for cell in answer.rows.iter().flatten().filter_map(Value::as_str) {
        let address = cell.split('/').next().unwrap_or(cell);
        if address.parse::<IpAddr>().is_ok() {
            return Err(format!("an address is shown: {cell}"));
        }
    }
    Ok(())
}

/// The day is over, so its sensors are silent; and its kernel lost a packet of forty.
#[tokio::test]
async fn rules_about_the_platform_fire_where_something_is_at_fault() {
    let store = day::store().await;
    let mut firing = Vec::new();
    for rule in RULES {
        let answer = ask(&store, rule.sql).await;
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", rule.uid));
        assert_eq!(answer.rows.len(), 1, "{}", rule.uid);
        let number = match &answer.rows[0][0] {
            Value::String(text) => text.parse().expect("a number"),
            other => other.as_f64().expect("a number"),
        };
        firing.extend((number > rule.above).then_some(rule.uid));
    }
    assert_eq!(firing, ["noroshi-silent-sensors", "noroshi-lost-packets"]);
}

/// Numbers that are known of the day, as the panels tell them.
#[tokio::test]
async fn the_numbers_are_the_days() {
    let store = day::store().await;
    let everything = BTreeMap::from([
        (
            "country",
            Chosen::All(
                values(
                    &store,
                    include_str!("../../queries/variables/countries.sql"),
                )
                .await,
            ),
        ),
        (
            "sensor",
            Chosen::All(values(&store, include_str!("../../queries/variables/sensors.sql")).await),
        ),
        ("scanners", Chosen::One("1".to_owned())),
        ("grain", Chosen::One("hour_rollup".to_owned())),
        ("service", Chosen::One("tcp/80".to_owned())),
    ]);
    let batches = 3 * 144;
    for (sql, known) in [
        // Three sensors see one victim, four packets a batch each.
        (
            include_str!("../../queries/service/packets.sql"),
            4 * batches,
        ),
        (include_str!("../../queries/service/sources.sql"), 0),
        (include_str!("../../queries/region/countries.sql"), 3),
        (include_str!("../../queries/region/open_alerts.sql"), 3),
        (
            include_str!("../../queries/sensors/addresses.sql"),
            3 * 4_096,
        ),
        (include_str!("../../queries/sensors/restarts.sql"), 1),
    ] {
        let answer = ask(&store, &expand(sql, SPAN, &everything))
            .await
            .expect(sql);
        assert_eq!(sum(&answer, 0), known, "{sql}");
    }
    let losses = include_str!("../../queries/sensors/losses_over_time.sql");
    let losses = ask(&store, &expand(losses, SPAN, &everything))
        .await
        .expect("an answer");
    assert_eq!(
        sum(&losses, 2),
        (day::OUTSIDE + 1) * batches,
        "a restart loses no loss"
    );
}

/// The sum of a column of counts.
fn sum(answer: &Answer, column: usize) -> u64 {
    let number = |row: &Vec<Value>| match &row[column] {
        Value::String(text) => text.parse().expect("a count"),
        other => other.as_u64().expect("a count"),
    };
    answer.rows.iter().map(number).sum()
}
