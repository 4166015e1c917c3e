//! `noroshi alerts digest`: what can wait, a line per network.

use std::io::{self, Write};

use anyhow::Context;
use noroshi_proto::time::Millis;
use noroshi_store::cases::AlertFilter;
use noroshi_store::digest::{Line, digest};
use noroshi_store::store::Store;

use super::partner;
use crate::arguments::alerts::Digest as Arguments;
use crate::failure::Failure;

/// Cases that one digest is made of, at most; of more, those detected last.
const CASES_MAX: u32 = 100_000;
/// Subjects named in one line of text.
const NAMED: usize = 8;
const DAY_MILLIS: u64 = 86_400_000;

pub async fn run(store: &Store, arguments: Arguments) -> Result<(), Failure> {
    let until = match arguments.to {
        Some(until) => until,
        None => store.wall_time().await?,
    };
    let day_before = Millis(until.0.saturating_sub(DAY_MILLIS));
    let from = arguments.from.unwrap_or(day_before);
    let filter = AlertFilter {
        partner: arguments.partner.as_deref().map(partner).transpose()?,
        from: Some(from),
        limit: CASES_MAX,
        ..AlertFilter::default()
    };
    let cases = store.alerts(&filter).await?;
    let lines = digest(cases.iter().map(|case| &case.alert), &(from..until));
    print(&lines, arguments.json).context("standard output")?;
    Ok(())
}

fn print(lines: &[Line], json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in lines {
        if json {
            serde_json::to_writer(&mut out, line)?;
            writeln!(out)?;
            continue;
        }
        let partner = line.partner.as_deref().unwrap_or("centre");
        let asn = line.asn.map_or_else(String::new, |asn| format!("AS{asn}"));
        let network = line.network.map_or_else(String::new, |net| net.to_string());
        let named = line.subjects.iter().take(NAMED).cloned();
        let named = named.collect::<Vec<_>>().join(", ");
        writeln!(
            out,
            "{partner:<12} {asn:<10} {network:<18} {:<18} {:>6} cases, {} packets: {named}{}",
            line.kind.name(),
            line.cases,
            line.packets,
            more(line.cases, line.subjects.len().min(NAMED)),
        )?;
    }
    if lines.is_empty() && !json {
        writeln!(out, "nothing that could wait")?;
    }
    out.flush()
}

/// How many are not named.
fn more(cases: u64, named: usize) -> String {
    match cases.saturating_sub(named as u64) {
        0 => String::new(),
        more => format!(" (+{more})"),
    }
}
