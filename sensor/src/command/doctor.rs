//! `noroshi-sensor doctor`: whether what the sensor needs is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};
use noroshi_proto::id::Epoch;
use noroshi_proto::time::IntervalLength;

use super::Failure;
use crate::capture::CaptureError;
use crate::capture::interface::Interface;
use crate::clock;
use crate::config::collector::Way;
use crate::config::{self, Config, KernelFilter};
use crate::darkness::kept;
use crate::decode::Decoder;
use crate::doctor::{self, Diagnosis, Disk, Health};
use crate::identity::Identity;
use crate::mask::{Mask, MaskKey};
use crate::run;
use crate::sense::Sense;
use crate::ship::probe::probe;
use crate::spool;
use crate::summarise::{Cut, Memory, Settings, Summariser};
use crate::telescope::Telescope;
use crate::update::state::State;

/// Longest a diagnosis may listen.
const SECONDS_MAX: u64 = 3_600;

/// `noroshi-sensor doctor`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  noroshi-sensor doctor --config sensor.toml
  noroshi-sensor doctor --config sensor.toml --seconds 60      for a small telescope
  sudo -u noroshi noroshi-sensor doctor --config sensor.toml   with the rights the sensor has

Nothing is made or changed. Beside a running sensor everything is looked at but the collector's
welcome: a second stream of the same sensor would end the first.")]
pub struct Doctor {
    /// The sensor's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How long to count what reaches the telescope.
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    seconds: u64,
    /// Print JSON lines, one per thing that was looked at.
    #[arg(long)]
    json: bool,
}

/// Looks at everything and says what was found, a line each.
///
/// # Errors
/// The configuration's; or that something has to be mended, after everything was said.
pub fn run(arguments: &Doctor) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let mut bad = 0;
    let mut tell = |diagnosis: Diagnosis| {
        bad += usize::from(diagnosis.health == Health::Bad);
        if arguments.json {
            let line = serde_json::to_string(&diagnosis).expect("texts are JSON");
            println!("{line}");
        } else {
            println!("{diagnosis}");
        }
    };
    tell(Diagnosis::good("settings", super::watches(&config)));
    tell(salt(&config.salt_file));
    tell(disk(&config.spool));
    tell(darkness(&config.spool.path));
    updates(&config).into_iter().for_each(&mut tell);
    let runs = spool::is_held(&config.spool.path);
    identity(&config).into_iter().for_each(&mut tell);
    collector(&config, runs).into_iter().for_each(&mut tell);
    tell(telescope(&config, arguments.seconds));
    match bad {
        0 => Ok(()),
        bad => Err(anyhow::anyhow!("{bad} of these have to be mended").into()),
    }
}

fn salt(path: &Path) -> Diagnosis {
    const PART: &str = "salt";
    let shown = path.display();
    match fs::read(path) {
        Ok(_) => Diagnosis::good(PART, format!("{shown} is there")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match writable(path.parent().unwrap_or(Path::new("."))) {
                Ok(()) => {
                    Diagnosis::good(PART, format!("{shown} will be drawn at the first start"))
                }
                Err(reason) => Diagnosis::bad(PART, format!("{shown} cannot be made: {reason}")),
            }
        }
        Err(error) => Diagnosis::bad(PART, format!("{shown}: {error}")),
    }
}

fn disk(settings: &config::Spool) -> Diagnosis {
    const PART: &str = "disk";
    let path = settings.path.as_path();
    let Some(there) = path.ancestors().find(|path| path.is_dir()) else {
        return Diagnosis::bad(PART, format!("nothing of {} is there", path.display()));
    };
    if let Err(reason) = writable(there) {
        return Diagnosis::bad(PART, reason);
    }
    let space = match statvfs(there) {
        Ok(space) => space,
        Err(error) => return Diagnosis::bad(PART, format!("{}: {error}", there.display())),
    };
    let files = fs::read_dir(path).into_iter().flatten();
    let used = files
        .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
        .sum();
    doctor::disk(
        path,
        Disk {
            used,
            allowed: settings.bytes_max.bytes(),
            free: space.blocks_available() * space.fragment_size(),
        },
    )
}

