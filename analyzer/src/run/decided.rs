//! What was decided and is still to be kept.

use noroshi_store::cases::{Case, Transition};
use noroshi_store::store::{Store, StoreError};

use crate::alerts::{Numbered, Outcome};

/// Transitions kept in one insert.
const TRANSITIONS_MAX: usize = 1_000;

/// What was decided and is still to be kept.
#[derive(Default)]
pub(super) struct Decided {
    told: Vec<Transition>,
    /// States that nobody is told of.
    untold: Vec<Case>,
}

impl Decided {
    /// Takes in what became of cases.
    pub(super) fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let is_told = !matches!(outcome, Outcome::Kept(_));
            let Numbered { alert, version } = outcome.into_numbered();
            let case = Case { alert, version };
            match is_told {
                true => self.told.push(in_event_time(case)),
                false => self.untold.push(case),
            }
        }
    }

    /// How many states of cases.
    pub(super) fn cases(&self) -> usize {
        self.told.len() + self.untold.len()
    }

    /// Keeps it; what fails to be kept stays to be kept again.
    pub(super) async fn keep(&mut self, store: &Store) -> Result<(), StoreError> {
        while !self.told.is_empty() {
            let some = self.told.len().min(TRANSITIONS_MAX);
            store.record(&self.told[..some]).await?;
            self.told.drain(..some);
        }
        while !self.untold.is_empty() {
            let some = self.untold.len().min(TRANSITIONS_MAX);
            store.keep(&self.untold[..some]).await?;
            self.untold.drain(..some);
        }
        Ok(())
    }
}

/// A transition as it would have been recorded at the time.
fn in_event_time(case: Case) -> Transition {
    Transition {
        by: "analyzer".to_owned(),
        at: case.alert.detected_at,
        note: String::new(),
        case,
    }
}
