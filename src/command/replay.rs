//! `noroshi replay`: captures to alerts, in event time, on a throw-away store.
//!
//! Everything on the way is the real thing: a sensor per capture stream, gRPC over loopback, the
//! collector, the engine, the analyzer. Only waiting is left out.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use noroshi_analyzer::run as analyzer;
use noroshi_collector::enrich::Tables;
use noroshi_collector::enrich::reload::SharedTables;
use noroshi_collector::run::{Local, Parts};
use noroshi_collector::settings::Settings as CollectorSettings;
use noroshi_proto::id::SensorId;
use noroshi_proto::loss::Counters;
use noroshi_proto::time::IntervalLength;
use noroshi_sensor::config::collector::Collector;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::run as sensor;
use noroshi_sensor::run::{Delivered, replay_to};
use noroshi_sensor::telescope::Telescope;
use noroshi_store::alert::Alert;
use noroshi_store::registry::Registry;
use noroshi_store::registry::sensor::Sensor;
use noroshi_store::store::Store;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::arguments::Replay;
use crate::config::Config;
use crate::failure::Failure;
use crate::site::Site;
use crate::text::{self, Colour};

/// What one replay came to: the last line of `--json`.
#[derive(Debug, Default, Serialize)]
struct Summary {
    frames: u64,
    packets: u64,
    undecodable: BTreeMap<&'static str, u64>,
    outside_telescope: u64,
    flow_tuples: u64,
    alerts: usize,
}

#[tokio::main]
pub async fn run(arguments: Replay) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let streams = streams(&arguments, &config.registry)?;
    let progress = Progress::new("starting the engine");
    let site = Site::throw_away().await?;
    let result = replay(&config, streams, &site.store, &progress).await;
    site.close().await;
    progress.finish();
    let (alerts, summary, defects) = result?;
    print(&alerts, &summary, arguments.json).context("standard output")?;
    match defects.is_empty() {
        true => Ok(()),
        false => Err(Failure::Failed(anyhow::anyhow!(defects.join("\n")))),
    }
}

/// Which captures each sensor reads.
fn streams(
    arguments: &Replay,
    registry: &Registry,
) -> Result<BTreeMap<SensorId, Vec<PathBuf>>, Failure> {
    let mut streams: BTreeMap<SensorId, Vec<PathBuf>> = BTreeMap::new();
    if !arguments.captures.is_empty() {
        let Some(first) = registry.sensors().first() else {
            return Err(Failure::Configuration(
                "the registry has no sensor: add a [[sensor]] with the telescope that the capture \
                 was taken at"
                    .to_owned(),
            ));
        };
        streams.insert(first.id.clone(), arguments.captures.clone());
    }
    for (id, capture) in &arguments.sensor {
        if registry.sensor(id).is_none() {
            let known: Vec<_> = registry
                .sensors()
                .iter()
                .map(|known| known.id.as_str())
                .collect();
            return Err(Failure::Configuration(format!(
                "sensor {id} is not in the registry, which has: {}",
                known.join(", ")
            )));
        }
        streams.entry(id.clone()).or_default().push(capture.clone());
    }
    if streams.is_empty() {
        return Err(Failure::Failed(anyhow::anyhow!(
            "no capture: name one, or write --sensor ID=CAPTURE"
        )));
    }
    Ok(streams)
}

async fn replay(
    config: &Config,
    streams: BTreeMap<SensorId, Vec<PathBuf>>,
    store: &Store,
    progress: &Progress,
) -> Result<(Vec<Alert>, Summary, Vec<String>), Failure> {
    let (tables, reports) = Tables::load(&config.sources, Arc::clone(&config.registry))?;
    for report in reports {
        tracing::warn!("{report}");
    }
    let parts = Parts {
        store: store.clone(),
        registry: Arc::clone(&config.registry),
        tables: SharedTables::new(tables),
        metrics: Arc::default(),
    };
    let collector = Local::start(parts, &CollectorSettings::local_replay()).await?;
    progress.say("reading the captures");
    let url = format!("http://{}", collector.address());
    let delivered = ship(&config.registry, streams, &url).await;
    collector.stop().await?;
    let delivered = delivered?;
    let mut summary = Summary::default();
    let mut defects = Vec::new();
    for stream in &delivered {
        summary.add(&stream.counters, stream.flow_tuples);
        defects.extend(stream.defects.iter().cloned());
    }
    account(store, &summary).await?;
    progress.say("looking for alerts");
    let alerts = analyzer::replay(store, &config.registry, &config.analyzer).await?;
    summary.alerts = alerts.len();
    Ok((alerts, summary, defects))
}

