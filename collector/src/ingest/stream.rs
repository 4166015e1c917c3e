//! One sensor's stream, from its hello to its end.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use noroshi_proto::answer::{Ack, Refused};
use noroshi_proto::batch::Batch;
use noroshi_proto::hello::{Held, Hello, Welcome};
use noroshi_proto::id::Epoch;
use noroshi_proto::limits::HELD_RANGES_MAX;
use noroshi_proto::refusal::Refusal;
use noroshi_proto::time::Millis;
use noroshi_proto::v1;
use noroshi_proto::v1::push_request::Message as Asked;
use noroshi_proto::v1::push_response::Message as Answer;
use noroshi_store::append::Admitted;
use noroshi_store::store::StoreError;
use prost::Message as _;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Status, Streaming};
use tracing::{Instrument as _, Span, field, trace_span};

use super::Shared;
use super::fence::gone;
use super::room::{Place, flows_max};
use super::share::Share;
use crate::admit;
use crate::clock;
use crate::enrich::enrich;
use crate::identity::caller::Caller;
use crate::identity::revocations::Watched;
use crate::metrics::Size;

/// A hello comes at once or the stream is given up.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a peer may take to hear why its stream ends.
const LAST_WORD_WAIT: Duration = Duration::from_secs(1);

/// Where answers go.
type Answers = mpsc::Sender<Result<v1::PushResponse, Status>>;
/// Room for one answer, taken before its batch is read: a peer that does not listen is not read
/// from, and holds nothing that others wait for.
type Slot = mpsc::OwnedPermit<Result<v1::PushResponse, Status>>;
/// What a batch came to.
type Verdict = Result<Ack, Refused>;

/// A stream that has just been opened.
pub struct Stream {
    shared: Arc<Shared>,
    answers: Answers,
    stopped: watch::Receiver<()>,
    caller: Caller,
}

/// A stream that was let in.
struct Opened {
    hello: Arc<Hello>,
    fence: watch::Receiver<()>,
    share: Arc<Share>,
}

/// A batch that was read.
struct Waiting {
    batch: v1::Batch,
    slot: Slot,
    span: Span,
}

/// A batch that is to be answered.
struct Judged {
    verdict: Verdict,
    slot: Slot,
    /// From its reading to its answer.
    span: Span,
}

/// One of the batches at work, and one of its sensor's, with room for what it holds.
struct Turn {
    _own: Result<OwnedSemaphorePermit, AcquireError>,
    _of_all: Result<OwnedSemaphorePermit, AcquireError>,
    place: Place,
}

/// Resolves when a batch may be worked at. It keeps its place in the queue until then.
type ItsTurn = Pin<Box<dyn Future<Output = Turn> + Send>>;

impl Stream {
    /// Nothing read yet.
    pub fn new(
        shared: Arc<Shared>,
        answers: Answers,
        stopped: watch::Receiver<()>,
        caller: Caller,
    ) -> Self {
        Self {
            shared,
            answers,
            stopped,
            caller,
        }
    }

    /// Says that enough streams are open.
    pub async fn turn_away(self) {
        self.refuse(Refusal::TooManyStreams).await;
    }

