//! `noroshi maintenance …`, `noroshi import …`, `noroshi backtest`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;

use super::instant::instant;

/// `noroshi maintenance …`
#[derive(Subcommand)]
pub enum Maintenance {
    /// A sensor is worked on: no alert of its silence, and no confirmation by it.
    Add(MaintenanceAdd),
    /// What is under way, to come, or over for less than a day.
    List(MaintenanceList),
    /// It is over now; what has not begun never will.
    End(MaintenanceEnd),
}

/// `noroshi maintenance end`
#[derive(Args)]
pub struct MaintenanceEnd {
    /// The maintenance's id, as `list --json` names it.
    pub id: uuid::Uuid,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Who does it; otherwise $USER.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// JSON.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi maintenance add`
#[derive(Args)]
#[command(after_help = "Example:
  noroshi maintenance add th-1 --from 2026-11-02T06:00Z --to 2026-11-02T08:00Z --reason 'new disk' --config noroshi.toml")]
pub struct MaintenanceAdd {
    /// The sensor's id.
    #[arg(value_parser = super::sensor)]
    pub sensor: SensorId,
    /// When it begins.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub from: Millis,
    /// When it ends.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub to: Millis,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Who does it; otherwise $USER.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// JSON.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi maintenance list`
#[derive(Args)]
pub struct MaintenanceList {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// JSON lines.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi import …`
#[derive(Subcommand)]
pub enum Import {
    /// Logs of a command-and-control server after a take-down: CSV with address, time (UTC), port.
    Sinkhole(Sinkhole),
}

/// `noroshi import sinkhole`
#[derive(Args)]
#[command(after_help = "Example:
  noroshi import sinkhole contacts.csv --purpose 'take-down of a botnet, order 17/2026' --config noroshi.toml

Each address becomes a case of the partner it belongs to, kept for 30 days. Lines of no partner are
discarded and counted. Nothing of it enters surges, statistics, backtests or dashboards.")]
pub struct Sinkhole {
    /// The log.
    pub file: PathBuf,
    /// What the evidence was given for, and by whom; it stands in the audit.
    #[arg(long, value_name = "TEXT")]
    pub purpose: String,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Who does it; otherwise $USER.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// One JSON object that says what became of every line.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi backtest`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi backtest --config noroshi.toml --from 2026-11-01 --to 2026-11-08 --json
  noroshi backtest --config noroshi.toml --from 2026-11-01 --to 2026-11-08 --against bolder.toml

OTHER.toml is a whole configuration; of it the registry and [analyzer] are used, the store is the first's.")]
pub struct Backtest {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The first instant.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub from: Millis,
    /// The first instant after it.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub to: Millis,
    /// Another configuration, to be compared with.
    #[arg(long, value_name = "OTHER")]
    pub against: Option<PathBuf>,
    /// JSON lines, last a summary.
    #[arg(long)]
    pub json: bool,
}
