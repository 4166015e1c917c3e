//! `noroshi demo`: the whole path in one place, on captures made for it.
//!
//! A day of background radiation and an hour with everything in it are generated, played by real
//! sensor processes over loopback, collected into an engine of the demo's own, and analysed live.
//! All of it is marked as an exercise.

mod cast;
mod people;
mod watch;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use noroshi_analyzer::run::{Mode, Parts as AnalyzerParts, run_as};
use noroshi_analyzer::settings::Settings;
use noroshi_collector::enrich::Tables;
use noroshi_collector::enrich::reload::SharedTables;
use noroshi_collector::run::{Local, Parts};
use noroshi_collector::settings::Settings as CollectorSettings;
use noroshi_store::registry::Registry;
use tokio::process::{Child, Command};
use tokio::sync::watch::channel;

use self::cast::Cast;
use self::watch::Watching;
use crate::arguments::Demo;
use crate::failure::Failure;
use crate::site::Site;

/// Partners and sensors of the demo.
const REGISTRY: &str = include_str!("../../config/demo-registry.toml");

#[tokio::main]
pub async fn run(arguments: &Demo) -> Result<(), Failure> {
    let registry = Arc::new(Registry::parse("demo-registry.toml", REGISTRY)?);
    let site = Site::throw_away().await?;
    let result = play(&registry, &site, arguments).await;
    site.close().await;
    result
}

async fn play(registry: &Arc<Registry>, site: &Site, arguments: &Demo) -> Result<(), Failure> {
    println!("Generating a day of background radiation and an hour of events ...");
    let directory = tempfile::tempdir().context("no temporary directory")?;
    let cast = Cast::generate(registry, directory.path())?;
    let parts = Parts {
        store: site.store.clone(),
        registry: Arc::clone(registry),
        tables: SharedTables::new(Tables::of_registry(Arc::clone(registry))),
        metrics: Arc::default(),
    };
    let collector = Local::start(parts, &CollectorSettings::local_replay()).await?;
    let (stop, mut stopped) = channel(());
    let gone = async move { while stopped.changed().await.is_ok() {} };
    let parts = AnalyzerParts {
        store: site.store.clone(),
        registry: Arc::clone(registry),
        settings: Settings::default(),
        metrics: Arc::default(),
    };
    let analyzing = tokio::spawn(run_as(Mode::EXERCISE, parts, gone));
    let (leave, left) = channel(());
    let console = people::receive(site, registry, left).await?;
    let sensors = start_sensors(&cast, &format!("http://{}", collector.address()))?;
    println!(
        "{} sensors play {} packets to the collector.\n",
        sensors.len(),
        cast.packets
    );
    let mut watching = Watching::new(&site.store, &cast);
    let watched = watching.until_all_is_seen(sensors).await;
    watching.print_table(registry);
    let verdict = watched.and_then(|()| watching.verdict());
    if !arguments.exit && std::io::stdout().is_terminal() && verdict.is_ok() {
        println!("\nThe engine, the collector and the console stay until you press Ctrl-C.");
        tokio::signal::ctrl_c().await?;
    }
    drop(leave);
    console.await.context("the console broke off")?;
    drop(stop);
    analyzing.await.context("the analyzer broke off")??;
    collector.stop().await?;
    verdict
}

/// A real sensor process for each telescope.
fn start_sensors(cast: &Cast, collector: &str) -> Result<Vec<Child>, Failure> {
    let noroshi = std::env::current_exe().context("this program's own path")?;
    let program = noroshi.with_file_name("noroshi-sensor");
    if !program.is_file() {
        return Err(Failure::Failed(anyhow::anyhow!(
            "{} is missing: build both programs with `cargo build --workspace --bins`",
            program.display()
        )));
    }
    cast.parts
        .iter()
        .map(|part| start_sensor(&program, part, collector))
        .collect()
}

fn start_sensor(program: &Path, part: &cast::Part, collector: &str) -> Result<Child, Failure> {
    let child = Command::new(program)
        .arg("replay")
        .arg(&part.capture)
        .args([
            "--sensor",
            part.sensor.as_str(),
            "--telescope",
            &part.telescope.to_string(),
        ])
        .args(["--to", collector])
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))?;
    Ok(child)
}
