//! `noroshi backtest`: the detectors over what is stored, with any settings. Nothing is written.

use std::io::{self, Write};

use anyhow::Context;
use noroshi_analyzer::compare::{Changed, Difference, by_kind, compare};
use noroshi_analyzer::run::backtest::{Backtest, backtest};
use noroshi_proto::time::Millis;
use noroshi_store::alert::Alert;
use serde_json::{Value, json};

use crate::arguments::records::Backtest as Arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;
use crate::text::{self, Colour};

#[tokio::main]
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.from >= arguments.to {
        return Err(Failure::Failed(anyhow::anyhow!(
            "--from {} is not before --to {}",
            arguments.from,
            arguments.to
        )));
    }
    let config = Config::load(&arguments.config)?;
    let other = arguments.against.as_deref().map(Config::load).transpose()?;
    let site = Site::open(&config).await?;
    let tested = test(&site, &config, &other, &arguments).await;
    site.close().await;
    let (first, second) = tested?;
    if first.examined.is_empty() {
        return Err(Failure::Failed(anyhow::anyhow!(
            "nothing is stored between {} and {}",
            arguments.from,
            arguments.to
        )));
    }
    warn_of_warm_up(&first);
    match second {
        None => print(&first, arguments.json).context("standard output")?,
        Some(second) => print_both(&first, &second, arguments.json).context("standard output")?,
    }
    Ok(())
}

async fn test(
    site: &Site,
    config: &Config,
    other: &Option<Config>,
    arguments: &Arguments,
) -> Result<(Backtest, Option<Backtest>), Failure> {
    let range = arguments.from.seconds()..arguments.to.seconds();
    let store = &site.store;
    let first = backtest(store, &config.registry, &config.analyzer, range.clone()).await?;
    let Some(other) = other else {
        return Ok((first, None));
    };
    let second = backtest(store, &other.registry, &other.analyzer, range).await?;
    Ok((first, Some(second)))
}

/// Detectors that lack their past find less, or too much: the reader must know.
fn warn_of_warm_up(tested: &Backtest) {
    let warm_up = tested.warm_up;
    if warm_up.stored < warm_up.needed {
        eprintln!(
            "note: detectors learn from {} s before --from, of which {} s are stored",
            warm_up.needed, warm_up.stored
        );
    }
}

fn summary(tested: &Backtest) -> Value {
    json!({
        "from": Millis(tested.examined.start * 1000).to_string(),
        "to": Millis(tested.examined.end * 1000).to_string(),
        "warm_up_needed": tested.warm_up.needed,
        "warm_up_stored": tested.warm_up.stored,
        "alerts": tested.alerts.len(),
        "kinds": by_kind(&tested.alerts),
    })
}

fn print(tested: &Backtest, json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for alert in &tested.alerts {
        if json {
            serde_json::to_writer(&mut out, alert)?;
            writeln!(out)?;
        } else {
            text::write(&mut out, alert, Colour::of_stdout())?;
        }
    }
    if json {
        writeln!(out, "{}", json!({ "summary": summary(tested) }))?;
        return out.flush();
    }
    for (kind, count) in by_kind(&tested.alerts) {
        writeln!(out, "{kind:<18} {count:>6}")?;
    }
    writeln!(out, "{} alerts; nothing was written", tested.alerts.len())?;
    out.flush()
}

fn print_both(first: &Backtest, second: &Backtest, json: bool) -> io::Result<()> {
    let difference = compare(&first.alerts, &second.alerts);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match json {
        true => print_difference_json(&mut out, &difference)?,
        false => print_difference(&mut out, &difference)?,
    }
    if json {
        let summary = json!({ "summary": {
            "config": summary(first),
            "against": summary(second),
            "only_config": difference.only_first.len(),
            "only_against": difference.only_second.len(),
            "changed": difference.changed.len(),
            "same": difference.same,
        }});
        writeln!(out, "{summary}")?;
        return out.flush();
    }
    let (these, those) = (by_kind(&first.alerts), by_kind(&second.alerts));
    let mut kinds: Vec<&str> = these.keys().chain(those.keys()).copied().collect();
    kinds.sort_unstable();
    kinds.dedup();
    writeln!(out, "{:<18} {:>8} {:>8}", "kind", "config", "against")?;
    for kind in kinds {
        let of = |counts: &std::collections::BTreeMap<&str, usize>| {
            counts.get(kind).copied().unwrap_or(0)
        };
        writeln!(out, "{kind:<18} {:>8} {:>8}", of(&these), of(&those))?;
    }
    writeln!(
        out,
        "{} alike, {} changed, {} only with --config, {} only with --against; nothing was written",
        difference.same,
        difference.changed.len(),
        difference.only_first.len(),
        difference.only_second.len()
    )?;
    out.flush()
}

fn print_difference_json(out: &mut impl Write, difference: &Difference<'_>) -> io::Result<()> {
    for (only, alerts) in [
        ("config", &difference.only_first),
        ("against", &difference.only_second),
    ] {
        for alert in alerts {
            writeln!(out, "{}", json!({ "only": only, "alert": alert }))?;
        }
    }
    for changed in &difference.changed {
        let Changed { first, second } = changed;
        let line = json!({ "changed": {
            "id": [first.id, second.id],
            "kind": first.kind,
            "partner": first.partner,
            "subject": first.subject,
            "opened_at": [first.opened_at.to_string(), second.opened_at.to_string()],
            "severity": changed.severity(),
            "confidence": changed.confidence(),
            "reason_code": [&first.reason_code, &second.reason_code],
        }});
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn print_difference(out: &mut impl Write, difference: &Difference<'_>) -> io::Result<()> {
    let line = |mark: &str, alert: &Alert| {
        let partner = alert.partner.as_deref().unwrap_or("centre");
        let kind = alert.kind.name();
        let subject = text::subject(&alert.subject);
        format!(
            "{mark} {} {kind:<17} {partner:<10} {subject}",
            alert.opened_at
        )
    };
    for alert in &difference.only_first {
        writeln!(out, "{}", line("-", alert))?;
    }
    for alert in &difference.only_second {
        writeln!(out, "{}", line("+", alert))?;
    }
    for changed in &difference.changed {
        let [severity, other_severity] = changed.severity().map(text::severity);
        let confidence = changed.confidence();
        writeln!(
            out,
            "{}  severity {severity} → {other_severity}, confidence {:?} → {:?}, {} → {}",
            line("~", changed.first),
            confidence[0],
            confidence[1],
            changed.first.reason_code,
            changed.second.reason_code
        )?;
    }
    Ok(())
}
