//! What operators read of an analyzer: how far it has come, and what became of what arrived.

use std::collections::BTreeMap;
use std::sync::Mutex;

use noroshi_metrics::held;
use noroshi_metrics::text::Text;

use crate::alerts::Outcome;
use crate::detectors::Fill;
use crate::windows::Accounts;

/// Everything that is counted, from the start of the program.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Whether this analyzer decides.
    leads: bool,
    /// In seconds since 1970: every interval before has been examined.
    examined_through: u64,
    flows: Accounts,
    tables: Vec<Fill>,
    /// By step and kind.
    cases: BTreeMap<(&'static str, &'static str), u64>,
}

impl Metrics {
    /// It holds the lease: until the program ends.
    pub(crate) fn lead(&self) {
        held(&self.0).leads = true;
    }

    /// It has come so far, this became of all flows, and its tables are so full.
    pub(crate) fn come(&self, through: u64, flows: &Accounts, tables: Vec<Fill>) {
        let mut counts = held(&self.0);
        counts.examined_through = through;
        counts.flows = flows.clone();
        counts.tables = tables;
    }

    /// What became of cases. What merely goes on is not counted.
    pub(crate) fn tell(&self, outcomes: &[Outcome]) {
        let mut counts = held(&self.0);
        for outcome in outcomes {
            let step = match outcome {
                Outcome::Opened(_) => "opened",
                Outcome::Closed(_) | Outcome::Disputed(_) => "closed",
                Outcome::Withdrawn(_) => "withdrawn",
                Outcome::Continued(_) | Outcome::Kept(_) => continue,
            };
            let kind = outcome.numbered().alert.kind.name();
            *counts.cases.entry((step, kind)).or_default() += 1;
        }
    }

    /// All of it.
    pub fn text(&self) -> String {
        let counts = held(&self.0);
        let mut text = Text::of("noroshi_analyzer_");
        let help = "1 where this analyzer holds the lease and decides.";
        text.single("leads", "gauge", help, u8::from(counts.leads));
        let help = "Every interval before this time (Unix) has been examined; 0 while it warms up.";
        let through = counts.examined_through;
        text.single("examined_through_timestamp_seconds", "gauge", help, through);
        let help = "Flow tuples that arrived, by what became of them.";
        text.family("flow_tuples_total", "counter", help);
        let flows = &counts.flows;
        let fates = [
            ("examined", flows.examined),
            ("examined_late", flows.examined_late),
        ];
        let skipped = flows
            .skipped
            .iter()
            .map(|(reason, count)| (*reason, *count));
        for (fate, count) in fates.into_iter().chain(skipped) {
            text.value("flow_tuples_total", &format!("{{fate=\"{fate}\"}}"), count);
        }
        let entries = (
            "table_entries",
            "Entries of each table that time or a flood may fill.",
        );
        tell_tables(&mut text, entries, &counts.tables, |fill| fill.entries);
        let limits = (
            "table_entries_max",
            "Entries that each of these tables may have.",
        );
        tell_tables(&mut text, limits, &counts.tables, |fill| fill.limit);
        let help = "Cases opened, closed and withdrawn, by kind.";
        text.family("cases_total", "counter", help);
        for ((step, kind), count) in &counts.cases {
            let labels = format!("{{step=\"{step}\",kind=\"{kind}\"}}");
            text.value("cases_total", &labels, count);
        }
        text.into_string()
    }
}

/// A value of each table, under this name and with these words.
fn tell_tables(
    text: &mut Text,
    (name, help): (&str, &str),
    tables: &[Fill],
    value: fn(&Fill) -> usize,
) {
    text.family(name, "gauge", help);
    for fill in tables {
        let label = format!("{{table=\"{}\"}}", fill.table);
        text.value(name, &label, value(fill));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use noroshi_store::registry::Registry;

    use super::*;
    use crate::alerts::Purpose;
    use crate::analysis::Analysis;
    use crate::detectors::Observation;
    use crate::settings::Settings;

    #[test]
    fn each_table_is_told_of_once_with_its_limit() {
        let registry = Arc::new(Registry::default());
        let settings = Settings::default();
        let live = Observation::Live;
        let analysis = Analysis::new(&settings, registry, live, Purpose::Operation);
        let tables = analysis.tables();
        let names: BTreeSet<&str> = tables.iter().map(|fill| fill.table).collect();
        assert_eq!(names.len(), tables.len());
        let metrics = Metrics::default();
        metrics.come(1, &Accounts::default(), tables.clone());
        let text = metrics.text();
        for Fill { table, limit, .. } in tables {
            let entries = format!("noroshi_analyzer_table_entries{{table=\"{table}\"}} 0\n");
            let most = format!("noroshi_analyzer_table_entries_max{{table=\"{table}\"}} {limit}\n");
            assert!(text.contains(&entries) && text.contains(&most), "{table}");
        }
    }
}
