//! `noroshi partner …`, `noroshi feed …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use noroshi_store::origin::PartnerId;
use noroshi_store::week::Week;
use uuid::Uuid;

/// `noroshi partner …`
#[derive(Subcommand)]
pub enum Partner {
    /// Who the partners are, what each is entitled to and what it lacks, and where claims overlap.
    Check(PartnerCheck),
}

/// `noroshi partner check`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi partner check --config noroshi.toml
  noroshi partner check th-cert --config noroshi.toml --json")]
pub struct PartnerCheck {
    /// One partner alone.
    #[arg(value_parser = partner)]
    pub partner: Option<PartnerId>,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// JSON lines, one per partner.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi feed …`
#[derive(Subcommand)]
pub enum Feed {
    /// What a partner would receive of a drill alert, in each format.
    Test(FeedTest),
    /// A partner's weekly report, as a page.
    Report(FeedReport),
    /// Messages that did not reach their partners, the newest first.
    Failures(FeedFailures),
    /// Have such a message sent again, with its old id, by the deliverer within a minute.
    Resend(FeedResend),
}

/// `noroshi feed test`
#[derive(Args)]
#[command(after_help = "Examples:
  noroshi feed test th-cert --config noroshi.toml
  noroshi feed test th-cert --config noroshi.toml --format stix

Nothing is sent and nothing is kept: it shows what would be.")]
pub struct FeedTest {
    /// The partner.
    #[arg(value_parser = partner)]
    pub partner: PartnerId,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// One format alone, bare.
    #[arg(long, value_name = "NAME")]
    pub format: Option<String>,
}

/// `noroshi feed report`
#[derive(Args)]
#[command(after_help = "Example:
  noroshi feed report th-cert --week 2026-W47 --config noroshi.toml > th-cert-2026-W47.html

A browser prints it as PDF.")]
pub struct FeedReport {
    /// The partner.
    #[arg(value_parser = partner)]
    pub partner: PartnerId,
    /// Which week; otherwise the last one that is over.
    #[arg(long, value_name = "YEAR-Wnn")]
    pub week: Option<Week>,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// JSON.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi feed failures`
#[derive(Args)]
#[command(after_help = "Example:
  noroshi feed failures --config noroshi.toml --partner th-cert")]
pub struct FeedFailures {
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Only this partner's.
    #[arg(long, value_name = "ID", value_parser = partner)]
    pub partner: Option<PartnerId>,
    /// JSON lines.
    #[arg(long)]
    pub json: bool,
}

/// `noroshi feed resend`
#[derive(Args)]
pub struct FeedResend {
    /// The message's id, as `failures` names it.
    pub id: Uuid,
    /// The centre's configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Who does it; otherwise $USER.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

fn partner(text: &str) -> Result<PartnerId, String> {
    PartnerId::new(text).ok_or_else(|| "a partner's id, as the registry has it".to_owned())
}
