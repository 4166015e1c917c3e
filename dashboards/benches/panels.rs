//! How long each panel of each dashboard takes over a week, on the embedded engine, and what it reads.
//!
//! ```text
//! cargo bench -p noroshi-dashboards --bench panels     ten million flow tuples, of eight sensors
//! ```
//! Each question is asked with every choice of its variables, as the tests ask it; the slowest choice counts, and of
//! each the median. Without `--bench` a small week, once.

#![allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that fails has no result")]

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/alerts.rs"]
mod alerts;
#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/day.rs"]
mod day;
#[path = "../tests/it/macros.rs"]
mod macros;
#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/question.rs"]
mod question;
#[path = "panels/week.rs"]
mod week;

use std::time::{Duration, Instant};

use macros::{Span, expand};
use noroshi_dashboards::all;
use noroshi_store::store::Store;
use question::{Read, ask, choices};
use week::WEEK;

/// Flow tuples of a batch: ten million in all.
const FLOWS: u64 = 21;
/// Of the small week.
const FLOWS_SMALL: u64 = 1;
/// A panel stands there after so long.
const LIMIT: Duration = Duration::from_millis(200);
/// How often each question is asked; the median counts.
const ROUNDS: usize = 3;
/// A week in some thousand points, as a panel of half a screen draws it.
const SPAN: Span = Span {
    from: WEEK.start,
    to: WEEK.end,
    step: 600,
};

/// One panel at its slowest.
struct Measured {
    name: String,
    took: Duration,
    read: Read,
}

#[tokio::main]
async fn main() {
    let is_full = std::env::args().any(|argument| argument == "--bench");
    let (flows, rounds) = if is_full {
        (FLOWS, ROUNDS)
    } else {
        (FLOWS_SMALL, 1)
    };
    let store = week::store(flows).await;
    let mut all_measured = Vec::new();
    for board in all() {
        let choices = choices(&store, &board).await;
        for panel in board.rows.iter().flat_map(|row| &row.panels) {
            let name = format!("{} / {}", board.uid, panel.title);
            let mut questions: Vec<String> = choices
                .iter()
                .map(|chosen| expand(panel.sql, SPAN, chosen))
                .collect();
            questions.sort();
            questions.dedup();
            all_measured.push(slowest(&store, &name, &questions, rounds).await);
        }
    }
    all_measured.sort_by_key(|measured| std::cmp::Reverse(measured.took));
    println!(
        "{:<64} {:>8} {:>12} {:>10}",
        "panel", "ms", "rows read", "MiB read"
    );
    for Measured { name, took, read } in &all_measured {
        let (millis, mebibytes) = (took.as_secs_f64() * 1e3, read.bytes as f64 / 1048576.0);
        println!(
            "{name:<64} {millis:>8.1} {:>12} {mebibytes:>10.1}",
            read.rows
        );
    }
    let slow = all_measured
        .iter()
        .filter(|measured| measured.took > LIMIT)
        .count();
    println!(
        "{slow} of {} panels take longer than {} ms",
        all_measured.len(),
        LIMIT.as_millis()
    );
}

async fn slowest(store: &Store, name: &str, questions: &[String], rounds: usize) -> Measured {
    let mut slowest: Option<Measured> = None;
    for question in questions {
        let (mut times, mut read) = (Vec::new(), Read::default());
        for _ in 0..rounds {
            let begun = Instant::now();
            let answer = ask(store, question).await;
            times.push(begun.elapsed());
            read = answer
                .unwrap_or_else(|error| panic!("{name}: {error}\n{question}"))
                .read;
        }
        times.sort_unstable();
        let took = times[times.len() / 2];
        if slowest.as_ref().is_none_or(|slowest| took > slowest.took) {
            slowest = Some(Measured {
                name: name.to_owned(),
                took,
                read,
            });
        }
    }
    slowest.expect("each panel has a question")
}
