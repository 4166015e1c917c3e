//! The collector as a server.

mod identity;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::limits::{
    ENROLMENT_BYTES_MAX, HTTP2_WINDOW_BYTES, MESSAGE_BYTES_MAX, UPDATE_MESSAGE_BYTES_MAX,
};
use noroshi_proto::v1::enrolment_server::EnrolmentServer;
use noroshi_proto::v1::ingest_server::IngestServer;
use noroshi_proto::v1::updates_server::UpdatesServer;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

use self::identity::Identity;
use crate::enrich::reload::SharedTables;
use crate::identity::IdentityError;
use crate::identity::enrolment::EnrolmentService;
use crate::identity::tls::TlsError;
use crate::ingest::{Ingestion, Shared, SharedIngestion};
use crate::listen::{self, House};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::update::service::UpdatesService;

/// How often an idle connection is asked whether it still is one, and how long it may think.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Streams of one connection at a time: a sensor opens one, and renews its certificate beside it.
const STREAMS_PER_CONNECTION_MAX: u32 = 8;
/// Bytes of a request's headers.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
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
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
}

/// Why the collector does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A matter of configuration.
    #[error(
        "[collector] listen = \"{0}\" is not a loopback address, and sensors' streams are not \
         encrypted: write [collector.tls], or listen on 127.0.0.1"
    )]
    NeedsTls(SocketAddr),
    /// A matter of certificates.
    #[error("[collector.tls]: {0}")]
    Tls(#[from] TlsError),
    /// A matter of the directory of identities.
    #[error("[collector.tls]: {0}")]
    Identity(#[from] IdentityError),
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
    let listener = listen(settings).await?;
    let (stop, stopped) = watch::channel(());
    let serving = serve(listener, settings.clone(), parts, stopped);
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
        let listener = listen(settings).await?;
        let unknown = |source| RunError::Listen {
            address: settings.listen,
            source,
        };
        let address = listener.local_addr().map_err(unknown)?;
        let (stop, stopped) = watch::channel(());
        let serving = tokio::spawn(serve(listener, settings.clone(), parts, stopped));
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

async fn listen(settings: &Settings) -> Result<TcpListener, RunError> {
    let address = settings.listen;
    if settings.tls.is_none() && !address.ip().is_loopback() {
        return Err(RunError::NeedsTls(address));
    }
    let unheard = |source| RunError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?; // port 0 is another one by now
    tracing::info!(%address, tls = settings.tls.is_some(), "the collector listens");
    Ok(listener)
}

async fn serve(
    listener: TcpListener,
    settings: Settings,
    parts: Parts,
    stopped: watch::Receiver<()>,
) -> Result<(), RunError> {
    let identity = match &settings.tls {
        Some(tls) => Identity::open(tls, &parts.registry)?,
        None => Identity::default(),
    };
    let Identity {
        acceptor,
        office,
        background,
    } = identity;
    let (revocations, watching) = background.start(&stopped);
    // Streams, and connections that have none yet.
    let house = House::new(settings.streams_max as usize + listen::LOBBY_MAX);
    let (hand_over, incoming) = listen::handing_over();
    let listening = listen::listen(listener, acceptor, house, hand_over, gone(stopped.clone()));
    let updates = settings.updates.as_ref().map(|updates| {
        let registry = Arc::clone(&parts.registry);
        let service = UpdatesService::new(updates, registry, revocations.clone(), stopped.clone());
        UpdatesServer::new(service)
            .max_decoding_message_size(UPDATE_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(UPDATE_MESSAGE_BYTES_MAX)
    });
    let shared = Arc::new(Shared::new(parts, settings, revocations));
    let ingestion = Arc::new(Ingestion::new(shared, stopped.clone()));
    let service = IngestServer::new(SharedIngestion(Arc::clone(&ingestion)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let enrolment = office.map(|office| {
        EnrolmentServer::new(EnrolmentService::new(office))
            .max_decoding_message_size(ENROLMENT_BYTES_MAX)
            .max_encoding_message_size(ENROLMENT_BYTES_MAX)
    });
    let server = Server::builder()
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .add_service(service)
        .add_optional_service(enrolment)
        .add_optional_service(updates)
        .serve_with_incoming_shutdown(ReceiverStream::new(incoming), gone(stopped.clone()));
    let serving = async {
        let mut server = std::pin::pin!(server);
        tokio::select! {
            ended = &mut server => return ended,
            () = gone(stopped) => {}
        }
        let closed = tokio::join!(timeout(CLOSING_MAX, server), ingestion.drained()).0;
        closed.unwrap_or(Ok(())) // a peer that does not close is left behind
    };
    let mut beside = std::pin::pin!(async { tokio::join!(listening, watching) });
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        _ = &mut beside => {} // told to end
    }
    Ok(serving.await?)
}

async fn gone(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}
