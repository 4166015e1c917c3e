//! `noroshi-sensor enrol`: from a token to a certificate.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, anyhow};
use noroshi_proto::token::Token;

use super::Failure;
use crate::config::Config;
use crate::config::collector::Way;
use crate::identity::IdentityFiles;
use crate::identity::enrol::enrol;

/// Longest line that is read; a token is shorter.
const LINE_BYTES_MAX: u64 = 1_024;

/// Reads a token from standard input, so that no list of processes shows it.
///
/// # Errors
/// The configuration's, the token's, or what the centre says.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(path: &Path) -> Result<(), Failure> {
    let config = Config::load(path)?;
    let directory = match config.collector.way() {
        Way::Tls(IdentityFiles::Enrolled(directory)) => directory,
        Way::Tls(IdentityFiles::Brought { .. }) => {
            return Err(anyhow!(
                "{}: [identity] names files of your own authority: only a sensor with `path` \
                 there is enrolled",
                path.display()
            )
            .into());
        }
        Way::Plain => {
            return Err(anyhow!(
                "{}: the collector is on this machine and asks no sensor who it is: to be \
                 enrolled, write collector = \"https://…\"",
                path.display()
            )
            .into());
        }
    };
    let token = read_token()?;
    let certificate = enrol(config.collector.uri(), &config.sensor, &token, directory).await?;
    println!(
        "sensor {} is enrolled; its certificate is good until {} and renewed by itself",
        certificate.sensor, certificate.valid.end,
    );
    Ok(())
}

fn read_token() -> anyhow::Result<Token> {
    let input = io::stdin();
    if input.is_terminal() {
        eprint!("Token: ");
    }
    let mut line = String::new();
    let read = input.lock().take(LINE_BYTES_MAX).read_line(&mut line);
    read.context("standard input")?;
    Ok(line.parse()?)
}
