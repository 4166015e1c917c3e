//! Where batches go.

use std::fmt;
use std::net::IpAddr;

use tonic::transport::Uri;

use crate::identity::IdentityFiles;

/// The collector's address, as a URL: `https://centre.example:7614`, or `http://127.0.0.1:7614`.
///
/// Without TLS only loopback is accepted: batches name sources, and nobody between sensor and
/// centre may read or change them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    url: Uri,
    way: Way,
}

/// How it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the clear, on this machine.
    Plain,
    /// Encrypted; these files say who the sensor is.
    Tls(IdentityFiles),
}

const EXAMPLE: &str = "write one like https://centre.example:7614";

impl Collector {
    /// Parses and checks a URL on this machine.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = url(text)?;
        if url.scheme_str() == Some("https") {
            return Err(format!(
                "collector `{text}` asks who the sensor is: name the sensor's configuration \
                 (--config), or write one like http://127.0.0.1:7614"
            ));
        }
        let way = Way::Plain;
        Ok(Self { url, way })
    }

    /// Parses and checks a URL; where it is https, these files say who the sensor is.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn with_identity(text: &str, identity: &IdentityFiles) -> Result<Self, String> {
        let url = url(text)?;
        let way = match url.scheme_str() {
            Some("https") => Way::Tls(identity.clone()),
            _ => Way::Plain,
        };
        Ok(Self { url, way })
    }

    /// As a URI.
    pub fn uri(&self) -> &Uri {
        &self.url
    }

    /// How it is reached.
    pub fn way(&self) -> &Way {
        &self.way
    }
}

/// A URL as it was written, once it is one; whether the collector asks who the sensor is, is not
/// known yet.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn written(text: &str) -> Result<String, String> {
    url(text).map(|_| text.to_owned())
}

fn url(text: &str) -> Result<Uri, String> {
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
        Some("https") => Ok(url),
        Some("http") if is_loopback(host) => Ok(url),
        Some("http") => Err(format!(
            "collector `{text}` is not on this machine, and http:// is not encrypted: {EXAMPLE}"
        )),
        _ => Err(format!("collector `{text}` is no https:// URL: {EXAMPLE}")),
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
