//! One hello, to hear what the collector says to it.

use noroshi_proto::hello::Welcome;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::session::{Ended, connect};
use super::{CONNECT_TIMEOUT, Settings};

/// Says hello, hears the welcome, and leaves. A stream of the same sensor that is open ends by
/// it: ask only where none runs.
///
/// # Errors
/// Why there is no welcome, and what to do.
pub async fn probe(settings: &Settings) -> Result<Welcome, String> {
    let (requests, receiver) = mpsc::channel(1);
    match timeout(CONNECT_TIMEOUT, connect(settings, &requests, receiver)).await {
        Ok(Ok((_answers, welcome))) => Ok(welcome),
        Ok(Err(Ended::Stopped(refusal))) => Err(refusal.to_string()),
        Ok(Err(Ended::Later(reason))) => Err(reason),
        Ok(Err(Ended::Finished)) | Err(_) => Err("no answer to the hello".to_owned()),
    }
}
