//! Connections, a limited number for a limited time.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Connections at a time; a further one waits in the listener's queue.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Request line and headers together.
const HEADER_BYTES_MAX: usize = 32 * 1024;
/// From connecting, or the last answer, to the end of a request's headers.
const HEADER_WAIT: Duration = Duration::from_secs(30);
/// From connecting to the end of the TLS handshake.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// After this a connection takes no further request.
const CONNECTION_LIFE: Duration = Duration::from_secs(600);
/// What an answer under way is given at the end.
const LAST_ANSWER: Duration = Duration::from_secs(5);
/// Pause after the system refused a connection.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Where the server's certificate and its key are, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Reads the files, as they are now.
///
/// # Errors
/// In words, with the file at fault.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, String> {
    let wrong = |path: &Path, error: String| format!("cannot use {}: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.certificate, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| wrong(&files.key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong(&files.key, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves `router` on `listener` until `shutdown`; with TLS where there is an `acceptor`.
pub(crate) async fn serve(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopping) = watch::channel(());
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let arriving = async {
            let seat = Arc::clone(&seats).acquire_owned().await;
            (seat, listener.accept().await)
        };
        let (seat, arrived) = tokio::select! {
            () = &mut shutdown => break,
            arrived = arriving => arrived,
        };
        let (Ok(seat), Ok((stream, _))) = (seat, arrived) else {
            tokio::time::sleep(AFTER_REFUSAL).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let (acceptor, router, stopping) = (acceptor.clone(), router.clone(), stopping.clone());
        connections.spawn(async move {
            let _seat = seat;
            let Some(acceptor) = acceptor else {
                return converse(stream, router, stopping).await;
            };
            let shaking = tokio::time::timeout(HANDSHAKE_WAIT, acceptor.accept(stream));
            if let Ok(Ok(stream)) = shaking.await {
                converse(stream, router, stopping).await;
            }
        });
    }
    drop(listener);
    drop(stop); // every connection hears it
    while connections.join_next().await.is_some() {}
}

/// One connection, to its end: the peer's, its time's, or ours.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    mut stopping: watch::Receiver<()>,
) {
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
