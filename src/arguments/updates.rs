//! `noroshi update …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use noroshi_collector::update::rollout::Rollout;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;

/// `noroshi update …`
#[derive(Subcommand)]
pub enum Update {
    /// The key that signs: drawn where there is none, and its public half printed.
    Key(UpdateKey),
    /// Sign a program of the sensor, on a machine without a network.
    Sign(UpdateSign),
    /// Give a signed program to sensors.
    Publish(UpdatePublish),
    /// Give what is published to others: to more, or to nobody any more.
    Offer(UpdateOffer),
    /// What is published, what each sensor runs, and what failed there.
    List(UpdateList),
}

/// `noroshi update key`
#[derive(Args)]
#[command(after_help = "Example:
  noroshi update key /media/usb/update.key      then write what it prints into `keys` of [update] in sensors'
                                                configuration, and of [collector.updates] at the centre")]
pub struct UpdateKey {
    /// The secret key, PKCS #8 in PEM, mode 0600. It belongs on a machine without a network.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `noroshi update sign`
#[derive(Args)]
#[command(after_help = "Example:
  noroshi update sign noroshi-sensor-0.2.0-amd64 --key /media/usb/update.key --version 0.2.0")]
pub struct UpdateSign {
    /// The program, as `make dist` made it.
    #[arg(value_name = "PROGRAM")]
    pub program: PathBuf,
    /// The secret key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// What the program says to --version; higher than any that was signed before.
    #[arg(long, value_name = "VERSION")]
    pub version: Version,
    /// How long sensors may take it. Sign again before that is over, or they say that something is held back.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=366))]
    pub days: u64,
    /// Which machines it is for; otherwise what the program itself says.
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub target: Option<Target>,
    /// Where the signed manifest goes; otherwise beside the program, as PROGRAM.signed.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `noroshi update publish`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi update publish noroshi-sensor-0.2.0-amd64 --to jp-1 --config noroshi.toml      one first
  noroshi update offer --to 10% --config noroshi.toml                                    then some
  noroshi update offer --to all --config noroshi.toml                                    then all")]
pub struct UpdatePublish {
    /// The program.
    #[arg(value_name = "PROGRAM")]
    pub program: PathBuf,
    /// The signed manifest; otherwise PROGRAM.signed.
    #[arg(long, value_name = "FILE")]
    pub signed: Option<PathBuf>,
    /// Who is given it: all, a share such as 10%, or sensors with commas between.
    #[arg(long, value_name = "WHO")]
    pub to: Rollout,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// `noroshi update offer`
#[derive(Args)]
pub struct UpdateOffer {
    /// Who is given it: all, a share such as 10%, sensors with commas between, or none.
    #[arg(long, value_name = "WHO")]
    pub to: Rollout,
    /// Of which machines; otherwise of all.
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub target: Option<Target>,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// `noroshi update list`
#[derive(Args)]
pub struct UpdateList {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// JSON lines: first what is published, then sensors.
    #[arg(long)]
    pub json: bool,
}

fn target(name: &str) -> Result<Target, String> {
    Target::new(name).ok_or_else(|| format!("`{name}` is no target: write one like x86_64-linux"))
}
