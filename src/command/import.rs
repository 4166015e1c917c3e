//! `noroshi import sinkhole`: who connected to a command-and-control server after its take-down.

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use noroshi_analyzer::import::log::{self, BYTES_MAX, Log};
use noroshi_analyzer::import::{Context, Import, import};
use noroshi_collector::enrich::Tables;
use noroshi_proto::time::Millis;
use noroshi_store::notices::Notice;
use noroshi_store::registry::attribution::Whereabouts;
use noroshi_store::store::Store;
use serde_json::json;

use crate::arguments::records::{Import as Verb, Sinkhole};
use crate::command::author::author;
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;

/// Imported cases that are kept at once: more than one take-down's.
const NOTICES_MAX: u32 = 1_000_000;
/// Notices kept in one insert.
const INSERTED_MAX: usize = 1_000;
/// Faulty lines shown one by one.
const BAD_SHOWN_MAX: usize = 20;

#[tokio::main]
pub async fn run(verb: Verb) -> Result<(), Failure> {
    let Verb::Sinkhole(arguments) = verb;
    if arguments.purpose.trim().is_empty() {
        return Err(Failure::Failed(anyhow::anyhow!(
            "--purpose must say what the evidence was given for"
        )));
    }
    let config = Config::load(&arguments.config)?;
    let text = read(&arguments.file)?;
    let site = Site::open(&config).await?;
    let result = sinkhole(&site.store, &config, &arguments, &text).await;
    site.close().await;
    result
}

fn read(path: &Path) -> Result<String, Failure> {
    let context = || format!("{}", path.display());
    let file = std::fs::File::open(path).with_context(context)?;
    let mut text = String::new();
    let mut limited = file.take(BYTES_MAX + 1);
    limited.read_to_string(&mut text).with_context(context)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Failure::Failed(anyhow::anyhow!(
            "{}: more than {} MiB: split the file",
            path.display(),
            BYTES_MAX / (1024 * 1024)
        )));
    }
    Ok(text)
}

async fn sinkhole(
    store: &Store,
    config: &Config,
    arguments: &Sinkhole,
    text: &str,
) -> Result<(), Failure> {
    let now = store.wall_time().await?;
    let log = log::read(text, now).with_context(|| format!("{}", arguments.file.display()))?;
    let (tables, reports) = Tables::load(&config.sources, Arc::clone(&config.registry))?;
    for report in reports {
        tracing::warn!("{report}");
    }
    let before = store.notices(None, NOTICES_MAX).await?;
    let context = Context {
        registry: &config.registry,
        before: &before,
        namespace: store.case_namespace().await?,
        at: now,
        language: config.analyzer.cases.language,
    };
    let import = import(&log, context, |source| whereabouts(&tables, source, now));
    let by = author(arguments.by.as_deref());
    // the purpose is written down before anything of it is kept
    let action = format!(
        "import sinkhole {} ({} cases, {} lines)",
        arguments.file.display(),
        import.cases.len(),
        import.accounts.noticed
    );
    store.audit(&by, &action, &arguments.purpose).await?;
    let notices: Vec<Notice> = import
        .cases
        .iter()
        .map(|case| Notice {
            case: case.clone(),
            at: now,
            by: by.clone(),
            purpose: arguments.purpose.clone(),
        })
        .collect();
    for some in notices.chunks(INSERTED_MAX) {
        store.record_notices(some).await?;
    }
    print(&log, &import, arguments).context("standard output")?;
    Ok(())
}

fn whereabouts(tables: &Tables, source: IpAddr, now: Millis) -> Whereabouts {
    let origin = tables.origin(source, now);
    Whereabouts {
        source,
        asn: origin.asn,
        country: origin.country,
    }
}

fn print(log: &Log, import: &Import, arguments: &Sinkhole) -> io::Result<()> {
    let file = arguments.file.display();
    for bad in log.bad.iter().take(BAD_SHOWN_MAX) {
        eprintln!("{file}:{bad}");
    }
    if let Some(more) = log
        .bad
        .len()
        .checked_sub(BAD_SHOWN_MAX)
        .filter(|more| *more > 0)
    {
        eprintln!("{file}: {more} more lines could not be read");
    }
    let accounts = &import.accounts;
    let discarded: u64 = accounts.discarded.values().sum();
    let lines = log.contacts.len() + log.bad.len();
    let mut out = io::stdout().lock();
    if arguments.json {
        let summary = json!({ "summary": {
            "lines": lines,
            "cases": import.cases.len(),
            "noticed": accounts.noticed,
            "known": accounts.known,
            "discarded": accounts.discarded,
            "bad": log.bad.len(),
        }});
        return writeln!(out, "{summary}");
    }
    writeln!(
        out,
        "{lines} lines: {} in {} cases, {} known already, {discarded} discarded, {} faulty",
        accounts.noticed,
        import.cases.len(),
        accounts.known,
        log.bad.len()
    )?;
    for (reason, lines) in &accounts.discarded {
        writeln!(out, "    discarded {lines}: {reason}")?;
    }
    out.flush()
}
