//! Alerts as they open, and what they amounted to.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use noroshi_store::alert::{Alert, State};
use noroshi_store::cases::ChangeCursor;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::cast::Cast;
use crate::failure::Failure;
use crate::text::{self, Colour};

/// Alerts follow one another at a pace a person can read.
const PACE: Duration = Duration::from_millis(300);
/// How often the store is asked for news.
const POLL: Duration = Duration::from_millis(300);
/// Longest the demo waits for the last alert.
const PATIENCE: Duration = Duration::from_secs(180);
/// Without news for so long after everything expected was seen, the play is over.
const QUIET: Duration = Duration::from_secs(4);
/// Transitions asked for at a time.
const CHANGES_MAX: u32 = 200;

/// One who watches alerts open.
pub struct Watching<'a> {
    store: &'a Store,
    cast: &'a Cast,
    cursor: ChangeCursor,
    seen: Vec<Alert>,
}

impl<'a> Watching<'a> {
    /// Has seen nothing yet.
    pub fn new(store: &'a Store, cast: &'a Cast) -> Self {
        Self {
            store,
            cast,
            cursor: ChangeCursor::default(),
            seen: Vec::new(),
        }
    }

    /// Prints alerts as they open, until the sensors have ended and all expected ones came.
    pub async fn until_all_is_seen(&mut self, mut sensors: Vec<Child>) -> Result<(), Failure> {
        let start = Instant::now();
        let mut news = start;
        while start.elapsed() < PATIENCE {
            for sensor in &mut sensors {
                if sensor.try_wait()?.is_some_and(|status| !status.success()) {
                    return Err(Failure::Failed(anyhow::anyhow!(
                        "a sensor failed: see above"
                    )));
                }
            }
            if self.print_news().await? {
                news = Instant::now();
            }
            let complete = self.cast.missing(&self.seen).next().is_none();
            if complete && news.elapsed() > QUIET {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn print_news(&mut self) -> Result<bool, Failure> {
        let mut changes = self.store.changes(self.cursor, CHANGES_MAX).await?;
        self.cursor = changes.last().map_or(self.cursor, |(cursor, _)| *cursor);
        changes.sort_by_key(|(_, case)| case.alert.opened_at);
        let mut opened = false;
        for (_, case) in changes {
            if case.alert.state != State::New {
                continue;
            }
            opened = true;
            text::write(&mut io::stdout().lock(), &case.alert, Colour::of_stdout())
                .context("standard output")?;
            self.seen.push(case.alert);
            sleep(PACE).await;
        }
        Ok(opened)
    }

    /// How many alerts of each kind each partner got.
    pub fn print_table(&self, registry: &Registry) {
        let mut counts: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
        for alert in &self.seen {
            let partner = alert.partner.clone().unwrap_or_else(|| "centre".to_owned());
            *counts.entry((partner, alert.kind.name())).or_default() += 1;
        }
        let mut out = io::stdout().lock();
        // A closed pipe is no reason to fail: the verdict is in the exit code.
        let _ = writeln!(
            out,
            "\n{:<10} {:<28} {:<18} alerts",
            "partner", "country", "kind"
        );
        for ((partner, kind), count) in counts {
            let name = registry
                .partners()
                .iter()
                .find(|known| known.id.as_str() == partner)
                .map_or("", |known| known.name.as_str());
            let _ = writeln!(out, "{partner:<10} {name:<28} {kind:<18} {count:>6}");
        }
    }

    /// Whether everything expected came, and nothing else.
    pub fn verdict(&self) -> Result<(), Failure> {
        let missing: Vec<String> = self.cast.missing(&self.seen).collect();
        let unexpected = self
            .seen
            .iter()
            .filter(|alert| self.cast.is_unexpected(alert));
        let unexpected: Vec<String> = unexpected
            .map(|alert| format!("{} {}", alert.kind.name(), text::name(&alert.subject)))
            .collect();
        if missing.is_empty() && unexpected.is_empty() {
            println!("\nEvery expected alert came, and no other.");
            return Ok(());
        }
        Err(Failure::Failed(anyhow::anyhow!(
            "missing: [{}]; unexpected: [{}]",
            missing.join(", "),
            unexpected.join(", ")
        )))
    }
}
