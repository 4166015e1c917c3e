//! ChangeFinder gives the alerts that were published for a real series.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use noroshi_analyzer::evaluate::changefinder;

/// Bins that the published configuration ignores.
const IGNORED: usize = 15;

fn golden(name: &str) -> String {
    let Some(corpus) = option_env!("NOROSHI_CORPUS_FOUND") else {
        panic!("only run where the corpus is");
    };
    let path = PathBuf::from(corpus).join("golden").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn changefinder_gives_the_published_alerts() {
    let counts = golden("changefinder_sensor999_count.csv");
    let rows: Vec<Vec<&str>> = counts
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 432);
    let mut found = BTreeSet::new();
    for column in [1, 2] {
        let values: Vec<f64> = rows
            .iter()
            .map(|row| row[column].trim().parse().expect("a count"))
            .collect();
        let alarms = changefinder::alarms_after(&values, IGNORED);
        found.extend(alarms.into_iter().map(|bin| rows[bin][0].to_owned()));
    }
    let published = golden("changefinder_sensor999_alerts.txt");
    let published: BTreeSet<String> = published.lines().map(str::to_owned).collect();
    assert_eq!(published.len(), 15);
    assert_eq!(found, published);
}
