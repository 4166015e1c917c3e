//! `noroshi alerts …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use uuid::Uuid;

use super::instant::instant;

/// `noroshi alerts …`
#[derive(Subcommand)]
pub enum Alerts {
    /// Alerts, newest first.
    List(List),
    /// One alert with its history and its days.
    Show(Show),
    /// Somebody takes it up.
    Ack(Step),
    /// Write something down; partners do not read it.
    Note(Step),
    /// The provider or owner of the address was told.
    Notified(Step),
    /// The machine is being cleaned.
    Cleaning(Step),
    /// The partner says that it is over; whether telescopes agree follows by itself.
    Resolve(Step),
    /// The address is not the partner's.
    NotOurs(Step),
    /// Nothing was wrong: the rule is not heard again about this subject for 30 days.
    FalsePositive(Step),
    /// Take alerts back, one or in bulk, with a reason that partners read.
    Withdraw(Withdraw),
    /// How cases fared, by partner and kind.
    Tally(Tally),
    /// What can wait, by partner, AS and network.
    Digest(Digest),
}

impl Alerts {
    /// The centre's configuration.
    pub fn config(&self) -> &PathBuf {
        match self {
            Self::List(list) => &list.config,
            Self::Show(show) => &show.config,
            Self::Ack(step)
            | Self::Note(step)
            | Self::Notified(step)
            | Self::Cleaning(step)
            | Self::Resolve(step)
            | Self::NotOurs(step)
            | Self::FalsePositive(step) => &step.config,
            Self::Withdraw(withdraw) => &withdraw.config,
            Self::Tally(tally) => &tally.config,
            Self::Digest(digest) => &digest.config,
        }
    }
}

/// `noroshi alerts list`
#[derive(Args)]
pub struct List {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Only this partner's.
    #[arg(long, value_name = "ID")]
    pub partner: Option<String>,
    /// Only this kind, such as infected_host.
    #[arg(long)]
    pub kind: Option<String>,
    /// Also those that are closed or withdrawn.
    #[arg(long)]
    pub all: bool,
    /// At most this many.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
    /// JSON lines.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi alerts show`
#[derive(Args)]
pub struct Show {
    /// The alert's id.
    pub id: Uuid,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// JSON, with `history` and `observations`.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi alerts ack|note|…`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi alerts ack 3c46a7a6-4d97-55c4-b13f-d277711ee922 --config noroshi.toml --by anan
  noroshi alerts note 3c46a7a6-4d97-55c4-b13f-d277711ee922 --config noroshi.toml --note 'ticket 4711'
  noroshi alerts resolve 3c46a7a6-4d97-55c4-b13f-d277711ee922 --config noroshi.toml")]
pub struct Step {
    /// The alert's id.
    pub id: Uuid,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Why; only the centre reads it.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who does it; otherwise $USER.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// The alert as JSON, as it stands afterwards.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi alerts withdraw`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi alerts withdraw --sensor th-1 --from 2026-11-02 --to 2026-11-03 --dry-run --config noroshi.toml
  noroshi alerts withdraw --basis country --from 2026-11-02 --reason 'wrong geo build' --config noroshi.toml
  noroshi alerts withdraw --id 3c46a7a6-4d97-55c4-b13f-d277711ee922 --reason 'a test' --config noroshi.toml")]
pub struct Withdraw {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// This alert; repeat it for more.
    #[arg(long)]
    pub id: Vec<Uuid>,
    /// What only this sensor saw; what others saw too stays.
    #[arg(long, value_name = "ID", value_parser = super::sensor)]
    pub sensor: Option<SensorId>,
    /// Of this kind.
    #[arg(long)]
    pub kind: Option<String>,
    /// Of this partner.
    #[arg(long, value_name = "ID")]
    pub partner: Option<String>,
    /// Attributed by this: prefix, asn or country.
    #[arg(long)]
    pub basis: Option<String>,
    /// Whose source this organisation's scanner list names.
    #[arg(long, value_name = "ORGANISATION")]
    pub scanner: Option<String>,
    /// Opened at this time or later.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub from: Option<Millis>,
    /// Opened before this time.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub to: Option<Millis>,
    /// Why; every partner concerned reads it.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub reason: Option<String>,
    /// Only say what would be withdrawn.
    #[arg(long)]
    pub dry_run: bool,
    /// Who does it; otherwise $USER.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// JSON lines: each alert, then a summary.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi alerts tally`
#[derive(Args)]
pub struct Tally {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Opened at this time or later; otherwise since ever.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub from: Option<Millis>,
    /// Opened before this time.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub to: Option<Millis>,
    /// JSON lines.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi alerts digest`
#[derive(Args)]
pub struct Digest {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Only this partner's.
    #[arg(long, value_name = "ID")]
    pub partner: Option<String>,
    /// Seen at this time or later; otherwise in the day before `--to`.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub from: Option<Millis>,
    /// Seen before this time; otherwise until now.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub to: Option<Millis>,
    /// JSON lines.
    #[arg(long)]
    pub json: bool,
}
