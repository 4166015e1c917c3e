//! The gRPC service that hands updates on.
//!
//! # Promises
//! - Only sensors of the registry are answered, each for itself.
//! - At most [`FETCHES_MAX`] files are under way, and one of each sensor; who takes it too slowly
//!   is left behind.

use std::collections::HashSet;
use std::sync::{Arc, Mutex as Lock, PoisonError};

use noroshi_proto::id::SensorId;
use noroshi_proto::limits::{
    TEXT_BYTES_MAX, UPDATE_CHUNK_BYTES, UPDATE_CHUNK_MAX, UPDATE_FETCH_MAX,
};
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;
use noroshi_proto::v1::updates_server::Updates;
use noroshi_proto::v1::{FetchRequest, FetchResponse, OfferRequest, OfferResponse};
use noroshi_store::registry::Registry;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::UpdateSettings;
use super::shelf::{Offer, Shelf};
use super::standing::{Standing, Standings};
use crate::clock;
use crate::identity::IdentityError;
use crate::identity::caller::Caller;
use crate::identity::revocations::Watched;

/// Files under way at a time: 64 KiB of memory each.
pub const FETCHES_MAX: usize = 64;
/// Questions answered at a time; each takes the disk a moment.
const AT_WORK_MAX: usize = 4;
/// Pieces that wait to be sent.
const PIECES: usize = 1;

/// What the service works with.
struct Desk {
    shelf: Shelf,
    standings: Standings,
    registry: Arc<Registry>,
    revocations: Watched,
    /// Sensors that fetch now, at most [`FETCHES_MAX`].
    fetching: Lock<HashSet<SensorId>>,
}

/// The service.
pub struct UpdatesService {
    desk: Arc<Desk>,
    at_work: Semaphore,
    tasks: Mutex<JoinSet<()>>,
    stopped: watch::Receiver<()>,
}

/// A place among those who fetch, given back when dropped.
struct Place {
    desk: Arc<Desk>,
    sensor: SensorId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let fetching = self.desk.fetching.lock();
        let mut fetching = fetching.unwrap_or_else(PoisonError::into_inner);
        fetching.remove(&self.sensor);
    }
}

impl UpdatesService {
    /// Hands on what is on the shelf until the sender of `stopped` is dropped.
    pub fn new(
        settings: &UpdateSettings,
        registry: Arc<Registry>,
        revocations: Watched,
        stopped: watch::Receiver<()>,
    ) -> Self {
        Self {
            desk: Arc::new(Desk {
                shelf: Shelf::new(&settings.directory, &settings.keys),
                standings: Standings::new(&settings.directory),
                registry,
                revocations,
                fetching: Lock::default(),
            }),
            at_work: Semaphore::new(AT_WORK_MAX),
            tasks: Mutex::new(JoinSet::new()),
            stopped,
        }
    }

    /// Does something that waits for the disk, in its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let Ok(_turn) = self.at_work.acquire().await else {
            return Err(Status::unavailable("the collector ends"));
        };
        let desk = Arc::clone(&self.desk);
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.unwrap_or_else(|_| Err(Status::internal("the update could not be looked up")))
    }
}

#[tonic::async_trait]
impl Updates for UpdatesService {
    type FetchStream = ReceiverStream<Result<FetchResponse, Status>>;

    async fn offer(
        &self,
        request: Request<OfferRequest>,
    ) -> Result<Response<OfferResponse>, Status> {
        let caller = caller(&request);
        let asked = request.into_inner();
        let sensor = self.desk.admit(&caller, &asked.sensor)?;
        let manifest = self.in_turn(move |desk| {
            desk.note(&sensor, &asked)?;
            let offer = desk.offer(&sensor, &asked.target)?;
            Ok(offer.map_or_else(Vec::new, |offer| offer.signed.to_bytes()))
        });
        let manifest = manifest.await?;
        Ok(Response::new(OfferResponse { manifest }))
    }

