//! `noroshi alerts …`: the life-cycle of alerts from a shell.

mod digest;
mod history;
mod step;
mod tally;
mod withdraw;

use std::cmp::Reverse;
use std::io::{self, Write};

use anyhow::Context;
use noroshi_store::alert::Kind;
use noroshi_store::cases::AlertFilter;
use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;
use noroshi_store::remedy::Event;
use noroshi_store::store::Store;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use uuid::Uuid;

use crate::arguments::alerts::{Alerts, List, Show};
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;
use crate::text::{self, Colour};

#[tokio::main]
pub async fn run(verb: Alerts) -> Result<(), Failure> {
    let config = Config::load(verb.config())?;
    let site = Site::open(&config).await?;
    let store = &site.store;
    let result = match verb {
        Alerts::List(arguments) => list(store, arguments).await,
        Alerts::Show(arguments) => show(store, arguments).await,
        Alerts::Ack(arguments) => step::take(store, Event::Acknowledge, arguments).await,
        Alerts::Note(arguments) => step::take(store, Event::Note, arguments).await,
        Alerts::Notified(arguments) => step::take(store, Event::Notify, arguments).await,
        Alerts::Cleaning(arguments) => step::take(store, Event::Clean, arguments).await,
        Alerts::Resolve(arguments) => step::take(store, Event::Resolve, arguments).await,
        Alerts::NotOurs(arguments) => step::take(store, Event::Disown, arguments).await,
        Alerts::FalsePositive(arguments) => step::take(store, Event::Refute, arguments).await,
        Alerts::Withdraw(arguments) => withdraw::run(store, arguments).await,
        Alerts::Tally(arguments) => tally::run(store, arguments).await,
        Alerts::Digest(arguments) => digest::run(store, arguments).await,
    };
    site.close().await;
    result
}

async fn list(store: &Store, arguments: List) -> Result<(), Failure> {
    let filter = AlertFilter {
        partner: arguments.partner.as_deref().map(partner).transpose()?,
        kind: arguments.kind.as_deref().map(kind).transpose()?,
        limit: arguments.limit,
        ..AlertFilter::default()
    };
    let mut cases = store.alerts(&filter).await?;
    if filter.kind.is_none_or(|kind| kind == Kind::InfectedHost) {
        let imported = store
            .notices(filter.partner.as_ref(), arguments.limit)
            .await?;
        cases.extend(imported);
        cases.sort_by_key(|case| (Reverse(case.alert.detected_at), case.alert.id));
    }
    if !arguments.all {
        cases.retain(|case| case.alert.state.is_open());
    }
    cases.truncate(arguments.limit as usize);
    let shown = store.show(cases).await?;
    print(&shown, arguments.json).context("standard output")?;
    Ok(())
}

async fn show(store: &Store, arguments: Show) -> Result<(), Failure> {
    let shown = known(store, arguments.id).await?;
    let history = history::read(store, arguments.id).await?;
    if arguments.json {
        history::print_json(&shown, &history).context("standard output")?;
    } else {
        print(&[shown], false).context("standard output")?;
        history::print(&history).context("standard output")?;
    }
    Ok(())
}

/// An alert that must be there.
async fn known(store: &Store, id: Uuid) -> Result<Shown, Failure> {
    store.shown(id).await?.ok_or_else(|| {
        Failure::Failed(anyhow::anyhow!(
            "there is no alert {id}: `noroshi alerts list --all` names them"
        ))
    })
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

fn print(shown: &[Shown], json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for one in shown {
        if json {
            serde_json::to_writer(&mut out, one)?;
            writeln!(out)?;
        } else {
            text::write(&mut out, &one.alert, Colour::of_stdout())?;
            writeln!(out, "    {}{}", one.alert.id, standing(one))?;
        }
    }
    if shown.is_empty() && !json {
        writeln!(out, "no alerts")?;
    }
    out.flush()
}

/// Where it stands on the partner's side, and why; nothing before the first step.
fn standing(shown: &Shown) -> String {
    let Some(remedy) = &shown.remedy else {
        return String::new();
    };
    let mut text = format!("  {} since {}", remedy.state, remedy.since);
    if !remedy.reason.is_empty() {
        text.push_str(&format!(": {}", remedy.reason));
    }
    if let Some(probability) = remedy.silence_probability {
        text.push_str(&format!(" (P = {probability:.2e})"));
    }
    text
}