    /// Serves the stream until it ends, is fenced or revoked, or the collector stops.
    pub async fn run(self, mut requests: Streaming<v1::PushRequest>) {
        let revocations = Arc::clone(&self.shared.revocations.borrow());
        if let Err(refusal) = self.caller.admitted(&revocations) {
            return self.refuse(refusal).await;
        }
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
            Ok(opened) => self.serve(opened, requests).await,
            Err(refusal) => self.refuse(refusal).await,
        }
    }

    /// Answers a hello; from then on the stream is its sensor's newest, until its fence is gone.
    async fn welcome(&self, wire: v1::Hello) -> Result<Opened, Refusal> {
        let shared = &self.shared;
        let hello = Hello::try_from(wire)?;
        self.caller.speaks_for(&hello.sensor)?;
        let sensor = admit::hello(
            &hello,
            &shared.registry,
            shared.settings.replay,
            clock::now(),
        )?;
        let fence = shared.fences.enter(&hello.sensor, hello.clock)?;
        let share = shared.shares.of(sensor, clock::now());
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
        let now = clock::now();
        let welcome = Welcome { held, clock: now };
        self.say(Answer::Welcome((&welcome).into())).await;
        // Above zero, the sensor's clock is ahead; what the hello took on its way counts below.
        let skew_millis = i128::from(hello.clock.0) - i128::from(now.0);
        tracing::info!(sensor = %hello.sensor, epoch = %hello.epoch, skew_millis, "stream opened");
        self.note(&hello, now).await;
        Ok(Opened {
            hello: Arc::new(hello),
            fence,
            share,
        })
    }

    /// Keeps what a sensor said of itself; nothing rests on it, so a store that cannot is no reason to
    /// refuse.
    async fn note(&self, hello: &Hello, now: Millis) {
        if !self.shared.hellos.is_due(&hello.sensor, now) {
            return;
        }
        if let Err(error) = self.shared.store.note_hello(hello, now).await {
            tracing::warn!(sensor = %hello.sensor, %error, "a hello was not kept");
        }
    }

    async fn serve(self, opened: Opened, mut requests: Streaming<v1::PushRequest>) {
        let Opened {
            hello,
            fence,
            share,
        } = opened;
        let mut fenced = pin!(gone(fence));
        let mut stopped = pin!(gone(self.stopped.clone()));
        let mut void = pin!(void(self.caller.clone(), self.shared.revocations.clone()));
        let metrics = Arc::clone(&self.shared.metrics);
        let _open = metrics.stream();
        let mut under_way = FuturesOrdered::new();
        // Read, and waiting for its turn. What is under way must go on meanwhile: it holds the
        // turns that others wait for.
        let mut waiting: Option<(Waiting, ItsTurn)> = None;
        let mut free: Option<Slot> = None;
        loop {
            let debt = share.debt(clock::now());
            tokio::select! {
                biased;
                () = &mut fenced => {
                    self.refuse(Refusal::Fenced).await;
                    break;
                }
                () = &mut stopped => break,
                ended = &mut void => match ended {
                    Some(revoked) => return self.refuse(revoked).await,
                    None => break, // it comes back with its next certificate
                },
                Some(judged) = under_way.next() => answer(judged),
                turn = its_turn(&mut waiting), if waiting.is_some() => {
                    if let Some((batch, _)) = waiting.take() {
                        under_way.push_back(self.keep(batch, &hello, &share, turn).await);
                    }
                }
                slot = self.answers.clone().reserve_owned(), if free.is_none() => match slot {
                    Ok(slot) => free = Some(slot),
                    Err(_) => break, // nobody listens any more
                },
                () = sleep(debt), if !debt.is_zero() => {}
                request = requests.message(),
                    if waiting.is_none() && free.is_some() && debt.is_zero() =>
                {
                    let Ok(Some(request)) = request else { break };
                    let Some(Asked::Batch(batch)) = request.message else {
                        let text = "only batches follow the hello".to_owned();
                        self.refuse(Refusal::Malformed(text)).await;
                        break;
                    };
                    share.spend_bytes(batch.encoded_len(), clock::now());
                    waiting = free.take().map(|slot| in_turn(batch, slot, &self.shared, &share));
                }
            }
        }
        drop(waiting); // it would keep its turn from others
        // What was handed to the store is answered, if anybody still listens.
        while let Some(judged) = under_way.next().await {
            answer(judged);
        }
        tracing::info!(sensor = %hello.sensor, epoch = %hello.epoch, "stream ended");
    }

    /// Parses, admits and enriches now; the future handed back waits for the store.
    async fn keep(
        &self,
        waiting: Waiting,
        hello: &Arc<Hello>,
        share: &Share,
        mut turn: Turn,
    ) -> impl Future<Output = Judged> + use<> {
        let Waiting {
            batch: wire,
            slot,
            span,
        } = waiting;
        let shared = Arc::clone(&self.shared);
        let named = (Epoch(wire.epoch), wire.sequence);
        let began = Instant::now();
        let prepared = {
            let (shared, hello, span) = (Arc::clone(&shared), Arc::clone(hello), span.clone());
            tokio::task::spawn_blocking(move || {
                span.in_scope(|| trace_span!("enrich").in_scope(|| prepare(&wire, &hello, &shared)))
            })
            .await
        };
        if let Ok(Ok((_, size))) = &prepared {
            turn.place.keep(size.flow_tuples);
            share.spend_tuples(size.flow_tuples, clock::now());
            span.record("tuples", size.flow_tuples);
            span.record("packets", size.packets);
        }
        let work = span.clone();
        let judging = async move {
            let _turn = turn; // until the store has it
            let _waiting = shared.metrics.batch();
            let refused = |refusal| Refused {
                batch: Some(named),
                refusal,
            };
            let prepared = prepared
                .map_err(|_| Refusal::StoreBusy("the batch could not be read in".to_owned()))
                .flatten();
            let verdict = match prepared {
                Ok((admitted, size)) => {
                    let ack = Ack::from(&admitted.batch.id);
                    let appended = shared.store.append(admitted).await;
                    appended
                        .map(|_| {
                            shared.metrics.keep(size, began.elapsed());
                            ack
                        })
                        .map_err(|error| refused(refusal(error)))
                }
                Err(refusal) => Err(refused(refusal)),
            };
            if let Err(refused) = &verdict {
                shared.metrics.refuse(&refused.refusal);
            }
            Judged {
                verdict,
                slot,
                span,
            }
        };
        judging.instrument(work)
    }

    /// Refuses the stream as a whole.
    async fn refuse(&self, refusal: Refusal) {
        tracing::warn!(%refusal, "stream refused");
        self.shared.metrics.refuse_stream(&refusal);
        let refused = Refused {
            batch: None,
            refusal,
        };
        self.say(Answer::Refusal((&refused).into())).await;
    }

    async fn say(&self, message: Answer) {
        let said = self.answers.send(Ok(response(message)));
        // Whoever does not listen need not be told; reading will notice.
        let _ = timeout(LAST_WORD_WAIT, said).await;
    }
}

