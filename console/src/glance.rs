//! What the region looks like: the same for all who look, so worked out once for all of them.
//!
//! A wall, a duty officer and an analyst each have the page open, and each asks again every ten seconds. At 20,000 flow
//! tuples a second three hours are ten million rows of rollups, whose sets of sources take the store seconds to merge.

use std::collections::BTreeMap;
use std::sync::Arc;

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

/// The latest one.
#[derive(Default)]
pub(crate) struct Glances(tokio::sync::Mutex<Option<Kept>>);

struct Kept {
    /// The minute of the newest that it shows.
    minute: u64,
    /// When it was worked out: what comes late does not move the newest.
    made: Millis,
    glance: Arc<Glance>,
}

impl Glances {
    /// Of the minute of `newest` or a later one, and a minute old at most. Who asks while it is worked out waits for it,
    /// and has the same, also where a new minute has begun meanwhile.
    pub(crate) async fn of(
        &self,
        store: &Store,
        newest: Millis,
        now: Millis,
    ) -> Result<Arc<Glance>, StoreError> {
        let minute = newest.seconds() / STANDS;
        let mut latest = self.0.lock().await;
        if let Some(kept) = latest.as_ref()
            && kept.minute >= minute
            && now.seconds().saturating_sub(kept.made.seconds()) < STANDS
        {
            return Ok(Arc::clone(&kept.glance));
        }
        let glance = Arc::new(Glance::read(store, newest).await?);
        // where nobody has reported yet, somebody may at any moment
        let is_kept = !glance.sensor_lines.is_empty();
        *latest = is_kept.then(|| Kept {
            minute,
            made: now,
            glance: Arc::clone(&glance),
        });
        Ok(glance)
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
