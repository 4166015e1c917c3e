//! One sensor's stream, from its hello to its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use noroshi_proto::answer::{Ack, Refused};
use noroshi_proto::batch::Batch;
use noroshi_proto::hello::{Held, Hello, Welcome};
use noroshi_proto::id::Epoch;
use noroshi_proto::limits::{HELD_RANGES_MAX, IN_FLIGHT_MAX};
use noroshi_proto::refusal::Refusal;
use noroshi_proto::v1;
use noroshi_proto::v1::push_request::Message as Asked;
use noroshi_proto::v1::push_response::Message as Answer;
use noroshi_store::append::Admitted;
use noroshi_store::store::StoreError;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, mpsc, watch};
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::Shared;
use super::fence::gone;
use crate::admit;
use crate::clock;
use crate::enrich::enrich;

/// A hello comes at once or the stream is given up.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Where answers go.
type Answers = mpsc::Sender<Result<v1::PushResponse, Status>>;
/// What a batch came to.
type Verdict = Result<Ack, Refused>;

/// A stream that has just been opened.
pub struct Stream {
    shared: Arc<Shared>,
    answers: Answers,
    stopped: watch::Receiver<()>,
}

impl Stream {
    /// Nothing read yet.
    pub fn new(shared: Arc<Shared>, answers: Answers, stopped: watch::Receiver<()>) -> Self {
        Self {
            shared,
            answers,
            stopped,
        }
    }

    /// Says that enough streams are open.
    pub async fn turn_away(self) {
        self.refuse(Refusal::TooManyStreams).await;
    }

    /// Serves the stream until it ends, is fenced, or the collector stops.
    pub async fn run(self, mut requests: Streaming<v1::PushRequest>) {
        let hello = match timeout(HELLO_TIMEOUT, requests.message()).await {
            Ok(Ok(Some(v1::PushRequest {
                message: Some(Asked::Hello(hello)),
            }))) => hello,
            Ok(Ok(Some(_))) => {
                let text = "a stream begins with a hello".to_owned();
                return self.refuse(Refusal::Malformed(text)).await;
            }
            Ok(Ok(None) | Err(_)) | Err(_) => return,
        };
        match self.welcome(hello).await {
            Ok((hello, fence)) => self.serve(Arc::new(hello), fence, requests).await,
            Err(refusal) => self.refuse(refusal).await,
        }
    }

    /// Answers a hello; from then on the stream is its sensor's newest, until its fence is gone.
    async fn welcome(&self, wire: v1::Hello) -> Result<(Hello, watch::Receiver<()>), Refusal> {
        let shared = &self.shared;
        let hello = Hello::try_from(wire)?;
        admit::hello(
            &hello,
            &shared.registry,
            shared.settings.replay,
            clock::now(),
        )?;
        let fence = shared.fences.enter(&hello.sensor, hello.clock)?;
        let held = shared.store.held(&hello.sensor).await.map_err(refusal)?;
        let mut held: Vec<Held> = held
            .into_iter()
            .map(|run| Held {
                epoch: run.epoch,
                first: run.first,
                last: run.last,
            })
            .collect();
        // What is not named is sent again and found to be there: this epoch's count most.
        held.sort_by_key(|run| run.epoch != hello.epoch);
        held.truncate(HELD_RANGES_MAX);
        let welcome = Welcome {
            held,
            clock: clock::now(),
        };
        self.say(Answer::Welcome((&welcome).into())).await;
        tracing::info!(sensor = %hello.sensor, epoch = %hello.epoch, "stream opened");
        Ok((hello, fence))
    }