/// What traces tell of one batch: how much it holds and what came of it, never whose it is.
fn span() -> Span {
    trace_span!(
        "batch",
        otel.kind = "server",
        tuples = field::Empty,
        packets = field::Empty,
        outcome = field::Empty,
    )
}

fn answer(judged: Judged) {
    let Judged {
        verdict,
        slot,
        span,
    } = judged;
    let _answering = span.enter(); // a span ends when it is last left
    let message = match verdict {
        Ok(ack) => {
            span.record("outcome", "kept");
            Answer::Ack(ack.into())
        }
        Err(refused) => {
            span.record("outcome", refused.refusal.name());
            tracing::warn!(batch = ?refused.batch, refusal = %refused.refusal, "refused");
            Answer::Refusal((&refused).into())
        }
    };
    slot.send(Ok(response(message)));
}

fn response(message: Answer) -> v1::PushResponse {
    v1::PushResponse {
        message: Some(message),
    }
}

/// First its sensor's turn, then one of all: a sensor that fills its own share waits alone. Whoever has both goes on by
/// itself, so that waiting for room comes to an end.
async fn turn(shared: Arc<Shared>, share: Arc<Share>, flows_max: usize) -> Turn {
    let own = Arc::clone(&share.work).acquire_owned().await;
    let of_all = Arc::clone(&shared.work).acquire_owned().await;
    Turn {
        _own: own,
        _of_all: of_all,
        place: shared.room.take(flows_max).await,
    }
}

/// A batch that waits for its turn, which is traced with it.
fn in_turn(
    batch: v1::Batch,
    slot: Slot,
    shared: &Arc<Shared>,
    share: &Arc<Share>,
) -> (Waiting, ItsTurn) {
    let span = span();
    let turn = turn(Arc::clone(shared), Arc::clone(share), flows_max(&batch));
    let turn = turn.instrument(span.in_scope(|| trace_span!("turn")));
    (Waiting { batch, slot, span }, Box::pin(turn))
}

async fn its_turn(waiting: &mut Option<(Waiting, ItsTurn)>) -> Turn {
    match waiting {
        Some((_, turn)) => turn.await,
        None => std::future::pending().await,
    }
}

/// Resolves when the caller's certificate is revoked, with the refusal, or over; never for a
/// program on this machine.
async fn void(caller: Caller, mut revocations: Watched) -> Option<Refusal> {
    let Caller::Sensor(certificate) = &caller else {
        return std::future::pending().await;
    };
    let left = certificate.valid.end.0.saturating_sub(clock::now().0);
    let mut over = pin!(sleep(Duration::from_millis(left)));
    loop {
        let now = Arc::clone(&revocations.borrow_and_update());
        if let Err(refusal) = caller.admitted(&now) {
            return Some(refusal);
        }
        tokio::select! {
            () = &mut over => return None,
            changed = revocations.changed() => if changed.is_err() {
                return std::future::pending().await; // the collector ends
            },
        }
    }
}

/// From the wire to what the store takes, and how much that is.
fn prepare(wire: &v1::Batch, hello: &Hello, shared: &Shared) -> Result<(Admitted, Size), Refusal> {
    let checksum = u64::from(wire.checksum);
    let batch = Batch::try_from(wire)?;
    admit::batch(&batch, hello, &shared.registry, clock::now())?;
    let origins = enrich(&batch, &shared.tables.current());
    let size = Size::of(&batch);
    let admitted = Admitted {
        batch,
        checksum,
        origins,
    };
    Ok((admitted, size))
}

/// What a sensor is told about the store's trouble.
fn refusal(error: StoreError) -> Refusal {
    match error {
        StoreError::Conflict(id) => Refusal::Conflict(id.to_string()),
        StoreError::Unstorable(text) => Refusal::Malformed(text),
        other => Refusal::StoreBusy(other.to_string()),
    }
}
