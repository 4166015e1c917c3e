//! Streams of batches from sensors: parsed, admitted, enriched, kept, acknowledged.
//!
//! # Promises
//! - A batch is acknowledged after the store has it on disk, never before.
//! - Batches of one stream are handed to the store in the order they came.
//! - The newest stream of a sensor fences its older ones: newest by the sensor's own clock.
//! - At most [`WORK_MAX`] batches with [`FLOWS_AT_WORK_MAX`] flow tuples are at work at a time, and
//!   [`IN_FLIGHT_MAX`] batches of one sensor, however many streams it opens; whoever does not listen
//!   keeps none from going on.
//! - A sensor that sends more than its rates is read from more slowly, and nobody else is.
//! - A stream is of the sensor that its certificate names; it ends when that is revoked or over.

mod fence;
mod hellos;
pub mod room;
pub mod share;
mod stream;

use std::sync::Arc;

use noroshi_proto::limits::IN_FLIGHT_MAX;
use noroshi_proto::v1::ingest_server::Ingest;
use noroshi_proto::v1::{PushRequest, PushResponse};
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use self::fence::Fences;
use self::hellos::Hellos;
use self::room::{FLOWS_AT_WORK_MAX, Room};
use self::share::Shares;
use self::stream::Stream;
use crate::clock;
use crate::enrich::reload::SharedTables;
use crate::identity::caller::Caller;
use crate::identity::revocations::Watched;
use crate::metrics::Metrics;
use crate::run::Parts;
use crate::settings::Settings;

/// Batches decoded and not yet kept, of all streams.
pub const WORK_MAX: usize = 256;

/// What every stream needs.
pub struct Shared {
    /// Where batches are kept.
    pub store: Store,
    /// Which sensors there are.
    pub registry: Arc<Registry>,
    /// What is known of sources.
    pub tables: SharedTables,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
    /// What the operator decided.
    pub settings: Settings,
    /// Who was revoked.
    pub revocations: Watched,
    fences: Fences,
    hellos: Hellos,
    shares: Shares,
    work: Arc<Semaphore>,
    room: Room,
    streams: Arc<Semaphore>,
}

/// The gRPC service.
pub struct Ingestion {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
    stopped: watch::Receiver<()>,
}

impl Shared {
    /// With no stream open yet.
    pub fn new(parts: Parts, settings: Settings, revocations: Watched) -> Self {
        let Parts {
            store,
            registry,
            tables,
            metrics,
        } = parts;
        let streams_max = usize::try_from(settings.streams_max).unwrap_or(usize::MAX);
        Self {
            store,
            registry,
            tables,
            metrics,
            revocations,
            shares: Shares::new(settings.rates),
            settings,
            fences: Fences::default(),
            hellos: Hellos::default(),
            work: Arc::new(Semaphore::new(WORK_MAX)),
            room: Room::new(FLOWS_AT_WORK_MAX),
            streams: Arc::new(Semaphore::new(streams_max.min(Semaphore::MAX_PERMITS))),
        }
    }
}

impl Ingestion {
    /// Takes streams until the sender of `stopped` is dropped.
    pub fn new(shared: Arc<Shared>, stopped: watch::Receiver<()>) -> Self {
        Self {
            shared,
            tasks: Mutex::new(JoinSet::new()),
            stopped,
        }
    }

    /// Waits until every stream has ended.
    pub async fn drained(&self) {
        while self.tasks.lock().await.join_next().await.is_some() {}
    }
}

/// A service that several connections share.
pub struct SharedIngestion(pub Arc<Ingestion>);

#[tonic::async_trait]
impl Ingest for SharedIngestion {
    type PushStream = ReceiverStream<Result<PushResponse, Status>>;

    async fn push(
        &self,
        request: Request<Streaming<PushRequest>>,
    ) -> Result<Response<Self::PushStream>, Status> {
        let (answers, receiver) = mpsc::channel(IN_FLIGHT_MAX);
        let shared = Arc::clone(&self.0.shared);
        let caller = request.extensions().get::<Caller>().cloned();
        let caller = caller.unwrap_or(Caller::Unknown);
        let permits = permits(&shared, &caller);
        let stream = Stream::new(shared, answers, self.0.stopped.clone(), caller);
        let requests = request.into_inner();
        let mut tasks = self.0.tasks.lock().await;
        while tasks.try_join_next().is_some() {} // those that have ended
        tasks.spawn(async move {
            match permits {
                Some(_permits) => stream.run(requests).await,
                None => stream.turn_away().await,
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// The stream's place among all streams, and among its sensor's where a certificate names it: one
/// sensor cannot take all places before it has said a word.
fn permits(
    shared: &Shared,
    caller: &Caller,
) -> Option<(Option<OwnedSemaphorePermit>, OwnedSemaphorePermit)> {
    let known = caller
        .sensor()
        .and_then(|sensor| shared.registry.sensor(sensor));
    let own = match known {
        Some(sensor) => {
            let share = shared.shares.of(sensor, clock::now());
            Some(Arc::clone(&share.streams).try_acquire_owned().ok()?)
        }
        None => None,
    };
    let all = Arc::clone(&shared.streams).try_acquire_owned().ok()?;
    Some((own, all))
}
