//! Dashboards that Grafana will read without a complaint.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use expect_test::expect_file;
use noroshi_dashboards::alerting::RULES;
use noroshi_dashboards::board::{Board, COLUMNS, Choice};
use noroshi_dashboards::{alerting, all, grafana};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("grafana")
}

fn committed(board: &Board) -> Value {
    let path = folder().join(format!("dashboards/{}.json", board.uid));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the file is JSON")
}

#[test]
fn the_committed_files_are_what_the_code_makes() {
    for board in all() {
        let path = folder().join(format!("dashboards/{}.json", board.uid));
        expect_file![path].assert_eq(&grafana::json(&board));
    }
    let files = fs::read_dir(folder().join("dashboards"))
        .expect("the folder is there")
        .count();
    assert_eq!(files, all().len(), "a dashboard that no code makes");
}

#[test]
fn the_rules_about_the_platform_are_what_the_code_makes() {
    let path = folder().join("provisioning/alerting/noroshi.json");
    let text = alerting::json();
    expect_file![path].assert_eq(&text);
    assert!(!text.contains('$'), "Grafana would replace it");
    let uids: BTreeSet<_> = RULES.iter().map(|rule| rule.uid).collect();
    assert_eq!(uids.len(), RULES.len());
}

#[test]
fn names_are_unique() {
    let boards = all();
    let uids: BTreeSet<_> = boards.iter().map(|board| board.uid).collect();
    let titles: BTreeSet<_> = boards.iter().map(|board| board.title).collect();
    assert_eq!((uids.len(), titles.len()), (boards.len(), boards.len()));
    for board in &boards {
        let panels: Vec<_> = board.rows.iter().flat_map(|row| &row.panels).collect();
        let titles: BTreeSet<_> = panels.iter().map(|panel| panel.title).collect();
        assert_eq!(
            titles.len(),
            panels.len(),
            "{}: a title stands twice",
            board.uid
        );
        let names: BTreeSet<_> = board
            .variables
            .iter()
            .map(|variable| variable.name)
            .collect();
        assert_eq!(
            names.len(),
            board.variables.len(),
            "{}: a variable twice",
            board.uid
        );
    }
}

