//! `noroshi alerts tally`: how cases fared, by partner and kind.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Context;
use noroshi_proto::time::Millis;
use noroshi_store::store::Store;
use noroshi_store::tally::Tally;
use serde_json::json;

use crate::arguments::alerts::Tally as Arguments;
use crate::failure::Failure;

pub async fn run(store: &Store, arguments: Arguments) -> Result<(), Failure> {
    let from = arguments.from.unwrap_or(Millis(0));
    let until = match arguments.to {
        Some(until) => until,
        None => store.wall_time().await?,
    };
    let tallies = store.tally(from, until).await?;
    print(&tallies, arguments.json).context("standard output")?;
    Ok(())
}

fn print(tallies: &[Tally], json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for tally in tallies {
        let standing = tally.standing.iter().filter(|(_, cases)| **cases > 0);
        if json {
            let standing: BTreeMap<&str, u64> = standing
                .map(|(state, cases)| (state.name(), *cases))
                .collect();
            let line = json!({
                "partner": tally.partner,
                "kind": tally.kind,
                "cases": tally.cases,
                "false_alerts": tally.false_alerts(),
                "standing": standing,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let standing: Vec<String> = standing
            .map(|(state, cases)| format!("{cases} {state}"))
            .collect();
        let partner = match tally.partner.as_str() {
            "" => "centre",
            partner => partner,
        };
        writeln!(
            out,
            "{partner:<12} {:<18} {:>6} cases, {} false: {}",
            tally.kind,
            tally.cases,
            tally.false_alerts(),
            standing.join(", ")
        )?;
    }
    if tallies.is_empty() && !json {
        writeln!(out, "no alerts")?;
    }
    out.flush()
}