/// Whether all of the telescope is still unused.
fn darkness(spool: &Path) -> Diagnosis {
    const PART: &str = "darkness";
    match kept::read(spool) {
        Ok(lit) if lit.is_empty() => Diagnosis::good(PART, "nothing is known to be in use"),
        Ok(lit) => {
            let lit: Vec<String> = lit.iter().map(ToString::to_string).collect();
            let list = kept::path(spool);
            let advice = "take it out of the telescope, here and in the centre's registry";
            let text = format!("in use: {} ({}): {advice}", lit.join(", "), list.display());
            Diagnosis::doubtful(PART, text)
        }
        Err(error) => Diagnosis::bad(PART, error.to_string()),
    }
}

/// What became of updates; nothing where none are taken.
fn updates(config: &Config) -> Option<Diagnosis> {
    let settings = config.update.as_ref()?;
    Some(match State::load(&settings.directory) {
        Ok(state) => doctor::updates(&state, clock::now()),
        Err(error) => Diagnosis::bad("updates", error.to_string()),
    })
}

fn writable(directory: &Path) -> Result<(), String> {
    access(directory, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|error| {
        format!(
            "{} may not be written to: {error}: give it to the sensor's user",
            directory.display()
        )
    })
}

/// Whether the certificate lets the sensor in; nothing where the collector asks for none.
fn identity(config: &Config) -> Option<Diagnosis> {
    let Way::Tls(files) = config.collector.way() else {
        return None;
    };
    Some(match Identity::load(files) {
        Ok(identity) => doctor::identity(&identity.certificate, &config.sensor, clock::now()),
        Err(error) => Diagnosis::bad("identity", error.to_string()),
    })
}

/// What the collector says, and how far its clock is from ours.
#[tokio::main(flavor = "current_thread")]
async fn collector(config: &Config, runs: bool) -> Vec<Diagnosis> {
    const PART: &str = "collector";
    if runs {
        let text = "a sensor runs here, and its log tells how it gets on with the collector";
        return vec![Diagnosis::good(PART, text)];
    }
    let began = clock::now();
    match probe(&run::ship_settings(
        config,
        &config.telescope.at(began),
        Epoch(0),
    ))
    .await
    {
        Ok(welcome) => {
            let now = clock::now();
            let text = format!("{} welcomes {}", config.collector, config.sensor);
            vec![
                Diagnosis::good(PART, text),
                doctor::clock(now.0, welcome.clock.0, now.0.saturating_sub(began.0)),
            ]
        }
        Err(reason) => vec![Diagnosis::bad(
            PART,
            format!("{}: {reason}", config.collector),
        )],
    }
}

/// Captures for a while, and counts what is addressed to the telescope and what is not.
fn telescope(config: &Config, seconds: u64) -> Diagnosis {
    let capture = config::Capture {
        kernel_filter: KernelFilter::Off,
        ..config.capture.clone()
    };
    let telescope = config.telescope.at(clock::now());
    let counted = Interface::open(&capture, &telescope, config.delivery)
        .and_then(|interface| count(config, &telescope, interface, seconds));
    match counted {
        Ok(counted) => doctor::telescope(&counted, telescope.addresses(), seconds),
        Err(error) => Diagnosis::bad("interface", error.to_string()),
    }
}

fn count(
    config: &Config,
    telescope: &Telescope,
    mut interface: Interface,
    seconds: u64,
) -> Result<noroshi_proto::loss::Counters, CaptureError> {
    let settings = Settings {
        sensor: config.sensor.clone(),
        epoch: Epoch(0),
        interval_length: IntervalLength::DEFAULT,
        cut: Cut::EveryInterval,
        memory: Memory::DEFAULT,
    };
    let mask = Mask::new(&MaskKey::from_sensor_id(&config.sensor), telescope.clone());
    let decoder = Decoder::new(telescope.clone(), config.delivery);
    let mut sense = Sense::new(decoder, Summariser::new(settings, mask));
    let end = clock::now().0 + Duration::from_secs(seconds).as_millis() as u64;
    while clock::now().0 < end {
        sense.read(&mut interface)?;
        sense.take(); // counted, and told to nobody
    }
    for (reason, count) in interface.losses()?.iter() {
        sense.lose(reason, count);
    }
    Ok(sense.counters())
}