#[test]
fn panels_fill_the_grid_and_never_overlap() {
    for board in all() {
        let dashboard = committed(&board);
        let panels = dashboard["panels"].as_array().expect("panels");
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in panels {
            assert!(
                ids.insert(panel["id"].as_u64().expect("a number")),
                "{}: an id twice",
                board.uid
            );
            let place = |key: &str| panel["gridPos"][key].as_u64().expect("a number");
            assert!(
                place("x") + place("w") <= u64::from(COLUMNS),
                "{}: {panel}",
                board.uid
            );
            for x in place("x")..place("x") + place("w") {
                for y in place("y")..place("y") + place("h") {
                    assert!(
                        taken.insert((x, y)),
                        "{}: {} overlaps",
                        board.uid,
                        panel["title"]
                    );
                }
            }
        }
        let height = taken.iter().map(|(_, y)| y + 1).max().unwrap_or(0);
        assert_eq!(
            taken.len() as u64,
            height * u64::from(COLUMNS),
            "{}: a hole",
            board.uid
        );
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for board in all() {
        let dashboard = committed(&board);
        assert_eq!(dashboard["timezone"], "utc");
        assert_eq!(dashboard["links"][0]["type"], "dashboards");
        for panel in dashboard["panels"].as_array().expect("panels") {
            let title = &panel["title"];
            let words = panel["description"].as_str().expect("a description");
            assert!(
                words.split_whitespace().count() >= 5,
                "{title}: say what the numbers are"
            );
            assert!(
                panel["fieldConfig"]["defaults"]["unit"].is_string(),
                "{title}: unit"
            );
            assert_eq!(
                panel["fieldConfig"]["defaults"]["noValue"], "no data",
                "{title}"
            );
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
            assert_eq!(panel["datasource"]["type"], grafana::PLUGIN, "{title}");
            for target in panel["targets"].as_array().expect("targets") {
                assert_eq!(target["datasource"], panel["datasource"], "{title}");
                assert_eq!(target["editorType"], "sql", "{title}");
            }
        }
    }
}

#[test]
fn every_variable_is_defined_and_used() {
    for board in all() {
        let dashboard = committed(&board);
        let defined: BTreeSet<&str> = board
            .variables
            .iter()
            .map(|variable| variable.name)
            .collect();
        let mut used = BTreeSet::from(["datasource".to_owned()]);
        for panel in dashboard["panels"].as_array().expect("panels") {
            used.extend(variables_of(
                panel["targets"][0]["rawSql"].as_str().expect("a question"),
            ));
        }
        let used: BTreeSet<&str> = used.iter().map(String::as_str).collect();
        assert_eq!(used, defined, "{}", board.uid);
        assert_follow_what_stands_before(&board);
        assert!(
            matches!(board.variables[0].choice, Choice::DataSource),
            "{}",
            board.uid
        );
    }
}

/// Variables are read from the left to the right.
fn assert_follow_what_stands_before(board: &Board) {
    let mut before = BTreeSet::new();
    for variable in &board.variables {
        if let Choice::Following(sql) = variable.choice {
            let named = variables_of(sql);
            assert!(!named.is_empty(), "{}: follows nothing", variable.name);
            for name in named {
                assert!(
                    before.contains(name.as_str()),
                    "{} of {name}",
                    variable.name
                );
            }
        }
        before.insert(variable.name);
    }
}

/// Names after `$` or `${`, without Grafana's own, which begin with `__`.
fn variables_of(sql: &str) -> Vec<String> {
    sql.split('$')
        .skip(1)
        .map(|rest| {
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|name| !name.starts_with("__"))
        .collect()
}

#[test]
fn links_lead_to_dashboards_and_their_variables() {
    let boards = all();
    for board in &boards {
        let text = grafana::json(board);
        for link in text.split("/d/").skip(1) {
            let (uid, rest) = link.split_once("?var-").expect("a link sets a variable");
            let (variable, _) = rest.split_once('=').expect("to a value");
            let target = boards
                .iter()
                .find(|target| target.uid == uid)
                .expect("a dashboard of ours");
            assert!(
                target.variables.iter().any(|known| known.name == variable),
                "{uid} has no variable {variable}"
            );
        }
    }
}

#[test]
fn every_question_stands_in_one_panel() {
    // A file that nothing asks is dead; questions are compared by their text.
    let asked: BTreeSet<String> = all()
        .iter()
        .flat_map(|board| {
            board
                .rows
                .iter()
                .flat_map(|row| &row.panels)
                .map(|panel| panel.sql)
        })
        .map(str::to_owned)
        .collect();
    for group in ["region", "service", "sensors"] {
        let queries = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("queries")
            .join(group);
        for entry in fs::read_dir(queries).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a question");
            assert!(
                asked.contains(&text),
                "{}: no panel asks it",
                path.display()
            );
        }
    }
}

#[test]
fn provisioning_names_the_plugin_and_no_secret() {
    let read = |path: &str| fs::read_to_string(folder().join(path)).expect("the file is there");
    let source = read("provisioning/datasources/noroshi.yaml");
    assert!(source.contains(&format!("type: {}", grafana::PLUGIN)));
    assert!(
        source.contains("password: $__file{"),
        "a password is a path"
    );
    assert!(source.contains("defaultDatabase: noroshi"));
    assert!(read("provisioning/dashboards/noroshi.yaml").contains("type: file"));
}

#[test]
fn no_question_reads_imported_evidence() {
    for board in all() {
        let board = committed(&board).to_string();
        assert!(!board.contains("notices"), "it was given for one purpose");
    }
}

#[test]
fn a_table_asked_within_a_question_is_asked_once_for_all_shards() {
    // On a cluster both are distributed, and the engine refuses one inside the other without GLOBAL.
    for board in all() {
        let text = committed(&board).to_string();
        for (at, _) in text.match_indices("IN (SELECT") {
            let before = text[..at].trim_end();
            let before = before.strip_suffix("NOT").unwrap_or(before).trim_end();
            let from = before.len().saturating_sub(60);
            assert!(
                before.ends_with("GLOBAL"),
                "{}: …{}",
                board.uid,
                before.get(from..).unwrap_or(before)
            );
        }
    }
}
