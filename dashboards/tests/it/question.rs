//! A question of a dashboard, asked of the real engine, and all that may be chosen for it.

use std::collections::BTreeMap;

use noroshi_dashboards::board::{Board, Choice};
use noroshi_store::store::Store;
use serde_json::Value;

use super::macros::{Chosen, Span, expand};

/// An answer: names of its columns, their types, and the rows.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) rows: Vec<Vec<Value>>,
    /// What was read for it.
    pub(crate) read: Read,
}

/// What the engine read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Read {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// Questions for variables name none.
const NO_TIME: Span = Span {
    from: 0,
    to: 0,
    step: 1,
};

/// Every value of the fixed variables, with all values of the others and with one of each.
pub(crate) async fn choices(store: &Store, board: &Board) -> Vec<BTreeMap<&'static str, Chosen>> {
    let mut choices = vec![BTreeMap::new()];
    for variable in &board.variables {
        let values: Vec<Chosen> = match variable.choice {
            Choice::DataSource => continue,
            Choice::Fixed(values) => values
                .iter()
                .map(|(_, value)| Chosen::One((*value).to_owned()))
                .collect(),
            Choice::Following(sql) => {
                for chosen in &mut choices {
                    let asked = expand(sql, NO_TIME, chosen);
                    let value = values(store, &asked).await.swap_remove(0);
                    chosen.insert(variable.name, Chosen::One(value));
                }
                continue;
            }
            Choice::One(sql) => vec![Chosen::One(values(store, sql).await[0].clone())],
            Choice::Many(sql) => {
                let values = values(store, sql).await;
                vec![Chosen::One(values[0].clone()), Chosen::All(values)]
            }
        };
        choices = choices
            .iter()
            .flat_map(|chosen| {
                values.iter().map(|value| {
                    let mut chosen = chosen.clone();
                    chosen.insert(variable.name, value.clone());
                    chosen
                })
            })
            .collect();
    }
    choices
}

/// What a variable offers.
pub(crate) async fn values(store: &Store, sql: &str) -> Vec<String> {
    let answer = ask(store, sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let values: Vec<String> = answer
        .rows
        .iter()
        .filter_map(|row| row[0].as_str().map(str::to_owned))
        .collect();
    assert!(!values.is_empty(), "{sql} offers nothing");
    values
}

/// Asks without the right to change anything.
pub(crate) async fn ask(store: &Store, sql: &str) -> Result<Answer, String> {
    assert!(!sql.contains('?'), "the client takes '?' for a parameter");
    let query = store.client().query(sql).with_setting("readonly", "2");
    let mut bytes = query
        .fetch_bytes("JSONCompact")
        .map_err(|error| error.to_string())?;
    let bytes = bytes.collect().await.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let meta = answer["meta"].as_array().ok_or("no columns")?;
    let columns = meta
        .iter()
        .map(|column| (text(&column["name"]), text(&column["type"])))
        .collect();
    let rows = answer["data"].as_array().ok_or("no rows")?;
    let rows = rows
        .iter()
        .map(|row| row.as_array().cloned().unwrap_or_default())
        .collect();
    let count = |name: &str| answer["statistics"][name].as_u64().ok_or("no statistics");
    let read = Read {
        rows: count("rows_read")?,
        bytes: count("bytes_read")?,
    };
    Ok(Answer {
        columns,
        rows,
        read,
    })
}
