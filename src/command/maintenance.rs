//! `noroshi maintenance add|list|end`: when sensors are worked on.

use std::io::{self, Write};

use anyhow::Context;
use noroshi_proto::time::Millis;
use noroshi_store::maintenance::Maintenance;
use serde_json::json;
use uuid::Uuid;

use crate::arguments::records::{Maintenance as Verb, MaintenanceAdd, MaintenanceEnd};
use crate::command::author::author;
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;

/// Longest maintenance: whoever takes longer has closed the sensor.
const MILLIS_MAX: u64 = 31 * 86_400_000;
/// How long what is over is still listed.
const LISTED_MILLIS: u64 = 86_400_000;

#[tokio::main]
pub async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Add(arguments) => {
            let config = Config::load(&arguments.config)?;
            check(&config, &arguments)?;
            let site = Site::open(&config).await?;
            let result = add(&site, &arguments).await;
            site.close().await;
            result
        }
        Verb::End(arguments) => {
            let site = Site::open(&Config::load(&arguments.config)?).await?;
            let result = end(&site, &arguments).await;
            site.close().await;
            result
        }
        Verb::List(arguments) => {
            let site = Site::open(&Config::load(&arguments.config)?).await?;
            let now = site.store.wall_time().await?;
            let since = Millis(now.0.saturating_sub(LISTED_MILLIS));
            let windows = site.store.maintenance(since).await;
            site.close().await;
            print(&windows?, arguments.json).context("standard output")?;
            Ok(())
        }
    }
}

fn check(config: &Config, arguments: &MaintenanceAdd) -> Result<(), Failure> {
    let wrong = |text: String| Err(Failure::Failed(anyhow::anyhow!(text)));
    if config.registry.sensor(&arguments.sensor).is_none() {
        let sensors = config.registry.sensors().iter();
        let known: Vec<&str> = sensors.map(|known| known.id.as_str()).collect();
        return wrong(format!(
            "sensor {} is not in the registry, which has: {}",
            arguments.sensor,
            known.join(", ")
        ));
    }
    if arguments.from >= arguments.to {
        return wrong(format!(
            "--from {} is not before --to {}",
            arguments.from, arguments.to
        ));
    }
    if arguments.to.0 - arguments.from.0 > MILLIS_MAX {
        return wrong(
            "more than 31 days: end the sensor's telescope in the registry instead (`until`)"
                .to_owned(),
        );
    }
    Ok(())
}

async fn add(site: &Site, arguments: &MaintenanceAdd) -> Result<(), Failure> {
    let by = author(arguments.by.as_deref());
    let window = Maintenance {
        id: Uuid::new_v4(),
        sensor: arguments.sensor.clone(),
        from: arguments.from,
        until: arguments.to,
        by: by.clone(),
        reason: arguments.reason.clone(),
    };
    site.store.record_maintenance(&window).await?;
    let action = format!(
        "maintenance add {} {}–{}",
        window.sensor, window.from, window.until
    );
    site.store.audit(&by, &action, &window.reason).await?;
    print(&[window], arguments.json).context("standard output")?;
    Ok(())
}

async fn end(site: &Site, arguments: &MaintenanceEnd) -> Result<(), Failure> {
    let now = site.store.wall_time().await?;
    let windows = site.store.maintenance(now).await?;
    let Some(mut window) = windows.into_iter().find(|one| one.id == arguments.id) else {
        return Err(Failure::Failed(anyhow::anyhow!(
            "no maintenance {} is under way or to come: `noroshi maintenance list --json` names them",
            arguments.id
        )));
    };
    let by = author(arguments.by.as_deref());
    window.until = window.from.max(now);
    site.store.record_maintenance(&window).await?;
    let action = format!("maintenance end {} {}", window.sensor, window.until);
    site.store.audit(&by, &action, "").await?;
    print(&[window], arguments.json).context("standard output")?;
    Ok(())
}

fn print(windows: &[Maintenance], json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for window in windows {
        if json {
            let line = json!({
                "id": window.id,
                "sensor": window.sensor.as_str(),
                "from": window.from.to_string(),
                "to": window.until.to_string(),
                "by": window.by,
                "reason": window.reason,
            });
            writeln!(out, "{line}")?;
        } else {
            let Maintenance {
                sensor,
                from,
                until,
                by,
                reason,
                ..
            } = window;
            writeln!(
                out,
                "{:<16} {from}  {until}  {by}  {reason}",
                sensor.as_str()
            )?;
        }
    }
    if windows.is_empty() && !json {
        writeln!(out, "no maintenance")?;
    }
    out.flush()
}
