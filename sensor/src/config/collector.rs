//! Where batches go.

use std::fmt;
use std::net::IpAddr;

use tonic::transport::Uri;

/// The collector's address, as a URL: `http://127.0.0.1:7614`.
///
/// Without TLS only loopback is accepted: batches name sources, and nobody between sensor and
/// centre may read or change them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector(Uri);

impl Collector {
    /// Parses and checks a URL.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "write one like http://127.0.0.1:7614";
        let url: Uri = text
            .parse()
            .map_err(|_| format!("collector `{text}` is no URL: {EXAMPLE}"))?;
        let (Some(host), Some(_)) = (url.host(), url.port_u16()) else {
            return Err(format!(
                "collector `{text}` lacks a host or a port: {EXAMPLE}"
            ));
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(format!("collector `{text}` has a path: {EXAMPLE}"));
        }
        match url.scheme_str() {
            Some("http") if is_loopback(host) => Ok(Self(url)),
            Some("http") => Err(format!(
                "collector `{text}` is not on this machine, and http:// is not encrypted: bring \
                 the collector's port here through a tunnel (ssh -L, WireGuard), and {EXAMPLE}"
            )),
            Some("https") => Err(format!(
                "collector `{text}`: this version speaks no TLS: bring the collector's port here \
                 through a tunnel (ssh -L, WireGuard), and {EXAMPLE}"
            )),
            _ => Err(format!("collector `{text}` is no http:// URL: {EXAMPLE}")),
        }
    }

    /// As a URI.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
