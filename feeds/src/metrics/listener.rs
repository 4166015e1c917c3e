//! Where operators' Prometheus reads: on loopback, apart from what partners reach.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use noroshi_proto::time::Millis;
use tokio::net::TcpListener;

use super::Metrics;
use crate::{FeedsError, clock, serve};

/// What is told, at the time of asking.
pub type Told = Arc<dyn Fn(Millis) -> String + Send + Sync>;

/// The media type of Prometheus' text.
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    pub fn open(address: SocketAddr) -> Result<Self, FeedsError> {
        if !address.ip().is_loopback() {
            return Err(FeedsError::MetricsNotLoopback(address));
        }
        let listen = |source| FeedsError::Listen { address, source };
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
        let router = Router::new().route("/metrics", get(text)).with_state(told);
        // Its own connections are no partner's: they are counted apart, and not told.
        let apart = Arc::new(Metrics::default());
        serve::serve(self.listener, None, router, apart, shutdown).await;
    }
}

async fn text(State(told): State<Told>) -> impl IntoResponse {
    ([(CONTENT_TYPE, MEDIA)], told(clock::now()))
}
