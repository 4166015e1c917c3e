//! Where operators' Prometheus reads: on loopback, apart from what others reach.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::serve::{self, Limits, Server};

/// What is told, when it is asked for.
pub type Told = Arc<dyn Fn() -> String + Send + Sync>;

/// The media type of Prometheus' text.
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";
/// One or two readers, and somebody who looks.
const LIMITS: Limits = Limits {
    connections: 64,
    connections_per_address: 64,
    header_bytes: 16 * 1024,
};

/// Why nothing is told: the operator changes the configuration.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// Metrics are the centre's own, and are served without TLS.
    #[error("metrics are served on loopback alone: listen on 127.0.0.1 or ::1 instead of {0}")]
    NotLoopback(SocketAddr),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// `GET /metrics` on a port that was taken.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes the port.
    ///
    /// # Errors
    /// Where the address is not on loopback, taken, or not ours.
    pub fn open(address: SocketAddr) -> Result<Self, PrometheusError> {
        if !address.ip().is_loopback() {
            return Err(PrometheusError::NotLoopback(address));
        }
        let listen = |source| PrometheusError::Listen { address, source };
        let listener = serve::listener(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address })
    }

    /// Where it listens; says the port that was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves what is `told` until `shutdown`.
    pub async fn run(self, told: Told, shutdown: impl Future<Output = ()>) {
        tracing::info!(address = %self.address, "metrics are served");
        let server = Server {
            listener: self.listener,
            acceptor: None,
            router: Router::new().route("/metrics", get(text)).with_state(told),
            limits: LIMITS,
            connections: Arc::default(), // no partner's: not told
        };
        server.run(shutdown).await;
    }
}

async fn text(State(told): State<Told>) -> impl IntoResponse {
    ([(CONTENT_TYPE, MEDIA)], told())
}
