//! The sensor's command line: `noroshi-sensor`.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use noroshi_proto::update::version::Version;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::clock;
use crate::config::{self, Config, ConfigError};
use crate::run::Ended;
use crate::update::launch::{Launch, launch};
use crate::update::{self, START_AGAIN, Started};

pub mod doctor;
mod enrol;
mod flow_line;
pub mod replay;
mod summary;

/// Watches unused address space and tells the centre who knocks.
#[derive(Debug, Parser)]
#[command(name = "noroshi-sensor", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// More log lines on standard error; twice for even more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// What to do.
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:
  noroshi-sensor check --config sensor.toml         what is wrong with the configuration, and where
  noroshi-sensor enrol --config sensor.toml         paste the token that the centre's operator gave
  noroshi-sensor doctor --config sensor.toml        whether what it needs is there
  noroshi-sensor run --config sensor.toml           watch, until SIGTERM
  noroshi-sensor replay day.pcap --telescope 198.18.0.0/20 --json
  noroshi-sensor replay a.pcapng b.pcap --config sensor.toml --to http://127.0.0.1:7614

Exit codes: 0 good, 1 failed, 2 wrong use, 75 start it again (an update), 78 wrong configuration.";

/// One verb, one file under `command/`.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Check the configuration: exit 0, or 78 with file, line and what to do.
    Check(Configured),
    /// Look at what the sensor needs: interface, rights, disk, clock, collector, telescope.
    Doctor(doctor::Doctor),
    /// Watch and report, until SIGTERM or Ctrl-C.
    ///
    /// Captures as `[capture] method` says: "ring", the kernel's packet ring, on Linux and
    /// Ethernet; "pcap", libpcap, on anything else. It needs CAP_NET_RAW. With [update] it ends
    /// with 75 when it is to be started again, as another version.
    ///
    /// SIGHUP: the configuration is read again, and followed where the next interval begins; nothing
    /// that arrives meanwhile is missed. What is wrong with it is logged, and all goes on as it was.
    Run(Run),
    /// Become this sensor to the centre: reads a one-time token from standard input.
    Enrol(Configured),
    /// The same path from capture files, read one after another as one stream.
    Replay(replay::Replay),
}

/// A verb that needs the configuration and nothing else.
#[derive(Debug, Args)]
struct Configured {
    /// The sensor's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// `noroshi-sensor run`
#[derive(Debug, Args)]
struct Run {
    /// The sensor's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The program that was installed says so to the version that it starts.
    #[arg(long, hide = true, value_name = "VERSION")]
    launched: Option<Version>,
}

/// How a command ends when it does not end well.
#[derive(Debug)]
pub enum Failure {
    /// Exit code 1: it did not work.
    Failed(anyhow::Error),
    /// Exit code 78 (`EX_CONFIG` of sysexits.h): the configuration must be mended first.
    Configuration(ConfigError),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Configuration(_) => ExitCode::from(78),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "noroshi-sensor: {error:#}"),
            Self::Configuration(error) => error.fmt(f),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.into().downcast::<ConfigError>() {
            Ok(error) => Self::Configuration(error),
            Err(error) => Self::Failed(error),
        }
    }
}

/// Does what the command line says; the whole program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    crate::log::to_stderr(match arguments.verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    });
    let done = match arguments.verb {
        Verb::Check(arguments) => check(&arguments.config),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Run(arguments) => return end(run(arguments)),
        Verb::Enrol(arguments) => enrol::run(&arguments.config),
        Verb::Replay(arguments) => replay::run(&arguments),
    };
    end(done.map(|()| ExitCode::SUCCESS))
}

fn end(done: Result<ExitCode, Failure>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

fn check(path: &Path) -> Result<(), Failure> {
    let config = Config::load(path)?;
    println!("{}: {}", path.display(), watches(&config));
    Ok(())
}

fn watches(config: &Config) -> String {
    format!(
        "sensor {} watches {} IPv4 addresses on {} and reports to {}",
        config.sensor,
        config.telescope.at(clock::now()).addresses(),
        config.capture.interface,
        config.collector,
    )
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: Run) -> Result<ExitCode, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangups = signal(SignalKind::hangup())?;
    let mut told = std::pin::pin!(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let path = arguments.config;
    let (version, _launching) = match arguments.launched {
        Some(version) => {
            end_with_the_launcher()?;
            (version, None)
        }
        None => match launch_from(&path, &mut told, &mut hangups).await? {
            Launch::Here(lock) => (update::own_version(), lock),
            Launch::Ended(code) => return Ok(ExitCode::from(code)),
        },
    };
    let config = Config::load(&path)?;
    let (give, changes) = mpsc::channel(1);
    tokio::spawn(read_again(path.clone(), hangups, give));
    let started = Started {
        config: path,
        version,
    };
    Ok(
        match crate::run::run(config, &started, changes, told).await? {
            Ended::Told => ExitCode::SUCCESS,
            Ended::ForUpdate => ExitCode::from(START_AGAIN),
        },
    )
}

/// Gives the configuration each time that it may have changed; never one that is wrong.
async fn read_again(path: PathBuf, mut hangups: Signal, give: mpsc::Sender<Config>) {
    while hangups.recv().await.is_some() {
        match Config::load(&path) {
            Ok(config) => {
                if give.send(config).await.is_err() {
                    return; // the sensor ends
                }
            }
            Err(error) => {
                tracing::error!(
                    "{error}\nthe configuration is not changed, and all goes on as it was"
                );
            }
        }
    }
}

/// Another version, where one is to run.
async fn launch_from(
    path: &Path,
    told: impl Future<Output = ()>,
    hangups: &mut Signal,
) -> Result<Launch, Failure> {
    let Some(settings) = config::update::glance(path) else {
        return Ok(Launch::Here(None));
    };
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    Ok(launch(
        &settings,
        update::own_version(),
        &arguments,
        (told, hangups),
    )
    .await?)
}

/// Whoever launched this watches it: without it, this ends.
#[cfg(target_os = "linux")]
fn end_with_the_launcher() -> Result<(), Failure> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
    Ok(())
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
fn end_with_the_launcher() -> Result<(), Failure> {
    Ok(())
}