/// Every sensor reads its captures on a thread of its own and ships them to `url`.
async fn ship(
    registry: &Registry,
    streams: BTreeMap<SensorId, Vec<PathBuf>>,
    url: &str,
) -> Result<Vec<Delivered>, Failure> {
    let mut sensors = JoinSet::new();
    for (id, captures) in streams {
        let sensor = registry
            .sensor(&id)
            .context("checked when the arguments were read")?;
        let replay = stream(sensor, captures, url)?;
        sensors.spawn_blocking(move || replay_to(replay));
    }
    let mut delivered = Vec::new();
    while let Some(stream) = sensors.join_next().await {
        delivered.push(stream.context("a sensor's thread broke off")??);
    }
    Ok(delivered)
}

/// One sensor's captures. Its telescope is all it ever watched: a capture may be of any time.
fn stream(sensor: &Sensor, captures: Vec<PathBuf>, url: &str) -> anyhow::Result<sensor::Replay> {
    let watched: Vec<_> = sensor
        .watched
        .iter()
        .map(|watched| watched.prefix)
        .collect();
    Ok(sensor::Replay {
        sensor: sensor.id.clone(),
        telescope: Telescope::new(&watched),
        delivery: Delivery::Direct,
        interval_length: IntervalLength::DEFAULT,
        captures,
        collector: Collector::parse(url).map_err(anyhow::Error::msg)?,
    })
}

/// The law: packets in the store = packets the sensors summarised, in every table alike.
async fn account(store: &Store, summary: &Summary) -> Result<(), Failure> {
    let kept = store.accounting().await?;
    if kept.raw.packets != summary.packets || !kept.balances() {
        return Err(Failure::Failed(anyhow::anyhow!(
            "accounts differ: the sensors summarised {} packets, the store says {kept:?}",
            summary.packets
        )));
    }
    Ok(())
}

fn print(alerts: &[Alert], summary: &Summary, json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if json {
        for alert in alerts {
            serde_json::to_writer(&mut out, alert)?;
            writeln!(out)?;
        }
        serde_json::to_writer(&mut out, &serde_json::json!({ "summary": summary }))?;
        writeln!(out)?;
        return out.flush();
    }
    for alert in alerts {
        text::write(&mut out, alert, Colour::of_stdout())?;
    }
    let undecodable: u64 = summary.undecodable.values().sum();
    writeln!(
        out,
        "{} frames: {} packets in {} flow tuples, {} outside the telescope, {undecodable} \
         undecodable; {} alerts",
        summary.frames,
        summary.packets,
        summary.flow_tuples,
        summary.outside_telescope,
        summary.alerts,
    )?;
    out.flush()
}

impl Summary {
    fn add(&mut self, counters: &Counters, flow_tuples: u64) {
        use noroshi_proto::loss::Loss;
        self.frames += counters.frames;
        self.packets += counters.packets;
        self.flow_tuples += flow_tuples;
        self.outside_telescope += counters.losses.of(Loss::OutsideTelescope);
        for (loss, count) in counters
            .losses
            .iter()
            .filter(|(loss, _)| loss.is_undecodable())
        {
            *self.undecodable.entry(loss.name()).or_default() += count;
        }
    }
}

/// A line that says what is going on: on a terminal, never into a pipe.
struct Progress(ProgressBar);

impl Progress {
    fn new(message: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.set_message(message);
        Self(bar)
    }

    fn say(&self, message: &'static str) {
        self.0.set_message(message);
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}
