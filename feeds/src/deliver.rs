//! Pushes partners' alerts: follows the changes of their cases and carries out what [`crate::plan`]
//! decides.
//!
//! # Promises
//! - One deliverer at a time: it holds a lease, and one that lost it stops.
//! - A message is kept before the cursor moves past what it follows from, and how an attempt went
//!   before the next one. So after a crash nothing is lost, and what is sent again has its old id.
//! - Each channel is a task with a queue of its own: one that hangs holds up nobody else.

mod notices;
mod worker;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::lease::{Lease, Role};
use noroshi_store::registry::Registry;
use noroshi_store::store::{Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::channel::{self, Channel, Problem, Settings};
use crate::clock::now;
use crate::key::{Key, KeyError};
use crate::metrics::Metrics;
use worker::Worker;

/// How often the store is asked whether anything changed.
const POLL: Duration = Duration::from_secs(1);
/// How long a lease lasts, and how often it is renewed, in milliseconds.
const LEASE_MILLIS: u64 = 30_000;
const RENEW_MILLIS: u64 = 10_000;
/// How long what is under way may take to finish: longer than a webhook may.
const FINISH_WAIT: Duration = Duration::from_secs(20);
/// Changes looked over at once.
const CHANGES_MAX: u32 = 500;

/// Why nothing is pushed: the operator changes the configuration.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// Keys, addresses, languages.
    #[error("{}", told(.0))]
    Channels(Vec<Problem>),
    /// The feeds' own key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store refuses; where it only does not answer, the deliverer waits.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn told(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| match problem.line {
        Some(line) => format!("registry, line {line}: {problem}"),
        None => problem.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Pushes until `shutdown`; ends at once where no partner wants anything pushed.
///
/// # Errors
/// What the operator has to change, before anything is pushed.
pub async fn run(
    settings: &Settings,
    store: Store,
    registry: &Registry,
    metrics: &Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), DeliverError> {
    let channels = open(settings, registry)?;
    let mut shutdown = pin!(shutdown);
    if channels.is_empty() {
        shutdown.await;
        return Ok(());
    }
    let channels: Vec<Arc<Channel>> = channels.into_iter().map(Arc::new).collect();
    loop {
        match lease(&store).await {
            Ok(Some((lease, since))) => {
                tracing::info!(channels = channels.len(), "deliverer holds the lease");
                let (ring, bell) = watch::channel(());
                let workers = work(&store, &channels, &bell, metrics);
                drop(bell);
                let lost = tokio::select! {
                    lost = lead(&store, &lease, since, ring) => Some(lost),
                    () = shutdown.as_mut() => None,
                };
                end(workers).await; // nobody rings any more
                match lost {
                    Some(lost) => lost?,
                    None => return Ok(()),
                }
            }
            Ok(None) => {}
            Err(error) => wait_out(error)?,
        }
        if tokio::time::timeout(POLL, shutdown.as_mut()).await.is_ok() {
            return Ok(());
        }
    }
}

/// Every channel, with the key that signs links where mails carry any.
fn open(settings: &Settings, registry: &Registry) -> Result<Vec<Channel>, DeliverError> {
    let carries_links = settings.mail.is_some() && settings.public_url.is_some();
    let key = carries_links.then(|| Key::load_or_draw(&settings.key_file));
    let key = key.transpose()?;
    channel::open(settings, registry.partners(), key.as_ref(), now())
        .map_err(DeliverError::Channels)
}

fn work(
    store: &Store,
    channels: &[Arc<Channel>],
    bell: &watch::Receiver<()>,
    metrics: &Arc<Metrics>,
) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for channel in channels {
        let metrics = Arc::clone(metrics);
        let worker = Worker::new(store.clone(), Arc::clone(channel), bell.clone(), metrics);
        workers.spawn(worker.run());
    }
    workers
}

/// Lets what is under way finish; what does not is sent again, with the same id.
async fn end(mut workers: JoinSet<()>) {
    let all = async {
        while let Some(ended) = workers.join_next().await {
            if let Err(broken) = ended {
                tracing::error!(%broken, "a channel broke off");
            }
        }
    };
    if tokio::time::timeout(FINISH_WAIT, all).await.is_err() {
        tracing::warn!("what was under way is sent again at the next start");
    }
    workers.shutdown().await;
}

/// Rings when something changed, for as long as the lease holds.
async fn lead(
    store: &Store,
    lease: &Lease,
    since: ChangeCursor,
    ring: watch::Sender<()>,
) -> Result<(), DeliverError> {
    let (mut cursor, mut renewed) = (since, now());
    loop {
        tokio::time::sleep(POLL).await;
        match news(store, &mut cursor).await {
            Ok(true) => ring.send_replace(()),
            Ok(false) => {}
            Err(error) => wait_out(error)?,
        }
        let at = now();
        if at.0 < renewed.0 + RENEW_MILLIS {
            continue;
        }
        match store.renew_lease(lease, Millis(at.0 + LEASE_MILLIS)).await {
            Ok(()) => renewed = at,
            Err(StoreError::Fenced(..)) => {
                tracing::warn!("another deliverer took over");
                return Ok(());
            }
            Err(error) => wait_out(error)?,
        }
        if at.0 >= renewed.0 + LEASE_MILLIS {
            tracing::warn!("the lease lapsed");
            return Ok(());
        }
    }
}

/// Whether any case changed since the last time.
async fn news(store: &Store, cursor: &mut ChangeCursor) -> Result<bool, StoreError> {
    let changes = store.changes(*cursor, CHANGES_MAX).await?;
    if let Some((last, _)) = changes.last() {
        *cursor = *last;
    }
    Ok(!changes.is_empty())
}

/// The lease, and since when there may be changes that no channel has seen: before any channel
/// begins, or what is recorded while they do would wait until they read their queues again.
async fn lease(store: &Store) -> Result<Option<(Lease, ChangeCursor)>, StoreError> {
    let at = store.wall_time().await?;
    let until = Millis(at.0 + LEASE_MILLIS);
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let holder = format!("deliverer@{}", name.trim());
    let lease = store
        .acquire_lease(Role::Deliverer, &holder, at, until)
        .await?;
    Ok(lease.map(|lease| (lease, ChangeCursor::at(at))))
}

/// An error that waiting may cure is logged; any other ends the deliverer.
fn wait_out(error: StoreError) -> Result<(), DeliverError> {
    match error {
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "waiting for the store");
            Ok(())
        }
        other => Err(other.into()),
    }
}
