//! Connections to other servers: only to where such a server can stand.
//!
//! A partner's URL must not make us speak to our own machines (server-side request forgery). So the
//! name is resolved here, each address is judged, and the connection goes to the address that was
//! judged: what a name server says a moment later changes nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// How long one address may take to answer.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// Where connections may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Networks that are not public and yet allowed, by the operator.
    pub allow: Vec<IpNet>,
    /// Networks in which a server may be spoken to without TLS.
    pub in_the_clear: Vec<IpNet>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The partner, or the operator, mends the address.
    #[error(
        "{host} is {address}, which is {kind}: name a public address, or allow its network in allow_private"
    )]
    NotPublic {
        /// As it was named.
        host: String,
        /// What it stands for.
        address: IpAddr,
        /// What kind of address that is.
        kind: &'static str,
    },
    /// The partner mends the address.
    #[error("{host} at {address} would be reached in the clear: use TLS")]
    InTheClear {
        /// As it was named.
        host: String,
        /// What it stands for.
        address: IpAddr,
    },
    /// It is tried again.
    #[error("{host}: {source}")]
    Unreachable {
        /// As it was named.
        host: String,
        /// What happened.
        source: io::Error,
    },
}

/// A stream to a receiver.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to receivers.
#[derive(Clone)]
pub struct Outbound {
    guard: Guard,
    tls: TlsConnector,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// For servers that the operator's own configuration names: they may stand anywhere, but only
    /// those of this machine are spoken to without TLS.
    pub fn of_operator() -> Self {
        let everywhere = [(IpAddr::from([0; 4])), (IpAddr::from([0; 16]))];
        let here = [
            IpNet::new_assert(Ipv4Addr::LOCALHOST.into(), 8).trunc(),
            IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
        ];
        Self {
            allow: everywhere.map(|all| IpNet::new_assert(all, 0)).to_vec(),
            in_the_clear: here.to_vec(),
        }
    }

    /// Why no connection may go there; `None` where it may.
    pub fn objection(&self, address: IpAddr) -> Option<&'static str> {
        if self.allows(address) {
            return None;
        }
        match address {
            IpAddr::V4(address) => not_public(address),
            IpAddr::V6(address) => not_public_v6(address),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|net| net.contains(&address))
    }
}

/// What the address is, where it is not one of the public Internet (IANA's registry of special
/// addresses, RFC 6890).
fn not_public(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, d] = address.octets();
    match (a, b, c) {
        (127, ..) => Some("loopback"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("private"),
        (169, 254, _) => Some("link-local, where clouds keep their metadata"),
        (168, 63, 129) if d == 16 => Some("a cloud's metadata"),
        (0, ..) => Some("this host"),
        (100, 64..=127, _) => Some("shared by carriers"),
        (192, 0, 0) => Some("reserved for protocols"),
        (192, 88, 99) => Some("a 6to4 relay"),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("for documentation"),
        (198, 18..=19, _) => Some("for benchmarks"),
        (224..=239, ..) => Some("multicast"),
        (240.., ..) => Some("reserved"),
        _ => None,
    }
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        [0, 0, 0, 0, 0, 0xffff, ..] => Some("an IPv4 address in disguise"),
        [0xfc00..=0xfdff, ..] => Some("unique local"),
        [0xfe80..=0xfeff, ..] => Some("link-local or site-local"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("for documentation"),
        [0x2001, 0..=0x01ff, ..] => Some("reserved for protocols"),
        [0x2002, ..] => Some("an IPv4 address in disguise (6to4)"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("not of the public Internet"),
    }
}

impl Outbound {
    /// Trusts the system's certificate authorities, and those of `extra` (PEM).
    ///
    /// # Errors
    /// Where `extra` cannot be used.
    pub fn new(guard: Guard, extra: Option<&Path>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
        if let Some(path) = extra {
            for certificate in authorities(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            guard,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// A connection in TLS.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn secure(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, OutboundError> {
        let (stream, _) = self.connect(host, port).await?;
        let unreachable = |source| OutboundError::Unreachable {
            host: host.to_owned(),
            source,
        };
        let name = ServerName::try_from(bare(host).to_owned())
            .map_err(|error| unreachable(io::Error::other(error)))?;
        let stream = self.tls.connect(name, stream).await.map_err(unreachable)?;
        Ok(Box::new(stream))
    }

    /// A connection in the clear: only into networks that the operator allows by name.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn plain(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, OutboundError> {
        let (stream, address) = self.connect(host, port).await?;
        let clear = &self.guard.in_the_clear;
        if !clear.iter().any(|net| net.contains(&address)) {
            let host = host.to_owned();
            return Err(OutboundError::InTheClear { host, address });
        }
        Ok(Box::new(stream))
    }

    async fn connect(&self, host: &str, port: u16) -> Result<(TcpStream, IpAddr), OutboundError> {
        let unreachable = |source| OutboundError::Unreachable {
            host: host.to_owned(),
            source,
        };
        let found = tokio::time::timeout(CONNECT_WAIT, tokio::net::lookup_host((bare(host), port)));
        let found = found
            .await
            .map_err(|_| unreachable(io::Error::other("its name is not resolved in time")))?
            .map_err(unreachable)?;
        let mut last = unreachable(io::Error::other("its name has no address"));
        for address in found.take(ADDRESSES_MAX) {
            if let Some(kind) = self.guard.objection(address.ip()) {
                last = OutboundError::NotPublic {
                    host: host.to_owned(),
                    address: address.ip(),
                    kind,
                };
                continue;
            }
            match tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok((stream, address.ip())),
                Ok(Err(source)) => last = unreachable(source),
                Err(_) => last = unreachable(io::ErrorKind::TimedOut.into()),
            }
        }
        Err(last)
    }
}

/// The certificates of a file.
///
/// # Errors
/// What is wrong with it.
pub fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let file = path.display();
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("{file}: {error}"))?;
    if found.is_empty() {
        return Err(format!("{file}: there is no certificate in it (PEM)"));
    }
    Ok(found)
}

/// A host as it is resolved: an IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_spoken_to() {
        let guard = Guard::default();
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "168.63.129.16",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "3fff::1",
            "4000::1",
        ] {
            assert!(
                guard.objection(inside.parse().unwrap()).is_some(),
                "{inside}"
            );
        }
        for outside in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "168.63.129.17",
            "2606:4700::1",
            "2a00:1450::1",
        ] {
            assert_eq!(guard.objection(outside.parse().unwrap()), None, "{outside}");
        }
    }

    #[test]
    fn the_operator_may_allow_a_network_and_no_more() {
        let guard = Guard {
            allow: vec!["10.1.0.0/16".parse().unwrap()],
            ..Guard::default()
        };
        assert_eq!(guard.objection("10.1.2.3".parse().unwrap()), None);
        assert!(guard.objection("10.2.0.1".parse().unwrap()).is_some());
        assert!(
            guard
                .objection("::ffff:10.1.2.3".parse().unwrap())
                .is_some()
        );
    }

    #[tokio::test]
    async fn only_this_machine_is_spoken_to_in_the_clear_for_the_operator() {
        let outbound = Outbound::new(Guard::of_operator(), None).unwrap();
        let port = 9; // discard: whether somebody is there does not matter
        let here = outbound.plain("127.0.0.1", port).await;
        assert!(!matches!(here, Err(OutboundError::InTheClear { .. })));
        assert!(!matches!(here, Err(OutboundError::NotPublic { .. })));
    }
}
