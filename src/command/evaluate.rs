//! `noroshi evaluate`: how well the detectors do on scenarios whose truth is known.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use noroshi_analyzer::detectors::{self, Observation};
use noroshi_analyzer::evaluate::{Evaluation, Run};
use noroshi_analyzer::scenario::{Scenario, catalogue};
use noroshi_analyzer::settings::Settings;

use super::scenario::named;
use crate::arguments::Evaluate;
use crate::config::Config;
use crate::failure::Failure;

pub fn run(arguments: &Evaluate) -> Result<(), Failure> {
    let scenarios = match arguments.name.as_str() {
        "all" => catalogue::all(),
        name => vec![named(name)?],
    };
    let settings = match &arguments.config {
        Some(path) => Config::load(path)?.analyzer,
        None => Settings::default(),
    };
    let only = &arguments.detectors;
    for name in only {
        known(name, &settings)?;
    }
    let seed = arguments.seed.unwrap_or_else(drawn);
    for scenario in &scenarios {
        let evaluation = evaluate(scenario, (seed, only), &settings);
        print(&evaluation, arguments.json).context("standard output")?;
    }
    Ok(())
}

/// Refuses a name that no detector has.
fn known(name: &str, settings: &Settings) -> Result<(), Failure> {
    let all = detectors::all(settings, Observation::Recorded);
    let names: Vec<&str> = all.iter().map(|one| one.facts().name).collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(Failure::Failed(anyhow::anyhow!(
        "there is no detector `{name}`; there are: {}",
        names.join(", ")
    )))
}

fn evaluate(
    scenario: &Scenario,
    (seed, only): (u64, &[String]),
    settings: &Settings,
) -> Evaluation {
    let bar = progress(scenario);
    let (began, spent) = (now(), spent_by_all());
    let run = Run {
        scenario,
        seed,
        settings,
        only,
        clock: spent_by_thread,
    };
    let mut evaluation = run.evaluate(&mut |second| {
        bar.set_position(second.saturating_sub(scenario.from));
    });
    bar.finish_and_clear();
    evaluation.seconds = (now() - began).as_secs_f64();
    evaluation.cpu_seconds = spent_by_all().saturating_sub(spent).as_secs_f64();
    evaluation.memory_bytes = memory_most();
    evaluation
}

fn print(evaluation: &Evaluation, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, evaluation)?;
        return writeln!(out);
    }
    writeln!(out, "{evaluation}")
}

/// How far it is: on a terminal, never into a pipe.
fn progress(scenario: &Scenario) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(scenario.until - scenario.from);
    let template = "{msg} {wide_bar} {percent}% {elapsed} of {duration}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.set_message(scenario.name);
    bar
}

#[allow(clippy::disallowed_methods, reason = "a shell: it measures itself")]
fn now() -> Instant {
    Instant::now()
}

/// A seed that nobody chose; every report names it.
#[allow(
    clippy::disallowed_methods,
    reason = "a shell: where nobody chose, the clock does"
)]
fn drawn() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::from(since.map_or(1, |since| since.subsec_nanos())) + 1
}

/// What this thread has spent of its processor; nothing where the system does not say.
fn spent_by_thread() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// What all threads have spent, those that have ended included.
fn spent_by_all() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // the name of the program, in parentheses, may hold anything
    let after = text.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    Duration::from_millis(fields.iter().sum::<u64>() * 10) // Linux tells hundredths
}

/// The most memory that was in use, in bytes.
fn memory_most() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}
