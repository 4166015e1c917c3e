//! The server's side of a handshake: its certificate, and whose certificates it takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use noroshi_proto::time::Millis;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use super::IdentityError;
use super::authority::{Authority, ServerIdentity};

/// How long a certificate lives that the authority gives to a collector.
const SERVER_MILLIS: u64 = 90 * 86_400_000;

/// How sensors' connections are encrypted, and by whose word sensors are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The directory of identities.
    pub directory: PathBuf,
    /// Whose word it is.
    pub authority: AuthoritySettings,
}

/// Whose word it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthoritySettings {
    /// The centre's own authority's, in the directory of identities.
    Own {
        /// How sensors reach the collector: names and addresses for its certificate.
        names: Vec<String>,
        /// How long a sensor's certificate lives, in milliseconds.
        sensor_millis: u64,
    },
    /// The operator's, who issues certificates elsewhere: nobody is enrolled here.
    Brought(TlsFiles),
}

/// The operator's own files, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The collector's chain, its own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of sensors' certificates.
    pub ca: PathBuf,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("cannot use {path}: {problem}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// Certificate, key and authority do not fit.
    #[error("certificate, key and authority do not fit together: {0}")]
    Unfit(#[from] rustls::Error),
    /// The centre's own authority.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The server's certificate, which may be changed while it is served.
#[derive(Debug)]
pub struct Shown(ArcSwap<CertifiedKey>);

impl Shown {
    /// Shows another from now on.
    pub fn change(&self, certificate: CertifiedKey) {
        self.0.store(Arc::new(certificate));
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// By the centre's own authority. Who shows no certificate is let in: it comes to be enrolled.
///
/// # Errors
/// See [`TlsError`].
pub fn own(
    authority: &Authority,
    names: &[String],
    now: Millis,
) -> Result<(TlsAcceptor, Arc<Shown>), TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()
        .map_err(unfit)?;
    let shown = certificate_of(authority, names, now)?;
    let shown = Arc::new(Shown(ArcSwap::from_pointee(shown)));
    let config = config()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    Ok((acceptor(config), shown))
}

/// A fresh certificate of the collector's, good for [`renewed_every`] and much longer.
///
/// # Errors
/// See [`TlsError`].
pub fn certificate_of(
    authority: &Authority,
    names: &[String],
    now: Millis,
) -> Result<CertifiedKey, TlsError> {
    let ServerIdentity { chain, key } = authority.sign_server(names, now, SERVER_MILLIS)?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

/// How often a collector gives itself a new certificate.
pub fn renewed_every() -> std::time::Duration {
    std::time::Duration::from_millis(SERVER_MILLIS / 3)
}

/// By the operator's own files. Who shows no certificate is not let in.
///
/// # Errors
/// See [`TlsError`], with the file at fault.
pub fn brought(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots.add(certificate).map_err(|error| TlsError::File {
            path: files.ca.clone(),
            problem: error.to_string(),
        })?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(unfit)?;
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::File {
        path: files.key.clone(),
        problem: error.to_string(),
    })?;
    let config = config()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    Ok(acceptor(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |problem: String| TlsError::File {
        path: path.to_owned(),
        problem,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("there is no certificate in it (PEM)".to_owned()));
    }
    Ok(certificates)
}

fn config() -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, rustls::Error> {
    // Both ends are ours: nothing older than TLS 1.3 is spoken.
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
}

fn acceptor(mut config: ServerConfig) -> TlsAcceptor {
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed session would not show the certificate that was renewed meanwhile.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    TlsAcceptor::from(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn unfit(error: rustls::server::VerifierBuilderError) -> TlsError {
    TlsError::Unfit(rustls::Error::General(error.to_string()))
}
