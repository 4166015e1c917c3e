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
use noroshi_metrics::connections::{Connections, NoConnection};
use noroshi_metrics::open::Open;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Connections that wait to be accepted.
const QUEUE_MAX: u32 = 4_096;
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

/// How much one server takes upon itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; a further one waits in the listener's queue. About 24 KiB each.
    pub connections: usize,
    /// Connections of one address at a time; those of this machine are a proxy's, which has many
    /// readers behind it, and know no share.
    pub connections_per_address: usize,
    /// Bytes of request line and headers together.
    pub header_bytes: usize,
}

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

/// What is served, and how.
pub struct Server {
    /// The port.
    pub listener: TcpListener,
    /// With TLS where there is one.
    pub acceptor: Option<TlsAcceptor>,
    /// What answers.
    pub router: Router,
    /// How much at a time.
    pub limits: Limits,
    /// Where connections are counted.
    pub connections: Arc<Connections>,
}

impl Server {
    /// Serves until `shutdown`, then lets answers under way finish.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = watch::channel(());
        let house = Arc::new(House::new(self.limits, self.connections));
        let talk = Talk {
            router: self.router,
            header_bytes: self.limits.header_bytes,
            stopping,
        };
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let arrived = tokio::select! {
                () = &mut shutdown => break,
                arrived = accept(&self.listener, &house) => arrived,
            };
            let Some((stream, seat)) = arrived else {
                continue;
            };
            while connections.try_join_next().is_some() {}
            let (acceptor, talk) = (self.acceptor.clone(), talk.clone());
            connections.spawn(async move {
                match acceptor {
                    Some(acceptor) => talk.in_secret(stream, &acceptor).await,
                    None => talk.hold(stream, PeerCertificate::default()).await,
                }
                drop(seat);
            });
        }
        drop(self.listener);
        drop(talk);
        drop(stop); // every connection hears it
        while connections.join_next().await.is_some() {}
    }
}

/// Who is connected.
struct House {
    seats: Arc<Semaphore>,
    share: usize,
    guests: Mutex<HashMap<IpAddr, usize>>,
    connections: Arc<Connections>,
}

/// A place for one connection, given back when dropped.
struct Seat {
    _place: OwnedSemaphorePermit,
    _open: Open,
    guest: IpAddr,
    house: Arc<House>,
}

impl House {
    fn new(limits: Limits, connections: Arc<Connections>) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(limits.connections)),
            share: limits.connections_per_address,
            guests: Mutex::default(),
            connections,
        }
    }

    /// `None` where that address has its share.
    fn seat(self: &Arc<Self>, place: OwnedSemaphorePermit, guest: IpAddr) -> Option<Seat> {
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = guests.entry(guest).or_default();
        if *count >= self.share && !guest.is_loopback() {
            self.connections.not_connected(NoConnection::Share);
            return None;
        }
        *count += 1;
        let house = Arc::clone(self);
        Some(Seat {
            _place: place,
            _open: self.connections.connected(),
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
            house.connections.not_connected(NoConnection::System);
            tokio::time::sleep(AFTER_REFUSAL).await;
            None
        }
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Talk {
    router: Router,
    header_bytes: usize,
    stopping: watch::Receiver<()>,
}

impl Talk {
    async fn in_secret(self, stream: TcpStream, acceptor: &TlsAcceptor) {
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
        self.hold(stream, PeerCertificate(certificate)).await;
    }

    /// One connection, to its end: the peer's, its time's, or ours.
    async fn hold(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        certificate: PeerCertificate,
    ) {
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_WAIT)
            .max_buf_size(self.header_bytes);
        let router = TowerToHyperService::new(self.router);
        // With each request: a layer around the router is a copy of every route for each connection.
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(certificate.clone());
            router.call(request)
        });
        let mut connection = pin!(protocol.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            _ = self.stopping.changed() => None,
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
}
