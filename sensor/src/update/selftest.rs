//! Whether a program works on this machine, before anything depends on it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use noroshi_proto::update::PRODUCT;
use noroshi_proto::update::version::Version;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

/// For each question: a machine that is busy answers in less.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 4 * 1024;

/// Asks a program for its version and what it makes of this sensor's configuration.
///
/// # Errors
/// What it says, or why it says nothing.
pub async fn try_out(program: &Path, version: Version, config: &Path) -> Result<(), String> {
    let told = ask(Command::new(program).arg("--version"), "--version").await?;
    let due = format!("{PRODUCT} {version}");
    if told.trim() != due {
        return Err(format!("it was signed as {due}, and says: {}", told.trim()));
    }
    let mut check = Command::new(program);
    check.arg("check").arg("--config").arg(config);
    ask(&mut check, "check").await.map(|_| ())
}

async fn ask(command: &mut Command, question: &str) -> Result<String, String> {
    let failed = |reason: String| format!("`{PRODUCT} {question}`: {reason}");
    let asking = async {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        let (told, complained) = tokio::join!(read(stdout), read(stderr));
        let status = process.wait().await.map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(told);
        }
        Err(format!("{status}: {}", complained.trim()))
    };
    let answer = timeout(ANSWER_MAX, asking).await;
    let silent = || Err(format!("no answer within {} s", ANSWER_MAX.as_secs()));
    answer.unwrap_or_else(|_| silent()).map_err(failed)
}

/// As far as an answer goes; who says more is not listened to, and ends by it.
async fn read(output: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        let _ = output.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await; // what was read counts
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
