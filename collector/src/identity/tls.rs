//! The server's side of a handshake: its certificate, and whose certificates it takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

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
/// How often the operator's files are read again: they are replaced when they are renewed.
const LOOK: Duration = Duration::from_secs(60);

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

/// Where the collector's certificate comes from, again and again.
pub enum Source {
    /// The centre's own authority.
    Own {
        /// Signs it.
        authority: Arc<Authority>,
        /// For these names and addresses.
        names: Vec<String>,
    },
    /// The operator's files, as they are by then.
    Brought(TlsFiles),
}

impl Source {
    /// A certificate, and its key.
    ///
    /// # Errors
    /// See [`TlsError`], with the file at fault.
    pub fn certificate(&self, now: Millis) -> Result<CertifiedKey, TlsError> {
        let (chain, key) = match self {
            Self::Own { authority, names } => {
                let ServerIdentity { chain, key } =
                    authority.sign_server(names, now, SERVER_MILLIS)?;
                (chain, key)
            }
            Self::Brought(files) => {
                let key = PrivateKeyDer::from_pem_file(&files.key);
                let key = key.map_err(|error| unusable(&files.key, error.to_string()))?;
                (certificates(&files.certificate)?, key)
            }
        };
        Ok(CertifiedKey::from_der(chain, key, &provider())?)
    }

    /// How often there is a new one, or may be.
    pub fn every(&self) -> Duration {
        match self {
            Self::Own { .. } => Duration::from_millis(SERVER_MILLIS / 3),
            Self::Brought(_) => LOOK,
        }
    }

    /// How connections are accepted, and what is shown by it.
    ///
    /// # Errors
    /// See [`TlsError`], with the file at fault.
    pub fn acceptor(&self, now: Millis) -> Result<(TlsAcceptor, Arc<Shown>), TlsError> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::Own { authority, .. } => roots.add(authority.certificate().clone())?,
            Self::Brought(files) => {
                for certificate in certificates(&files.ca)? {
                    let added = roots.add(certificate);
                    added.map_err(|error| unusable(&files.ca, error.to_string()))?;
                }
            }
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
        let verifier = match self {
            // Who shows no certificate is let in: it comes to be enrolled.
            Self::Own { .. } => verifier.allow_unauthenticated(),
            Self::Brought(_) => verifier,
        };
        let verifier = verifier
            .build()
            .map_err(|error| TlsError::Unfit(rustls::Error::General(error.to_string())))?;
        let shown = Arc::new(Shown(ArcSwap::from_pointee(self.certificate(now)?)));
        // Both ends are ours: nothing older than TLS 1.3 is spoken.
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A resumed session would not show the certificate that was renewed meanwhile.
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok((TlsAcceptor::from(Arc::new(config)), shown))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(path, error.to_string()))?;
    if certificates.is_empty() {
        let problem = "there is no certificate in it (PEM)".to_owned();
        return Err(unusable(path, problem));
    }
    Ok(certificates)
}

fn unusable(path: &Path, problem: String) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        problem,
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey as Made, KeyPair, generate_simple_self_signed};

    use super::*;

    const NOW: Millis = Millis(1_793_599_200_000);

    fn write(files: &TlsFiles) {
        let names = vec!["collector.example".to_owned()];
        let Made { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        fs::write(&files.certificate, cert.pem()).unwrap();
        fs::write(&files.ca, cert.pem()).unwrap();
        fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    }

    #[test]
    fn files_that_are_replaced_are_shown_once_they_fit() {
        let directory = tempfile::tempdir().unwrap();
        let files = TlsFiles {
            certificate: directory.path().join("collector.pem"),
            key: directory.path().join("collector-key.pem"),
            ca: directory.path().join("ca.pem"),
        };
        let source = Source::Brought(files.clone());
        let absent = source.acceptor(NOW).map(drop).unwrap_err();
        assert!(absent.to_string().contains("ca.pem"), "{absent}");
        write(&files);
        assert!(source.acceptor(NOW).is_ok());
        let first = source.certificate(NOW).unwrap();
        let other = KeyPair::generate().unwrap().serialize_pem();
        fs::write(&files.key, other).unwrap(); // renewed by half
        assert!(matches!(source.certificate(NOW), Err(TlsError::Unfit(_))));
        write(&files);
        assert_ne!(source.certificate(NOW).unwrap().cert, first.cert);
    }

    #[test]
    fn the_authority_s_own_is_another_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::open_or_draw(directory.path(), NOW).unwrap());
        let source = |name: &str| Source::Own {
            authority: Arc::clone(&authority),
            names: vec![name.to_owned()],
        };
        let certificate = || source("192.0.2.1").certificate(NOW).unwrap().cert;
        assert_ne!(certificate(), certificate());
        assert!(source("ö").certificate(NOW).is_err());
    }
}
