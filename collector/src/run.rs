//! The collector as a server.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::limits::{HTTP2_WINDOW_BYTES, MESSAGE_BYTES_MAX};
use noroshi_proto::v1::ingest_server::IngestServer;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::enrich::reload::SharedTables;
use crate::ingest::{Ingestion, Shared, SharedIngestion};
use crate::settings::Settings;

/// How often an idle connection is asked whether it still is one, and how long it may think.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long connections may take to close once their streams have ended.
const CLOSING_MAX: Duration = Duration::from_secs(2);

/// What the collector works with.
pub struct Parts {
    /// Where batches are kept.
    pub store: Store,
    /// Which sensors there are.
    pub registry: Arc<Registry>,
    /// What is known of sources.
    pub tables: SharedTables,
}

/// Why the collector does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A matter of configuration.
    #[error(
        "[collector] listen = \"{0}\" is not a loopback address, and sensors' streams are not \
         encrypted: listen on 127.0.0.1 and let a TLS tunnel forward to it"
    )]
    NeedsTls(SocketAddr),
    /// A matter of the machine.
    #[error("[collector] listen = \"{address}\" cannot be listened on: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The server broke off.
    #[error("the collector's server broke off: {0}")]
    Server(#[from] tonic::transport::Error),
}

/// Serves sensors until `shutdown`; what was handed to the store by then is acknowledged.
///
/// # Errors
/// See [`RunError`].
pub async fn run(
    settings: &Settings,
    parts: Parts,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let incoming = listen(settings.listen).await?;
    tracing::info!(address = %settings.listen, "the collector listens");
    let (stop, stopped) = watch::channel(());
    let serving = serve(incoming, settings.clone(), parts, stopped);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        () = shutdown => drop(stop),
    }
    serving.await
}

/// A collector of this process's own, for replayed captures.
pub struct Local {
    address: SocketAddr,
    stop: watch::Sender<()>,
    serving: JoinHandle<Result<(), RunError>>,
}

impl Local {
    /// Starts it; sensors may connect when this returns.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(parts: Parts, settings: &Settings) -> Result<Self, RunError> {
        let incoming = listen(settings.listen).await?;
        let unknown = |source| RunError::Listen {
            address: settings.listen,
            source,
        };
        let address = incoming.local_addr().map_err(unknown)?;
        let (stop, stopped) = watch::channel(());
        let serving = tokio::spawn(serve(incoming, settings.clone(), parts, stopped));
        Ok(Self {
            address,
            stop,
            serving,
        })
    }

    /// Where sensors connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Acknowledges what the store has, then ends.
    ///
    /// # Errors
    /// Where the server broke off.
    pub async fn stop(self) -> Result<(), RunError> {
        drop(self.stop);
        match self.serving.await {
            Ok(ended) => ended,
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpIncoming, RunError> {
    if !address.ip().is_loopback() {
        return Err(RunError::NeedsTls(address));
    }
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| RunError::Listen { address, source })?;
    Ok(TcpIncoming::from(listener).with_nodelay(Some(true)))
}

async fn serve(
    incoming: TcpIncoming,
    settings: Settings,
    parts: Parts,
    stopped: watch::Receiver<()>,
) -> Result<(), RunError> {
    let shared = Arc::new(Shared::new(
        parts.store,
        parts.registry,
        parts.tables,
        settings,
    ));
    let ingestion = Arc::new(Ingestion::new(shared, stopped.clone()));
    let service = IngestServer::new(SharedIngestion(Arc::clone(&ingestion)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let server = Server::builder()
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, gone(stopped.clone()));
    let mut server = std::pin::pin!(server);
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = gone(stopped) => {}
    }
    let closed = tokio::join!(timeout(CLOSING_MAX, server), ingestion.drained()).0;
    match closed {
        Ok(ended) => Ok(ended?),
        Err(_) => Ok(()), // a peer that does not close is left behind
    }
}

async fn gone(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}