    async fn fetch(
        &self,
        request: Request<FetchRequest>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        let caller = caller(&request);
        let asked = request.into_inner();
        let sensor = self.desk.admit(&caller, &asked.sensor)?;
        let place = Desk::place(&self.desk, &sensor)?;
        let file = self.in_turn(move |desk| {
            let offer = desk.offer(&sensor, &asked.target)?;
            let offer = offer.filter(|offer| offer.manifest.sha256.0[..] == asked.sha256[..]);
            let offer = offer.ok_or_else(|| {
                Status::not_found("this file is not offered to this sensor (any more)")
            })?;
            let path = desk.shelf.file(offer.manifest.sha256);
            std::fs::File::open(&path).map_err(|error| {
                tracing::error!(path = %path.display(), %error, "an update's file");
                Status::unavailable("the centre cannot read the file now: try later")
            })
        });
        let file = File::from_std(file.await?);
        let (give, take) = mpsc::channel(PIECES);
        let mut stopped = self.stopped.clone();
        let mut tasks = self.tasks.lock().await;
        while tasks.try_join_next().is_some() {} // those that have ended
        tasks.spawn(async move {
            let _place = place;
            tokio::select! {
                _ = timeout(UPDATE_FETCH_MAX, send(file, give)) => {}
                () = async { while stopped.changed().await.is_ok() {} } => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(take)))
    }
}

/// Sends a file until its end, or until it is not taken in time.
async fn send(mut file: File, give: mpsc::Sender<Result<FetchResponse, Status>>) {
    loop {
        let mut piece = vec![0; UPDATE_CHUNK_BYTES];
        let response = match file.read(&mut piece).await {
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                Ok(FetchResponse { piece })
            }
            Err(error) => {
                tracing::error!(%error, "an update's file");
                Err(Status::unavailable(
                    "the centre cannot read the file now: try later",
                ))
            }
        };
        let failed = response.is_err();
        let taken = timeout(UPDATE_CHUNK_MAX, give.send(response)).await;
        if failed || !matches!(taken, Ok(Ok(()))) {
            return;
        }
    }
}

fn caller<T>(request: &Request<T>) -> Caller {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.unwrap_or(Caller::Unknown)
}

impl Desk {
    /// The sensor that asks, where it is one of ours and may.
    fn admit(&self, caller: &Caller, claimed: &str) -> Result<SensorId, Status> {
        let refused = |refusal: noroshi_proto::refusal::Refusal| {
            Status::permission_denied(refusal.to_string())
        };
        caller
            .admitted(&self.revocations.borrow())
            .map_err(refused)?;
        let sensor = SensorId::new(claimed)
            .ok_or_else(|| Status::invalid_argument("the sensor's id is none"))?;
        caller.speaks_for(&sensor).map_err(refused)?;
        if self.registry.sensor(&sensor).is_none() {
            let text = format!("sensor {sensor} is not in the centre's registry");
            return Err(Status::permission_denied(text));
        }
        Ok(sensor)
    }

    /// A place among those who fetch.
    fn place(desk: &Arc<Self>, sensor: &SensorId) -> Result<Place, Status> {
        let fetching = desk.fetching.lock();
        let mut fetching = fetching.unwrap_or_else(PoisonError::into_inner);
        if fetching.len() >= FETCHES_MAX || !fetching.insert(sensor.clone()) {
            let text = "enough files are under way: try later";
            return Err(Status::resource_exhausted(text));
        }
        Ok(Place {
            desk: Arc::clone(desk),
            sensor: sensor.clone(),
        })
    }

    /// What there is for this sensor.
    fn offer(&self, sensor: &SensorId, target: &str) -> Result<Option<Offer>, Status> {
        let target =
            Target::new(target).ok_or_else(|| Status::invalid_argument("the target is none"))?;
        let offer = self.shelf.offer(&target).map_err(|error| {
            tracing::error!(%error, %target, "updates");
            Status::unavailable("the centre cannot work with its updates now: try later")
        });
        Ok(offer?.filter(|offer| offer.to.reaches(sensor, offer.manifest.version)))
    }

    /// Keeps what a sensor says of itself, for the operator to see.
    fn note(&self, sensor: &SensorId, asked: &OfferRequest) -> Result<(), Status> {
        let is_version = |text: &str| text.parse::<Version>().is_ok();
        let said = Standing {
            at_ms: clock::now().0,
            version: asked.version.clone(),
            target: asked.target.clone(),
            failed_version: asked.failed_version.clone(),
            failed_reason: asked.failed_reason.clone(),
        };
        let failed = &said.failed_version;
        if !is_version(&said.version)
            || !(failed.is_empty() || is_version(failed))
            || Target::new(&said.target).is_none()
            || said.failed_reason.len() > TEXT_BYTES_MAX
        {
            return Err(Status::invalid_argument(
                "the versions or the target are none",
            ));
        }
        let news = self.standings.note(sensor, &said);
        let news = news.map_err(|error: IdentityError| {
            tracing::error!(%error, "updates");
            Status::unavailable("the centre cannot work with its updates now: try later")
        })?;
        if news && !failed.is_empty() {
            let reason = &said.failed_reason;
            tracing::warn!(%sensor, version = failed, reason, "an update failed at a sensor");
        } else if news {
            tracing::info!(%sensor, version = said.version, "a sensor runs");
        }
        Ok(())
    }
}
