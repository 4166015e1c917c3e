//! What was decided and is still to be kept.

use std::collections::BTreeMap;

use noroshi_store::alert::Alert;
use noroshi_store::cases::{Case, Transition};
use noroshi_store::store::{Store, StoreError};
use uuid::Uuid;

use crate::alerts::{Numbered, Outcome};

/// Transitions kept in one insert.
const TRANSITIONS_MAX: usize = 1_000;

/// What was decided and is still to be kept.
#[derive(Default)]
pub(super) struct Decided {
    told: Vec<Transition>,
    /// States that nobody is told of.
    untold: Vec<Case>,
    /// Cases that are over by their partners' word.
    disputed: Vec<Case>,
}

impl Decided {
    /// Takes in what became of cases.
    pub(super) fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let case = |Numbered { alert, version }| Case { alert, version };
            match outcome {
                Outcome::Kept(numbered) => self.untold.push(case(numbered)),
                Outcome::Disputed(numbered) => self.disputed.push(case(numbered)),
                told => self.told.push(in_event_time(case(told.into_numbered()))),
            }
        }
    }

    /// How many states of cases.
    pub(super) fn cases(&self) -> usize {
        self.told.len() + self.untold.len() + self.disputed.len()
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
        while !self.disputed.is_empty() {
            let some = self.disputed.len().min(TRANSITIONS_MAX);
            dispute(store, &self.disputed[..some]).await?;
            self.disputed.drain(..some);
        }
        Ok(())
    }
}

/// Tells that these cases are over, by what was told of each last; and keeps what was seen of them.
async fn dispute(store: &Store, cases: &[Case]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = cases.iter().map(|case| case.alert.id).collect();
    let told = store.told_of(&ids).await?;
    let last: BTreeMap<Uuid, Alert> = told
        .into_iter()
        .map(|case| (case.alert.id, case.alert))
        .collect();
    let closed = cases.iter().filter_map(|case| {
        let mut alert = last.get(&case.alert.id)?.clone();
        alert.state = case.alert.state;
        let version = case.version;
        Some(in_event_time(Case { alert, version }))
    });
    store.record(&closed.collect::<Vec<_>>()).await?;
    let after = |case: &Case| Case {
        version: case.version + 1, // the last state counts: it is what was seen
        ..case.clone()
    };
    store
        .keep(&cases.iter().map(after).collect::<Vec<_>>())
        .await
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
