//! Connections, a limited number for a limited time.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at a time; a further one waits in the listener's queue.
pub const CONNECTIONS_MAX: usize = 256;
/// Request line and headers together.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// From connecting, or the last answer, to the end of a request's headers.
const HEADER_WAIT: Duration = Duration::from_secs(15);
/// After this a connection takes no further request.
const CONNECTION_LIFE: Duration = Duration::from_secs(300);
/// What an answer under way is given at the end.
const LAST_ANSWER: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, so that a full table is no busy loop.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let (stop, stopping) = watch::channel(());
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let arrived = tokio::select! {
            () = &mut shutdown => break,
            arrived = accept(&listener, &seats) => arrived,
        };
        let Some((stream, seat)) = arrived else {
            continue;
        };
        while connections.try_join_next().is_some() {}
        let (router, stopping) = (router.clone(), stopping.clone());
        connections.spawn(async move {
            converse(stream, router, stopping).await;
            drop(seat);
        });
    }
    drop(listener);
    drop(stop); // every connection hears it
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is a seat for it.
async fn accept(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, seat)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(AFTER_REFUSAL).await;
            None
        }
    }
}

/// One connection, to its end: the peer's, its time's, or ours.
async fn converse(stream: TcpStream, router: Router, mut stopping: watch::Receiver<()>) {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WAIT)
        .max_buf_size(HEADER_BYTES_MAX);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(protocol.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopping.changed() => None,
        () = tokio::time::sleep(CONNECTION_LIFE) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            let last = tokio::time::timeout(LAST_ANSWER, connection).await;
            last.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
