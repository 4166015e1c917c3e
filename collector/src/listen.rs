//! Connections of sensors: a limited number, each known for what it is before it is heard.
//!
//! # Promises
//! - A handshake takes [`HANDSHAKE_WAIT`] at most, and delays nobody else's.
//! - Whoever shows no certificate holds no connection for longer than [`UNKNOWN_LIFE`], and at
//!   most [`LOBBY_MAX`] of them are open; none takes a place of a sensor's.
//! - No single address holds more than [`CONNECTIONS_PER_ADDRESS_MAX`] connections.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

use crate::identity::caller::Caller;

/// From connecting to the end of the handshake.
pub const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// How long a connection without a certificate may last: to be enrolled takes a moment.
pub const UNKNOWN_LIFE: Duration = Duration::from_secs(30);
/// Connections at a time that are not known yet, or stay unknown.
pub const LOBBY_MAX: usize = 1_024;
/// Connections of one address at a time: a site's sensors, behind one address. This machine's own
/// are a proxy's or a tunnel's.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 128;
/// Connections that wait to be served.
const HANDED_OVER_MAX: usize = 64;
/// Pause after the system refused a connection, so that a full table is no busy loop.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

trait Line: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Line for T {}

/// A connection, and who is at its other end.
pub struct Connection {
    line: Pin<Box<dyn Line>>,
    caller: Caller,
    /// When it ends, whatever is said on it.
    end: Option<Pin<Box<Sleep>>>,
    _seat: Seat,
}

/// What is waited for by connections to come.
pub struct House {
    lobby: Arc<Semaphore>,
    known: Arc<Semaphore>,
    guests: Mutex<HashMap<IpAddr, usize>>,
}

/// A place for one connection, given back when dropped.
struct Seat {
    _place: OwnedSemaphorePermit,
    _guest: Guest,
}

/// One connection more of its address, until dropped.
struct Guest {
    address: IpAddr,
    house: Arc<House>,
}

impl House {
    /// For so many sensors' connections.
    pub fn new(known_max: usize) -> Arc<Self> {
        Arc::new(Self {
            lobby: Arc::new(Semaphore::new(LOBBY_MAX)),
            known: Arc::new(Semaphore::new(known_max.min(Semaphore::MAX_PERMITS))),
            guests: Mutex::default(),
        })
    }

    /// `None` where that address has its share.
    fn guest(self: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = guests.entry(address).or_default();
        if *count >= CONNECTIONS_PER_ADDRESS_MAX && !address.is_loopback() {
            return None;
        }
        *count += 1;
        let house = Arc::clone(self);
        Some(Guest { address, house })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let guests = self.house.guests.lock();
        let mut guests = guests.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = guests.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                guests.remove(&self.address);
            }
        }
    }
}

/// Hands over connections until `stopped`, or until nobody takes them; with TLS where there is an
/// `acceptor`.
pub async fn listen(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    house: Arc<House>,
    hand_over: mpsc::Sender<io::Result<Connection>>,
    stopped: impl Future<Output = ()>,
) {
    let mut arriving = JoinSet::new();
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let arrived = tokio::select! {
            () = &mut stopped => break,
            () = hand_over.closed() => break,
            arrived = accept(&listener, &house) => arrived,
        };
        while arriving.try_join_next().is_some() {} // those that have ended
        let Some((stream, guest, place)) = arrived else {
            continue;
        };
        let (acceptor, house) = (acceptor.clone(), Arc::clone(&house));
        let hand_over = hand_over.clone();
        arriving.spawn(async move {
            let connection = match acceptor {
                Some(acceptor) => shake_hands(stream, &acceptor, guest, place, &house).await,
                None => plain(stream, guest, &house),
            };
            if let Some(connection) = connection {
                let _ = hand_over.send(Ok(connection)).await; // fails where the server ended
            }
        });
    }
    arriving.shutdown().await;
}

/// Room for connections that wait to be served.
pub fn handing_over() -> (
    mpsc::Sender<io::Result<Connection>>,
    mpsc::Receiver<io::Result<Connection>>,
) {
    mpsc::channel(HANDED_OVER_MAX)
}

async fn accept(
    listener: &TcpListener,
    house: &Arc<House>,
) -> Option<(TcpStream, Guest, OwnedSemaphorePermit)> {
    let place = Arc::clone(&house.lobby).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let guest = house.guest(peer.ip().to_canonical())?;
            let _ = stream.set_nodelay(true); // slower without, and no worse
            Some((stream, guest, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(AFTER_REFUSAL).await;
            None
        }
    }
}

fn plain(stream: TcpStream, guest: Guest, house: &House) -> Option<Connection> {
    let place = Arc::clone(&house.known).try_acquire_owned().ok()?;
    Some(Connection {
        line: Box::pin(stream),
        caller: Caller::Local,
        end: None,
        _seat: Seat {
            _place: place,
            _guest: guest,
        },
    })
}

async fn shake_hands(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    guest: Guest,
    lobby: OwnedSemaphorePermit,
    house: &House,
) -> Option<Connection> {
    let peer = guest.address;
    let stream = match timeout(HANDSHAKE_WAIT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::info!(%peer, %error, "a handshake failed");
            return None;
        }
        Err(_) => return None,
    };
    let shown = stream.get_ref().1.peer_certificates();
    let caller = match shown.and_then(<[_]>::first) {
        Some(certificate) => Caller::of(certificate),
        None => Caller::Unknown,
    };
    let (place, end) = match &caller {
        Caller::Sensor(_) => (Arc::clone(&house.known).try_acquire_owned().ok()?, None),
        _ => (lobby, Some(Box::pin(sleep(UNKNOWN_LIFE)))),
    };
    Some(Connection {
        line: Box::pin(stream),
        caller,
        end,
        _seat: Seat {
            _place: place,
            _guest: guest,
        },
    })
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(end) = &mut self.end
            && end.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.line.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.line.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.as_mut().poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.line.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.line.is_write_vectored()
    }
}
