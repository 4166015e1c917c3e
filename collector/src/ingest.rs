//! Streams of batches from sensors: parsed, admitted, enriched, kept, acknowledged.
//!
//! # Promises
//! - A batch is acknowledged after the store has it on disk, never before.
//! - Batches of one stream are handed to the store in the order they came.
//! - The newest stream of a sensor fences its older ones: newest by the sensor's own clock.
//! - At most [`WORK_MAX`] batches are at work at a time, and [`IN_FLIGHT_MAX`] of one stream.

mod fence;
mod stream;

use std::sync::Arc;

use noroshi_proto::limits::IN_FLIGHT_MAX;
use noroshi_proto::v1::ingest_server::Ingest;
use noroshi_proto::v1::{PushRequest, PushResponse};
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use self::fence::Fences;
use self::stream::Stream;
use crate::enrich::reload::SharedTables;
use crate::settings::Settings;

/// Batches decoded and not yet kept, of all streams: a bound on memory.
pub const WORK_MAX: usize = 256;

/// What every stream needs.
pub struct Shared {
    /// Where batches are kept.
    pub store: Store,
    /// Which sensors there are.
    pub registry: Arc<Registry>,
    /// What is known of sources.
    pub tables: SharedTables,
    /// What the operator decided.
    pub settings: Settings,
    fences: Fences,
    work: Arc<Semaphore>,
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
    pub fn new(
        store: Store,
        registry: Arc<Registry>,
        tables: SharedTables,
        settings: Settings,
    ) -> Self {
        let streams_max = usize::try_from(settings.streams_max).unwrap_or(usize::MAX);
        Self {
            store,
            registry,
            tables,
            settings,
            fences: Fences::default(),
            work: Arc::new(Semaphore::new(WORK_MAX)),
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
        let permit = Arc::clone(&shared.streams).try_acquire_owned().ok();
        let stream = Stream::new(shared, answers, self.0.stopped.clone());
        let requests = request.into_inner();
        let mut tasks = self.0.tasks.lock().await;
        while tasks.try_join_next().is_some() {} // those that have ended
        tasks.spawn(async move {
            match permit {
                Some(_permit) => stream.run(requests).await,
                None => stream.turn_away().await,
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
