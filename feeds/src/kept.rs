//! What the store said, kept for a moment, so that it is asked once for everybody.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// How long an answer holds.
pub const HOLDS: Duration = Duration::from_secs(1);

/// The last answer, and when it came; held while the store is asked, so that whoever asks
/// meanwhile waits for the same answer.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    /// The answer, at most [`HOLDS`] old. That there was none is an answer too: else everybody
    /// would wait in turn for a store that hangs.
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: how long an answer holds is measured here"
    )]
    pub(crate) async fn get(&self, ask: impl Future<Output = T>) -> T {
        let mut said = self.0.lock().await;
        if let Some((at, answer)) = &*said
            && at.elapsed() < HOLDS
        {
            return answer.clone();
        }
        let answer = ask.await;
        *said = Some((Instant::now(), answer.clone()));
        answer
    }
}
