//! When the state is written, and what a disk without room for it holds up.

use super::{Spool, SpoolError};

/// A disk that stays full is told of again after this many seconds.
const FULL_SAID_SECONDS: u64 = 600;

impl Spool {
    /// Writes down what was acknowledged since the last time. On a full disk that waits.
    pub fn save(&mut self, now: u64) -> Result<(), SpoolError> {
        match self.save_surely(now) {
            Err(error) if error.is_full() => {
                self.say_full(now);
                Ok(())
            }
            saved => saved,
        }
    }

    /// The same; what depends on it must not be done unless it is written.
    pub(super) fn save_surely(&mut self, now: u64) -> Result<(), SpoolError> {
        self.state_saved = now;
        let durability = self.settings.durability;
        self.state
            .save(&self.settings.directory, |file| durability.sync(file))
            .map_err(SpoolError::file(
                "write the state of",
                &self.settings.directory,
            ))?;
        self.saved.clone_from(&self.state);
        Ok(())
    }

    /// Writes down losses that could not be written when they were counted. A batch must not
    /// report what a crash would make the state forget: it would be found, and told, again.
    pub(super) fn save_losses(&mut self, now: u64) -> Result<(), SpoolError> {
        let (saved, account) = (&self.saved.account, &self.state.account);
        if saved.totals() == account.totals() && saved.is_open(self.epoch) {
            return Ok(());
        }
        self.save_surely(now)
    }

    /// Small batches and the state may have room where large batches have none, so that it is
    /// full every other moment: it is not said every other moment.
    pub(super) fn say_full(&mut self, now: u64) {
        let lately = |said| now.abs_diff(said) < FULL_SAID_SECONDS;
        if self.full_said.is_some_and(lately) {
            return;
        }
        self.full_said = Some(now);
        tracing::error!(
            directory = %self.settings.directory.display(),
            "the spool's disk is full: what cannot be kept is counted as lost. Make room"
        );
    }
}
