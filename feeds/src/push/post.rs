//! One request to a partner's machine: to an address that was looked at first, and no other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::address::may_be_called;
use super::retry::Outcome;

/// From looking the name up to the head of the answer (Standard Webhooks: 15 to 30 seconds).
pub const ANSWER_WAIT: Duration = Duration::from_secs(15);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Calls partners' machines.
#[derive(Clone)]
pub struct Poster {
    allowed: Arc<[IpNet]>,
    tls: Arc<ClientConfig>,
}

impl Poster {
    /// Trusts the certificates that this system trusts; calls public addresses, and `allowed`.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in found.errors {
            tracing::warn!(%error, "a certificate that this system trusts cannot be used");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider speaks the versions it names")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            allowed: allowed.into(),
            tls: Arc::new(tls),
        }
    }

    /// Sends a body of JSON with these headers, once.
    pub async fn post(&self, url: &Uri, headers: &[(&str, String)], body: Bytes) -> Outcome {
        match tokio::time::timeout(ANSWER_WAIT, self.try_post(url, headers, body)).await {
            Ok(Ok(answer)) => judge(&answer),
            Ok(Err(error)) => Outcome::Later(error.to_string(), None),
            Err(_) => Outcome::Later(format!("no answer within {ANSWER_WAIT:?}"), None),
        }
    }

    async fn try_post<'a>(
        &self,
        url: &Uri,
        headers: &[(&str, String)],
        body: Bytes,
    ) -> io::Result<Response<hyper::body::Incoming>> {
        let host = url
            .host()
            .ok_or_else(|| io::Error::other("the url names no host"))?;
        let is_secret = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_secret { 443 } else { 80 });
        let target = url.path_and_query().map_or("/", |target| target.as_str());
        let authority = url.authority().map_or(host, |authority| authority.as_str());
        let mut request = Request::post(target)
            .header(HOST, authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("noroshi/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body)).map_err(io::Error::other)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = self.connect(bare, port, is_secret).await?;
        if !is_secret {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        exchange(connector.connect(name, stream).await?, request).await
    }

    /// Connects to an address that was looked at: the name is not asked again, which could answer
    /// otherwise the second time.
    async fn connect(&self, host: &str, port: u16, is_secret: bool) -> io::Result<TcpStream> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        let mut refused = io::Error::other(format!("{host} has no address"));
        for address in found.into_iter().take(ADDRESSES_MAX) {
            let ip = address.ip().to_canonical();
            let is_own = self.allowed.iter().any(|network| network.contains(&ip));
            if !may_be_called(ip, &self.allowed) {
                refused = io::Error::other(format!("{host} leads to {ip}, which is not public"));
                continue;
            }
            if !is_secret && !is_own {
                refused = io::Error::other("public addresses are called with https:// alone");
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> io::Result<Response<hyper::body::Incoming>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let mut sending = std::pin::pin!(sender.send_request(request));
    let mut connection = std::pin::pin!(connection);
    // The answer's body is nobody's concern: the connection ends with its head.
    tokio::select! {
        answer = &mut sending => answer.map_err(io::Error::other),
        ended = &mut connection => match ended {
            Ok(()) => sending.await.map_err(io::Error::other),
            Err(error) => Err(io::Error::other(error)),
        },
    }
}

/// 2xx is taken; 410 means never again; anything else, a redirection too, is a failure.
fn judge<T>(answer: &Response<T>) -> Outcome {
    let status = answer.status();
    if status.is_success() {
        return Outcome::Taken;
    }
    if status == StatusCode::GONE {
        return Outcome::Gone("410 Gone: the receiver wants no more".to_owned());
    }
    let asked = answer.headers().get(RETRY_AFTER);
    let asked = asked.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Outcome::Later(format!("answered {status}"), asked.map(Duration::from_secs))
}
