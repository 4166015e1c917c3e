//! `noroshi update publish|offer|list`: what is done at the centre.

use std::fs::File;
use std::io::{self, Read, Write};

use anyhow::{Context, anyhow};
use noroshi_collector::clock;
use noroshi_collector::update::UpdateSettings;
use noroshi_collector::update::rollout::Rollout;
use noroshi_collector::update::shelf::{Offer, Shelf};
use noroshi_collector::update::standing::{Standing, Standings};
use noroshi_proto::id::SensorId;
use noroshi_proto::limits::UPDATE_MANIFEST_BYTES_MAX;
use noroshi_proto::update::Signed;
use serde_json::json;

use super::sign::beside;
use crate::arguments::updates::{UpdateList, UpdateOffer, UpdatePublish};
use crate::config::Config;
use crate::failure::Failure;

pub(super) fn publish(arguments: &UpdatePublish) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let shelf = shelf(updates(&config)?);
    known(&config, &arguments.to)?;
    let program = &arguments.program;
    let path = arguments.signed.clone().unwrap_or_else(|| beside(program));
    let mut bytes = Vec::new();
    let most = u64::try_from(UPDATE_MANIFEST_BYTES_MAX).unwrap_or(u64::MAX);
    let read = File::open(&path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("{}", path.display()))?;
    let signed = Signed::read(&bytes).with_context(|| format!("{}", path.display()))?;
    let manifest = shelf.publish(&signed, program, &arguments.to, clock::now())?;
    println!(
        "version {} for {} is given to {}; sensors take it until {}",
        manifest.version, manifest.target, arguments.to, manifest.expires,
    );
    Ok(())
}

pub(super) fn offer(arguments: &UpdateOffer) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let shelf = shelf(updates(&config)?);
    known(&config, &arguments.to)?;
    let wanted = |offer: &Offer| {
        let target = arguments.target.as_ref();
        target.is_none_or(|target| *target == offer.manifest.target)
    };
    let offers: Vec<Offer> = shelf.list()?.into_iter().filter(wanted).collect();
    if offers.is_empty() {
        return Err(anyhow!("nothing is published: `noroshi update publish` does").into());
    }
    for offer in offers {
        let (version, target) = (offer.manifest.version, offer.manifest.target.clone());
        shelf.direct(offer, arguments.to.clone())?;
        println!(
            "version {version} for {target} is given to {}",
            arguments.to
        );
    }
    Ok(())
}

pub(super) fn list(arguments: &UpdateList) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let settings = updates(&config)?;
    let standings = Standings::new(&settings.directory);
    let mut out = io::BufWriter::new(io::stdout().lock());
    for offer in shelf(settings).list()? {
        print_offer(&mut out, &offer, arguments.json).context("standard output")?;
    }
    for sensor in config.registry.sensors() {
        let standing = standings.of(&sensor.id)?;
        let printed = print_standing(&mut out, (&sensor.id, standing.as_ref()), arguments.json);
        printed.context("standard output")?;
    }
    out.flush().context("standard output")?;
    Ok(())
}

fn print_offer(out: &mut impl Write, offer: &Offer, json: bool) -> io::Result<()> {
    let manifest = &offer.manifest;
    if json {
        let line = json!({
            "target": manifest.target.as_str(),
            "version": manifest.version.to_string(),
            "to": offer.to.to_string(),
            "issued": manifest.issued.to_string(),
            "expires": manifest.expires.to_string(),
            "sha256": manifest.sha256.to_string(),
        });
        return writeln!(out, "{line}");
    }
    let state = if manifest.expires <= clock::now() {
        "expired"
    } else {
        "until"
    };
    let (target, version) = (&manifest.target, manifest.version);
    writeln!(
        out,
        "{target}: {version} to {}, {state} {}",
        offer.to, manifest.expires
    )
}

fn print_standing(
    out: &mut impl Write,
    (sensor, standing): (&SensorId, Option<&Standing>),
    json: bool,
) -> io::Result<()> {
    if json {
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        let line = json!({
            "sensor": sensor.as_str(),
            "asked_at": standing.map(|standing| standing.at().to_string()),
            "version": standing.map(|standing| &standing.version),
            "target": standing.map(|standing| &standing.target),
            "failed_version": standing.and_then(|standing| text(&standing.failed_version)),
            "failed_reason": standing.and_then(|standing| text(&standing.failed_reason)),
        });
        return writeln!(out, "{line}");
    }
    let Some(standing) = standing else {
        return writeln!(out, "{sensor:<16} has never asked");
    };
    write!(
        out,
        "{sensor:<16} {:<10} {}",
        standing.version, standing.target
    )?;
    write!(out, "  asked {}", standing.at())?;
    if !standing.failed_version.is_empty() {
        let (version, reason) = (&standing.failed_version, &standing.failed_reason);
        write!(out, "  {version} failed: {}", reason.escape_debug())?;
    }
    writeln!(out)
}

fn shelf(settings: &UpdateSettings) -> Shelf {
    Shelf::new(&settings.directory, &settings.keys)
}

fn updates(config: &Config) -> Result<&UpdateSettings, Failure> {
    config.collector.updates.as_ref().ok_or_else(|| {
        Failure::Failed(anyhow!(
            "this centre hands no updates on: write [collector.updates], with the keys that sensors \
             believe"
        ))
    })
}

/// A slip of the pen names nobody.
fn known(config: &Config, to: &Rollout) -> Result<(), Failure> {
    let Rollout::Sensors(sensors) = to else {
        return Ok(());
    };
    let unknown = sensors
        .iter()
        .find(|id| config.registry.sensor(id).is_none());
    match unknown {
        Some(sensor) => Err(anyhow!("sensor {sensor} is not in the registry").into()),
        None => Ok(()),
    }
}
