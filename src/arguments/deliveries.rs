//! `noroshi feed failures|resend`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use noroshi_store::origin::PartnerId;
use uuid::Uuid;

/// `noroshi feed …`
#[derive(Subcommand)]
pub enum Feed {
    /// Messages that did not reach their partners, the newest first.
    Failures(FeedFailures),
    /// Have such a message sent again, with its old id, by the deliverer within a minute.
    Resend(FeedResend),
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
    PartnerId::new(text).ok_or_else(|| "a partner's id: a-z, 0-9 and -".to_owned())
}
