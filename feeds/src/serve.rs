//! Connections, a limited number for a limited time.
//!
//! An idle connection costs a little memory and nobody's place: many may be open, few answers are
//! made at once, and no single address holds more than its share.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::metrics::{Metrics, NoConnection, Open};

/// Connections at a time; a further one waits in the listener's queue. About 24 KiB each.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Connections that wait to be accepted.
const QUEUE_MAX: u32 = 4_096;
/// Connections of one address at a time, which is one partner's network. Those of this machine
/// are a proxy's, which has many readers behind it.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 128;
/// Request line and headers together.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// From connecting, or the last answer, to the end of a request's headers.
const HEADER_WAIT: Duration = Duration::from_secs(15);
/// From connecting to the end of the TLS handshake.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// After this a connection takes no further request.
const CONNECTION_LIFE: Duration = Duration::from_secs(300);
/// What an answer under way is given at the end.
const LAST_ANSWER: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, so that a full table is no busy loop.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// The certificate that the client of a connection showed, in DER; proven to be its own.
#[derive(Clone, Debug, Default)]
pub struct PeerCertificate(pub Option<Arc<[u8]>>);

/// Takes a port.
///
/// # Errors
/// When it is taken, or not ours.
pub fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE_MAX)
}

/// Serves `router` on `listener` until `shutdown`; with TLS where there is an `acceptor`.
pub async fn serve(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopping) = watch::channel(());
    let house = Arc::new(House::new(metrics));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let arrived = tokio::select! {
            () = &mut shutdown => break,
            arrived = accept(&listener, &house) => arrived,
        };
        let Some((stream, seat)) = arrived else {
            continue;
        };
        while connections.try_join_next().is_some() {}
        let (acceptor, router, stopping) = (acceptor.clone(), router.clone(), stopping.clone());
        connections.spawn(async move {
            match acceptor {
                Some(acceptor) => converse_in_secret(stream, &acceptor, router, stopping).await,
                None => converse(stream, PeerCertificate::default(), router, stopping).await,
            }
            drop(seat);
        });
    }
    drop(listener);
    drop(stop); // every connection hears it
    while connections.join_next().await.is_some() {}
}

/// Who is connected.
struct House {
    seats: Arc<Semaphore>,
    guests: Mutex<HashMap<IpAddr, usize>>,
    metrics: Arc<Metrics>,
}

/// A place for one connection, given back when dropped.
struct Seat {
    _place: OwnedSemaphorePermit,
    _open: Open,
    guest: IpAddr,
    house: Arc<House>,
}

impl House {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            guests: Mutex::default(),
            metrics,
        }
    }

    /// `None` where that address has its share.
    fn seat(self: &Arc<Self>, place: OwnedSemaphorePermit, guest: IpAddr) -> Option<Seat> {
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = guests.entry(guest).or_default();
        if *count >= CONNECTIONS_PER_ADDRESS_MAX && !guest.is_loopback() {
            self.metrics.not_connected(NoConnection::Share);
            return None;
        }
        *count += 1;
        let house = Arc::clone(self);
        Some(Seat {
            _place: place,
            _open: self.metrics.connected(),
            guest,
            house,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let guests = self.house.guests.lock();
        let mut guests = guests.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = guests.get_mut(&self.guest) {
            *count -= 1;
            if *count == 0 {
                guests.remove(&self.guest);
            }
        }
    }
}

/// The next connection, once there is a seat for it.
async fn accept(listener: &TcpListener, house: &Arc<House>) -> Option<(TcpStream, Seat)> {
    let place = Arc::clone(&house.seats).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let seat = house.seat(place, peer.ip().to_canonical());
            seat.map(|seat| (stream, seat))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            house.metrics.not_connected(NoConnection::System);
            tokio::time::sleep(AFTER_REFUSAL).await;
            None
        }
    }
}

async fn converse_in_secret(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    router: Router,
    stopping: watch::Receiver<()>,
) {
    let stream = match tokio::time::timeout(HANDSHAKE_WAIT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake failed");
            return;
        }
        Err(_) => return,
    };
    let shown = stream.get_ref().1.peer_certificates();
    let certificate = shown
        .and_then(<[_]>::first)
        .map(|first| first.as_ref().into());
    converse(stream, PeerCertificate(certificate), router, stopping).await;
}

/// One connection, to its end: the peer's, its time's, or ours.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    certificate: PeerCertificate,
    router: Router,
    mut stopping: watch::Receiver<()>,
) {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WAIT)
        .max_buf_size(HEADER_BYTES_MAX);
    let router = TowerToHyperService::new(router);
    // With each request: a layer around the router is a copy of every route for each connection.
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(certificate.clone());
        router.call(request)
    });
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
