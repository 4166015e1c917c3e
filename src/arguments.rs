//! What may be written on the command line.
//!
//! | module        | holds                                            |
//! |---------------|--------------------------------------------------|
//! | [`alerts`]    | `alerts …`                                       |
//! | [`partners`]  | `partner …`, `feed …`                            |
//! | [`sensors`]   | `sensor …`                                       |
//! | [`updates`]     | `update …`                                       |
//! | [`records`]   | `maintenance …`, `import …`, `backtest`          |
//! | `instant`     | times as people write them                       |

pub mod alerts;
mod instant;
pub mod partners;
pub mod records;
pub mod sensors;
pub mod updates;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use noroshi_proto::id::SensorId;

/// Regional early warning from address space that nobody uses: the centre.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// More log lines on standard error; twice for even more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXAMPLES: &str = "Examples:
  noroshi demo                                  see the whole path work, on shipped captures
  noroshi check --config noroshi.toml           what is wrong with the configuration, and where
  noroshi up --config noroshi.toml              run the centre
  noroshi replay day.pcap --config noroshi.toml --json
  noroshi sensor enrol th-1 --config noroshi.toml      a one-time token for a new sensor
  noroshi alerts list --config noroshi.toml --partner th-cert
  noroshi evaluate week                         how well the detectors do, on a known truth
  noroshi alerts ack 3c46a7a6-4d97-55c4-b13f-d277711ee922 --config noroshi.toml
  noroshi backtest --config noroshi.toml --from 2026-11-01 --to 2026-11-08 --against bolder.toml";

/// One verb, one file under `command/`.
#[derive(Subcommand)]
pub enum Verb {
    /// Everything in one process on the embedded engine, fed from shipped captures.
    Demo(Demo),
    /// All roles of the centre in one process, until SIGTERM.
    Up(Configured),
    /// The collector alone.
    Collector(Configured),
    /// The analyzer alone.
    Analyzer(Configured),
    /// The feeds alone.
    Feeds(Configured),
    /// The console alone.
    Console(Configured),
    /// A user of the console: reads a password from standard input, prints what to add to the file.
    User(User),
    /// Check the configuration and the registry: exit 0, or 78 with file, line and what to do.
    Check(Configured),
    /// Captures to alerts, in event time, on a throw-away store.
    Replay(Replay),
    /// The life-cycle of alerts from a shell.
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Who the sensors are.
    #[command(subcommand)]
    Sensor(sensors::Sensor),
    /// Which version sensors run.
    #[command(subcommand)]
    Update(updates::Update),
    /// When sensors are worked on.
    #[command(subcommand)]
    Maintenance(records::Maintenance),
    /// Evidence from elsewhere.
    #[command(subcommand)]
    Import(records::Import),
    /// The detectors over what is stored, with any settings; nothing is written.
    Backtest(records::Backtest),
    /// Who the partners are.
    #[command(subcommand)]
    Partner(partners::Partner),
    /// What partners receive.
    #[command(subcommand)]
    Feed(partners::Feed),
    /// The embedded ClickHouse engine.
    #[command(subcommand)]
    Engine(Engine),
    /// Traffic made to measure, with the truth about it.
    #[command(subcommand)]
    Scenario(Scenario),
    /// How well the detectors do on scenarios whose truth is known.
    Evaluate(Evaluate),
}

impl Verb {
    /// Whether it runs roles: those log once their configuration says what goes beside.
    pub fn runs_roles(&self) -> bool {
        matches!(
            self,
            Self::Up(_)
                | Self::Collector(_)
                | Self::Analyzer(_)
                | Self::Feeds(_)
                | Self::Console(_)
        )
    }
}

