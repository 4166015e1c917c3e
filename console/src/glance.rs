//! What the region looks like: the same for all who look, so worked out once for all of them.
//!
//! A wall, a duty officer and an analyst each have the page open, and each asks again every ten seconds. At 20,000 flow
//! tuples a second three hours are ten million rows of rollups, whose sets of sources take the store seconds to merge.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::figures::{Bins, CountryFigure, ServiceFigure};
use noroshi_store::store::{Store, StoreError};

/// Seconds of one bin of the lines.
const STEP: u64 = 300;
/// Bins of the lines: three hours.
const BINS: u64 = 36;
/// Services in it.
const SERVICES: u32 = 10;
/// Seconds for which it stands: rollups count minutes.
const STANDS: u64 = 60;
/// How long the store may take over it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Seconds for which a failure stands: else all who wait would fail one after another, each as slowly.
const FAILED: u64 = 5;

/// The last three hours.
pub(crate) struct Glance {
    pub(crate) bins: Bins,
    pub(crate) countries: Vec<CountryFigure>,
    /// Those that most distinct sources scan for.
    pub(crate) services: Vec<ServiceFigure>,
    /// Distinct sources of each of them.
    pub(crate) service_lines: BTreeMap<String, Vec<u64>>,
    /// Packets of each sensor that reported.
    pub(crate) sensor_lines: BTreeMap<String, Vec<u64>>,
}

/// Why there is none.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Unseen {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the region takes the store longer than {} s", PATIENCE.as_secs())]
    Late,
    #[error("the region could not be worked out: {0}")]
    Broken(String),
}

/// The latest one.
#[derive(Default)]
pub(crate) struct Glances(Arc<tokio::sync::Mutex<Option<Kept>>>);

struct Kept {
    /// The minute of the newest that it shows.
    minute: u64,
    /// When it was worked out: what comes late does not move the newest.
    made: Millis,
    glance: Result<Arc<Glance>, Unseen>,
}

impl Kept {
    /// Whether it is what somebody who asks at `now` should see.
    fn stands(&self, minute: u64, now: Millis) -> bool {
        let age = now.seconds().saturating_sub(self.made.seconds());
        match &self.glance {
            Ok(glance) if glance.sensor_lines.is_empty() => false, // somebody may report at any moment
            Ok(_) => self.minute >= minute && age < STANDS,
            Err(_) => age < FAILED,
        }
    }
}

impl Glances {
    /// Of the minute of `newest` or a later one, and a minute old at most. Who asks while it is worked out waits for it.
    pub(crate) async fn of(
        &self,
        store: &Store,
        newest: Millis,
        clock: fn() -> Millis,
    ) -> Result<Arc<Glance>, Unseen> {
        let minute = newest.seconds() / STANDS;
        let mut latest = Arc::clone(&self.0).lock_owned().await;
        if let Some(kept) = latest.as_ref()
            && kept.stands(minute, clock())
        {
            return kept.glance.clone();
        }
        let store = store.clone();
        // a task: where who asked leaves, the next would begin anew
        let reading = tokio::spawn(async move {
            let read = tokio::time::timeout(PATIENCE, Glance::read(&store, newest)).await;
            let glance = match read {
                Ok(read) => read.map(Arc::new).map_err(Unseen::from),
                Err(_) => Err(Unseen::Late),
            };
            *latest = Some(Kept {
                minute,
                made: clock(),
                glance: glance.clone(),
            });
            glance
        });
        let broken = |error: tokio::task::JoinError| Err(Unseen::Broken(error.to_string()));
        reading.await.unwrap_or_else(broken)
    }
}

impl Glance {
    async fn read(store: &Store, newest: Millis) -> Result<Self, StoreError> {
        let bins = Bins::ending(newest.seconds(), STEP, BINS);
        let services = store.services(&bins.range, SERVICES).await?;
        let names: Vec<String> = services.iter().map(|one| one.service.clone()).collect();
        Ok(Self {
            countries: store.countries(&bins.range).await?,
            service_lines: store.service_lines(&names, None, &bins).await?,
            sensor_lines: store.sensor_lines(&bins).await?,
            services,
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out at second 1,000, of minute 16.
    fn kept(sensors: u64, failed: bool) -> Kept {
        let lines = (0..sensors).map(|number| (number.to_string(), Vec::new()));
        let glance = Glance {
            bins: Bins::ending(1_000, STEP, BINS),
            countries: Vec::new(),
            services: Vec::new(),
            service_lines: BTreeMap::new(),
            sensor_lines: lines.collect(),
        };
        Kept {
            minute: 16,
            made: Millis(1_000_000),
            glance: if failed {
                Err(Unseen::Late)
            } else {
                Ok(Arc::new(glance))
            },
        }
    }

    #[test]
    fn it_stands_for_a_minute_and_a_failure_for_a_moment() {
        let at = |seconds: u64| Millis(seconds * 1_000);
        assert!(kept(1, false).stands(16, at(1_059)));
        assert!(!kept(1, false).stands(16, at(1_060)));
        assert!(!kept(1, false).stands(17, at(1_001)), "there is newer");
        assert!(kept(1, false).stands(15, at(1_001)), "a reader was slower");
        assert!(!kept(0, false).stands(16, at(1_000)), "a first sensor");
        assert!(kept(0, true).stands(17, at(1_004)));
        assert!(!kept(0, true).stands(16, at(1_005)));
    }
}
