//! `noroshi sensor …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use noroshi_proto::id::SensorId;

/// `noroshi sensor …`
#[derive(Subcommand)]
pub enum Sensor {
    /// A one-time token, by which a new sensor gets its certificate.
    Enrol(SensorEnrol),
    /// Let a sensor in no more: its streams end at once.
    Revoke(SensorRevoke),
    /// Every sensor of the registry, and how it stands with its certificate.
    List(SensorList),
}

/// `noroshi sensor enrol`
#[derive(Args)]
#[command(after_help = "Example:
  noroshi sensor enrol th-1 --config noroshi.toml      then, on the sensor's machine, paste what it prints into
  noroshi-sensor enrol --config sensor.toml")]
pub struct SensorEnrol {
    /// The sensor's id in the registry.
    #[arg(value_parser = super::sensor)]
    pub sensor: SensorId,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// How long the token is good, in hours.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=168))]
    pub hours: u64,
    /// Who does it; otherwise $USER.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// JSON.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi sensor revoke`
#[derive(Args)]
pub struct SensorRevoke {
    /// The sensor's id.
    #[arg(value_parser = super::sensor)]
    pub sensor: SensorId,
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

/// `noroshi sensor list`
#[derive(Args)]
pub struct SensorList {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// JSON lines.
    #[arg(long)]
    pub json: bool,
}