/// A verb that needs the configuration and nothing else.
#[derive(Args)]
pub struct Configured {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// `noroshi user`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi user aiko --role operator >> users.toml
  noroshi user somchai --role partner --partner th-cert >> users.toml
  noroshi user tnet --role host --sensor th-1 --sensor th-2 >> users.toml
  noroshi user naoko --role analyst --oidc 248289761001 >> users.toml

The file is named in [console] users, and is read when the console starts. It has mode 0600.")]
pub struct User {
    /// The name typed at sign-in.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// viewer, analyst, operator, partner or host.
    #[arg(long, value_name = "ROLE")]
    pub role: String,
    /// Of role partner: which.
    #[arg(long, value_name = "ID")]
    pub partner: Option<String>,
    /// Of role host: a sensor that they keep running; repeat it for more.
    #[arg(long = "sensor", value_name = "ID")]
    pub sensors: Vec<String>,
    /// No password, but the name that the provider of identities of [console.oidc] knows them by.
    #[arg(long, value_name = "NAME")]
    pub oidc: Option<String>,
}

/// `noroshi demo`
#[derive(Args)]
pub struct Demo {
    /// End by itself: 0 only if the expected alerts appeared.
    #[arg(long)]
    pub exit: bool,
}

/// `noroshi replay`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi replay day.pcap --config noroshi.toml
  noroshi replay --config noroshi.toml --sensor jp-1=a.pcap --sensor th-1=t.pcap --json
  noroshi replay a.pcap b.pcap --config noroshi.toml      the registry's first sensor, in this order")]
pub struct Replay {
    /// Captures of one sensor, read one after another: the registry's only (or first) sensor.
    #[arg(value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// A capture of a named sensor; repeat it for more.
    #[arg(long, value_name = "ID=CAPTURE", value_parser = sensor_capture)]
    pub sensor: Vec<(SensorId, PathBuf)>,
    /// JSON lines: one per alert in its last state, then one summary.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi engine …`
#[derive(Subcommand)]
pub enum Engine {
    /// Fetch the engine by its package name, through npm, and check it.
    Fetch,
    /// Where the engine is, which version, and whether one runs.
    Status {
        /// The embedded store's directory.
        #[arg(long, value_name = "DIR", default_value = "data")]
        path: PathBuf,
    },
    /// Serve one store directory on a loopback port until standard input closes.
    Serve {
        /// The embedded store's directory.
        #[arg(long, value_name = "DIR")]
        path: PathBuf,
        /// Trade durability for speed: the store is deleted afterwards.
        #[arg(long, hide = true)]
        throw_away: bool,
    },
}

/// `noroshi scenario …`
#[derive(Subcommand)]
pub enum Scenario {
    /// Every scenario, with what happens in it.
    List {
        /// JSON lines: the truth about each thing that happens.
        #[arg(long)]
        json: bool,
    },
    /// A capture per sensor, the registry and the truth, to try the whole path on.
    Generate(Generate),
}

/// `noroshi scenario generate`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi scenario generate week --out week             all of it: some 40 MB a day
  noroshi scenario generate month --out try --skip-hours 540 --hours 3
  noroshi replay --config noroshi.toml --sensor sensor-a=week/sensor-a.pcap --json")]
pub struct Generate {
    /// Which scenario: `noroshi scenario list` names them.
    #[arg(value_name = "SCENARIO")]
    pub name: String,
    /// Where the files go; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Decides every packet.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only so many hours of it.
    #[arg(long, value_name = "N")]
    pub hours: Option<u64>,
    /// Only from this hour on.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub skip_hours: u64,
}

/// `noroshi evaluate`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi evaluate week                       a minute, with a seed of its own
  noroshi evaluate month --seed 1             the month to be judged by
  noroshi evaluate all --seed 1 --json        JSON lines, one per scenario
  noroshi evaluate month --config noroshi.toml    with the thresholds of this configuration")]
pub struct Evaluate {
    /// Which scenario, or `all`: `noroshi scenario list` names them.
    #[arg(value_name = "SCENARIO")]
    pub name: String,
    /// Decides every packet; drawn and told where none is given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// These detectors alone, as `scan_surge`, which is quicker; else all.
    #[arg(long = "detector", value_name = "NAME")]
    pub detectors: Vec<String>,
    /// The centre's configuration: its thresholds count instead of the usual ones.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// JSON lines.
    #[arg(long)]
    pub json: bool,
}

fn sensor_capture(text: &str) -> Result<(SensorId, PathBuf), String> {
    let (id, capture) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` has no `=`: write SENSOR=CAPTURE, as in jp-1=day.pcap"))?;
    Ok((sensor(id)?, capture.into()))
}

fn sensor(id: &str) -> Result<SensorId, String> {
    SensorId::new(id).ok_or_else(|| {
        format!("`{id}` is no sensor id: lower-case letters, digits and hyphens, at most 64")
    })
}