    async fn serve(
        self,
        hello: Arc<Hello>,
        fence: watch::Receiver<()>,
        mut requests: Streaming<v1::PushRequest>,
    ) {
        let mut fenced = pin!(gone(fence));
        let mut stopped = pin!(gone(self.stopped.clone()));
        let mut under_way = FuturesOrdered::new();
        // Read, and waiting for its turn. What is under way must go on meanwhile: it holds the
        // turns that others wait for.
        let mut waiting: Option<v1::Batch> = None;
        loop {
            tokio::select! {
                biased;
                () = &mut fenced => {
                    self.refuse(Refusal::Fenced).await;
                    break;
                }
                () = &mut stopped => break,
                Some(verdict) = under_way.next() => self.answer(verdict).await,
                turn = Arc::clone(&self.shared.work).acquire_owned(), if waiting.is_some() => {
                    if let Some(batch) = waiting.take() {
                        under_way.push_back(self.keep(batch, &hello, turn).await);
                    }
                }
                request = requests.message(),
                    if waiting.is_none() && under_way.len() < IN_FLIGHT_MAX =>
                {
                    let Ok(Some(request)) = request else { break };
                    let Some(Asked::Batch(batch)) = request.message else {
                        let text = "only batches follow the hello".to_owned();
                        self.refuse(Refusal::Malformed(text)).await;
                        break;
                    };
                    waiting = Some(batch);
                }
            }
        }
        // What was handed to the store is answered, if anybody still listens.
        while let Some(verdict) = under_way.next().await {
            self.answer(verdict).await;
        }
        tracing::info!(sensor = %hello.sensor, epoch = %hello.epoch, "stream ended");
    }

    /// Parses, admits and enriches now; the future handed back waits for the store.
    async fn keep(
        &self,
        wire: v1::Batch,
        hello: &Arc<Hello>,
        turn: Result<OwnedSemaphorePermit, AcquireError>,
    ) -> impl Future<Output = Verdict> + use<> {
        let shared = Arc::clone(&self.shared);
        let named = (Epoch(wire.epoch), wire.sequence);
        let prepared = {
            let (shared, hello) = (Arc::clone(&shared), Arc::clone(hello));
            tokio::task::spawn_blocking(move || prepare(&wire, &hello, &shared)).await
        };
        async move {
            let _turn = turn; // until the store has it
            let refused = |refusal| Refused {
                batch: Some(named),
                refusal,
            };
            let prepared = prepared.map_err(|_| {
                refused(Refusal::StoreBusy(
                    "the batch could not be read in".to_owned(),
                ))
            })?;
            let admitted = prepared.map_err(refused)?;
            let ack = Ack::from(&admitted.batch.id);
            match shared.store.append(admitted).await {
                Ok(_) => Ok(ack),
                Err(error) => Err(refused(refusal(error))),
            }
        }
    }

    async fn answer(&self, verdict: Verdict) {
        match verdict {
            Ok(ack) => self.say(Answer::Ack(ack.into())).await,
            Err(refused) => {
                tracing::warn!(batch = ?refused.batch, refusal = %refused.refusal, "refused");
                self.say(Answer::Refusal((&refused).into())).await;
            }
        }
    }

    /// Refuses the stream as a whole.
    async fn refuse(&self, refusal: Refusal) {
        tracing::warn!(%refusal, "stream refused");
        let refused = Refused {
            batch: None,
            refusal,
        };
        self.say(Answer::Refusal((&refused).into())).await;
    }

    async fn say(&self, message: Answer) {
        let response = v1::PushResponse {
            message: Some(message),
        };
        // An error means that nobody listens any more; reading will notice.
        let _ = self.answers.send(Ok(response)).await;
    }
}

/// From the wire to what the store takes.
fn prepare(wire: &v1::Batch, hello: &Hello, shared: &Shared) -> Result<Admitted, Refusal> {
    let checksum = u64::from(wire.checksum);
    let batch = Batch::try_from(wire)?;
    admit::batch(&batch, hello, &shared.registry, clock::now())?;
    let origins = enrich(&batch, &shared.tables.current());
    Ok(Admitted {
        batch,
        checksum,
        origins,
    })
}

/// What a sensor is told about the store's trouble.
fn refusal(error: StoreError) -> Refusal {
    match error {
        StoreError::Conflict(id) => Refusal::Conflict(id.to_string()),
        StoreError::Unstorable(text) => Refusal::Malformed(text),
        other => Refusal::StoreBusy(other.to_string()),
    }
}
