//! `noroshi alerts list|show`: the life-cycle of alerts from a shell.

use std::io::{self, Write};

use anyhow::Context;
use noroshi_store::alert::Kind;
use noroshi_store::cases::{AlertFilter, Case, Transition};
use noroshi_store::origin::PartnerId;
use noroshi_store::store::Store;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::arguments::{Alerts, AlertsList, AlertsShow};
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;
use crate::text::{self, Colour};

#[tokio::main]
pub async fn run(verb: Alerts) -> Result<(), Failure> {
    let config = Config::load(match &verb {
        Alerts::List(list) => &list.config,
        Alerts::Show(show) => &show.config,
    })?;
    let site = Site::open(&config).await?;
    let result = match verb {
        Alerts::List(arguments) => list(&site.store, arguments).await,
        Alerts::Show(arguments) => show(&site.store, arguments).await,
    };
    site.close().await;
    result
}

async fn list(store: &Store, arguments: AlertsList) -> Result<(), Failure> {
    let filter = AlertFilter {
        partner: arguments.partner.as_deref().map(partner).transpose()?,
        kind: arguments.kind.as_deref().map(kind).transpose()?,
        limit: arguments.limit,
        ..AlertFilter::default()
    };
    let mut cases = store.alerts(&filter).await?;
    if !arguments.all {
        cases.retain(|case| case.alert.state.is_open());
    }
    print(&cases, arguments.json).context("standard output")?;
    Ok(())
}

async fn show(store: &Store, arguments: AlertsShow) -> Result<(), Failure> {
    let Some(case) = store.alert(arguments.id).await? else {
        return Err(Failure::Failed(anyhow::anyhow!(
            "there is no alert {}: `noroshi alerts list --all` names them",
            arguments.id
        )));
    };
    let history = store.history(arguments.id).await?;
    print(&[case], arguments.json).context("standard output")?;
    if !arguments.json {
        print_history(&history).context("standard output")?;
    }
    Ok(())
}

fn partner(id: &str) -> Result<PartnerId, Failure> {
    PartnerId::new(id).ok_or_else(|| {
        Failure::Failed(anyhow::anyhow!(
            "--partner: `{id}` is no partner id: lower-case letters, digits and hyphens"
        ))
    })
}

/// The kind of this name.
fn kind(name: &str) -> Result<Kind, Failure> {
    let deserializer: StrDeserializer<'_, ValueError> = name.into_deserializer();
    Kind::deserialize(deserializer)
        .map_err(|error| Failure::Failed(anyhow::anyhow!("--kind: {error}")))
}

fn print(cases: &[Case], json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for case in cases {
        if json {
            serde_json::to_writer(&mut out, &case.alert)?;
            writeln!(out)?;
        } else {
            text::write(&mut out, &case.alert, Colour::of_stdout())?;
            writeln!(out, "    {}", case.alert.id)?;
        }
    }
    if cases.is_empty() && !json {
        writeln!(out, "no alerts")?;
    }
    out.flush()
}

fn print_history(history: &[Transition]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for step in history {
        let state = text::state(step.case.alert.state);
        writeln!(
            out,
            "    {}  {:<10}  {}  {}",
            step.at, state, step.by, step.note
        )?;
    }
    out.flush()
}
