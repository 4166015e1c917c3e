//! The queue before the store, and the tasks that empty it group by group.

use std::collections::HashSet;
use std::slice;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clickhouse::Client;
use noroshi_proto::id::BatchId;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument as _, Span, trace_span};
use uuid::Uuid;

use super::{Admitted, Kept, commit};
use crate::store::StoreError;

/// Groups written at a time: while the engine works on one, the next is laid out.
const WRITERS: usize = 2;
/// Batches that may wait.
const QUEUE_BATCHES: usize = 1_024;
/// Flows that may wait: some 200 bytes each.
const QUEUE_FLOWS: usize = 1_000_000;
/// Time between the starts of two groups, unless one is worth a part by itself. Seven inserts a
/// second are what merges keep up with on two cores (docs/decisions/0005-batches-are-kept-in-groups.md).
const PACE: Duration = Duration::from_millis(150);
/// A group of so many batches does not wait for more,
const WORTH_BATCHES: usize = 32;
/// nor one of so many flows.
const WORTH_FLOWS: usize = 50_000;
/// The most batches of one group,
const GROUP_BATCHES: usize = 512;
/// and the fewest flows that fill one: with the largest batch on top it stays below one block.
const GROUP_FLOWS: usize = 200_000;
/// Pauses before a group is tried again.
const RETRIES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];
/// The longest a request may hang.
pub(super) const INSERT_TIMEOUT: Duration = Duration::from_secs(60);

/// A batch that waits, and who waits for it.
struct Request {
    admitted: Arc<Admitted>,
    answer: oneshot::Sender<Result<Kept, StoreError>>,
    /// Of the one who waits.
    span: Span,
    _room: OwnedSemaphorePermit,
    _alone: Alone,
}

/// Takes batches and writes them in groups.
pub(crate) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    room: Arc<Semaphore>,
    underway: Arc<Underway>,
    tasks: AsyncMutex<JoinSet<()>>,
}

/// What the tasks share.
struct Waiting {
    requests: mpsc::Receiver<Request>,
    /// Names this writer's groups: no other ever has the same name.
    writer: Uuid,
    groups: u64,
    next_start: Instant,
}

impl Writer {
    pub(crate) fn start(client: Client) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_BATCHES);
        let waiting = Arc::new(AsyncMutex::new(Waiting {
            requests,
            writer: Uuid::new_v4(),
            groups: 0,
            next_start: Instant::now(),
        }));
        let mut tasks = JoinSet::new();
        for _ in 0..WRITERS {
            tasks.spawn(write(client.clone(), Arc::clone(&waiting)));
        }
        Self {
            queue: Mutex::new(Some(queue)),
            room: Arc::new(Semaphore::new(QUEUE_FLOWS)),
            underway: Arc::default(),
            tasks: AsyncMutex::new(tasks),
        }
    }

    pub(super) async fn append(&self, admitted: Admitted) -> Result<Kept, StoreError> {
        let alone = self.underway.enter(admitted.id()).await;
        let flows = (admitted.flows() + 1).min(QUEUE_FLOWS) as u32;
        let room = Arc::clone(&self.room);
        let room = room
            .acquire_many_owned(flows)
            .await
            .map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let request = Request {
            admitted: Arc::new(admitted),
            answer,
            span: Span::current(),
            _room: room,
            _alone: alone,
        };
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let queue = queue.ok_or(StoreError::Closed)?;
        queue.send(request).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) async fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
    }
}

/// One of the tasks: takes a group, writes it, answers.
async fn write(client: Client, waiting: Arc<AsyncMutex<Waiting>>) {
    loop {
        let (group, token) = {
            let mut waiting = waiting.lock().await;
            (waiting.gather().await, waiting.token())
        };
        if group.is_empty() {
            return; // the queue is closed and empty
        }
        let batches: Vec<Arc<Admitted>> = group
            .iter()
            .map(|request| Arc::clone(&request.admitted))
            .collect();
        let span = span(&group);
        let outcomes = commit_surely(&client, &batches, &token)
            .instrument(span)
            .await;
        for (request, outcome) in group.into_iter().zip(outcomes) {
            // Whoever asked may have gone; the batch is kept all the same.
            let _ = request.answer.send(outcome);
        }
    }
}

/// The group's part in the trace of one batch of it that is traced; other traces point there.
fn span(group: &[Request]) -> Span {
    let mut traced = group.iter().filter(|request| !request.span.is_disabled());
    let Some(first) = traced.next() else {
        return Span::none();
    };
    let tuples: usize = group.iter().map(|request| request.admitted.flows()).sum();
    let span = (first.span).in_scope(|| trace_span!("write", batches = group.len(), tuples));
    for other in traced {
        other.span.follows_from(&span);
    }
    span
}

impl Waiting {
    /// A name for the next group.
    fn token(&mut self) -> String {
        self.groups += 1;
        format!("{}/{}", self.writer, self.groups)
    }

    /// The next group; empty once the queue is closed.
    async fn gather(&mut self) -> Vec<Request> {
        let Some(first) = self.requests.recv().await else {
            return Vec::new();
        };
        let mut flows = first.admitted.flows();
        let mut group = vec![first];
        while flows < WORTH_FLOWS && group.len() < WORTH_BATCHES {
            let Ok(Some(request)) = timeout_at(self.next_start, self.requests.recv()).await else {
                break;
            };
            flows += request.admitted.flows();
            group.push(request);
        }
        while flows < GROUP_FLOWS && group.len() < GROUP_BATCHES {
            let Ok(request) = self.requests.try_recv() else {
                break;
            };
            flows += request.admitted.flows();
            group.push(request);
        }
        self.next_start = Instant::now() + PACE;
        group
    }
}

/// Tries a group several times, then each batch by itself, so that one that the engine refuses
/// takes no other with it.
async fn commit_surely(
    client: &Client,
    batches: &[Arc<Admitted>],
    token: &str,
) -> Vec<Result<Kept, StoreError>> {
    let mut failure = match commit(client, batches, token).await {
        Ok(outcomes) => return outcomes,
        Err(error) => error,
    };
    for pause in RETRIES {
        tracing::warn!(%failure, batches = batches.len(), "a group was not kept, trying again");
        sleep(pause).await;
        match commit(client, batches, token).await {
            Ok(outcomes) => return outcomes,
            Err(error) => failure = error,
        }
    }
    if batches.len() == 1 || !failure.is_answer() {
        return batches.iter().map(|_| Err(failure.clone())).collect();
    }
    let mut outcomes = Vec::with_capacity(batches.len());
    for batch in batches {
        let token = format!("{token}/{}", batch.id());
        match commit(client, slice::from_ref(batch), &token).await {
            Ok(outcome) => outcomes.extend(outcome),
            Err(error) => outcomes.push(Err(error)),
        }
    }
    outcomes
}

/// The batches underway: the same one never twice at a time.
#[derive(Default)]
struct Underway {
    batches: Mutex<HashSet<BatchId>>,
    left: Notify,
}

impl Underway {
    async fn enter(self: &Arc<Self>, id: &BatchId) -> Alone {
        loop {
            let left = self.left.notified();
            if self
                .batches
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id.clone())
            {
                return Alone {
                    underway: Arc::clone(self),
                    id: id.clone(),
                };
            }
            left.await;
        }
    }
}

/// While it lives, nobody else brings this batch.
struct Alone {
    underway: Arc<Underway>,
    id: BatchId,
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.underway
            .batches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
        self.underway.left.notify_waiters();
    }
}
