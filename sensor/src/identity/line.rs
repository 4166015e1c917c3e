//! Connections to the collector: encrypted, with certificates on both sides, or on loopback.

use std::io;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use noroshi_proto::limits::HTTP2_WINDOW_BYTES;
use noroshi_proto::token::Fingerprint;
use sha2::{Digest, Sha256};
use tokio::io::AsyncBufReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tonic::codegen::http::uri::Scheme;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use super::dial::{dial, host};
use super::{Identity, IdentityError, IdentityFiles};
use crate::config::collector::{Collector, Way};
use crate::ship::{CONNECT_TIMEOUT, KEEP_ALIVE};

/// Why there is no connection. The text is for a log; all of it may be over later.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Nothing is shown, so nothing is tried.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Key and certificates do not fit.
    #[error("the sensor's key and certificate cannot be used: {0}")]
    Unfit(#[from] rustls::Error),
    /// Nobody answers, or somebody else does.
    #[error("{0}")]
    Connection(String),
}

/// Connects, showing who the sensor is wherever that is not this machine.
///
/// # Errors
/// See [`LineError`].
pub async fn connect(collector: &Collector) -> Result<Channel, LineError> {
    match collector.way() {
        Way::Plain => {
            let connector =
                service_fn(|uri: Uri| async move { dial(&uri).await.map(TokioIo::new) });
            let endpoint = endpoint(collector.uri());
            let channel = endpoint.connect_with_connector(connector).await;
            channel.map_err(|error| LineError::Connection(told(&error)))
        }
        Way::Tls(files) => by_tls(collector.uri(), client(files)?).await,
    }
}

/// Connects to a collector that is known by its authority's fingerprint alone, as nobody.
///
/// # Errors
/// See [`LineError`].
pub(super) async fn connect_first(
    collector: &Uri,
    authority: Fingerprint,
) -> Result<Channel, LineError> {
    let provider = provider();
    let verifier = OfAuthority {
        authority,
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    by_tls(collector, config).await
}

fn client(files: &IdentityFiles) -> Result<ClientConfig, LineError> {
    let identity = Identity::load(files)?;
    let mut roots = RootCertStore::empty();
    for authority in identity.authorities {
        roots.add(authority)?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(identity.chain, identity.key)?;
    Ok(config)
}

fn endpoint(collector: &Uri) -> Endpoint {
    Endpoint::from(collector.clone())
        .connect_timeout(CONNECT_TIMEOUT)
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
}

async fn by_tls(collector: &Uri, mut config: ClientConfig) -> Result<Channel, LineError> {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = rustls::client::Resumption::disabled(); // certificates change meanwhile
    let (config, there) = (Arc::new(config), collector.clone());
    let connector = service_fn(move |_: Uri| {
        let (config, there) = (Arc::clone(&config), there.clone());
        async move { shake_hands(&there, config).await.map(TokioIo::new) }
    });
    let endpoint = endpoint(&without_tls(collector)).origin(collector.clone());
    let channel = endpoint.connect_with_connector(connector).await;
    channel.map_err(|error| LineError::Connection(told(&error)))
}

/// The same as tonic is told it: `https` it takes for an order to speak TLS once more, where some
/// crate of the program has switched its own on.
fn without_tls(collector: &Uri) -> Uri {
    let mut parts = collector.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts).unwrap_or_else(|_| collector.clone()) // another scheme breaks nothing
}

async fn shake_hands(
    uri: &Uri,
    config: Arc<ClientConfig>,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let host = host(uri);
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = dial(uri).await?;
    let connected = TlsConnector::from(config).connect(name, stream).await;
    let mut stream = connected.map_err(|error| explained(&error, host))?;
    // The collector judges the sensor's certificate after this side's handshake has ended, and
    // speaks first once it is content: its verdict is waited for here, where it is understood.
    let heard = stream.fill_buf().await;
    heard.map_err(|error| explained(&error, host))?;
    Ok(stream)
}

/// What to do about it, where that is known.
fn explained(error: &io::Error, host: &str) -> io::Error {
    let cause = error.get_ref();
    let cause = cause.and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let remedy = match cause {
        Some(rustls::Error::InvalidMessage(_)) => {
            "it does not speak TLS on this port: the centre's configuration needs [collector.tls]"
                .to_owned()
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "its certificate is of another authority than this sensor was enrolled with: is it \
             the right collector?"
                .to_owned()
        }
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("its certificate is not for {host}: add it to [collector.tls] names"),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        )) => "its certificate is not valid now: is this machine's clock right (NTP)?".to_owned(),
        Some(rustls::Error::AlertReceived(_)) => {
            "it does not take this sensor's certificate: where that has expired, or is of another \
             authority, enrol the sensor again"
                .to_owned()
        }
        _ => return io::Error::other(error.to_string()),
    };
    io::Error::other(format!("{remedy} ({error})"))
}

/// What a collector said instead of an answer, or what happened to the question.
pub fn verdict(status: &tonic::Status) -> String {
    let text = match status.message() {
        "" => status.code().to_string(),
        text => text.to_owned(),
    };
    with_causes(text, status)
}

/// What may be wrong where a connection is made and then ended without an answer: TLS has no word
/// for those who speak plain text to it.
pub fn hint(collector: &Collector) -> &'static str {
    match collector.way() {
        Way::Plain => ": if the collector has [collector.tls], write https://",
        Way::Tls(_) => "",
    }
}

/// An error with what caused it: tonic's own texts stop at "transport error".
fn told(error: &dyn std::error::Error) -> String {
    with_causes(error.to_string(), error)
}

fn with_causes(mut text: String, error: &dyn std::error::Error) -> String {
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Takes a server whose chain holds one authority, and no other.
#[derive(Debug)]
struct OfAuthority {
    authority: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OfAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let named = intermediates
            .iter()
            .find(|certificate| Fingerprint(Sha256::digest(certificate).into()) == self.authority);
        let named = named.ok_or(CertificateError::UnknownIssuer)?;
        let mut roots = RootCertStore::empty();
        roots.add(named.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&self.provider),
        )
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
