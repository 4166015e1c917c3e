//! What people at the centre and at partners look at, and act on: pages made by the server.
//!
//! | module       | takes                     | gives                               | touches the world |
//! |--------------|---------------------------|-------------------------------------|-------------------|
//! | [`user`]     | a file, a password        | who somebody is                     | a file, at start  |
//! | [`provider`] | what a browser brings back | who somebody is elsewhere          | asks the provider |
//! | [`journey`]  | a secret                  | what binds a sign-in elsewhere      | no                |
//! | [`session`]  | an id that was given      | who is signed in                    | no                |
//! | [`attempts`] | a name and the time       | whether it may be tried once more   | no                |
//! | [`rights`]   | a role and a route        | whether it exists for that role     | no                |
//! | `sight`      | an alert and who asks     | how much of it is shown             | no                |
//! | `hand_over`  | notes of shifts           | what their digests say              | no                |
//! | [`text`]     | a language                | the words of pages                  | no                |
//! | `fields`     | a query or a form         | its fields                          | no                |
//! | `plot`       | counts over time          | SVG                                 | no                |
//! | `page`       | what a page says          | the whole of it                     | no                |
//! | [`identity`] | sensors                   | how they stand, and tokens          | as it was handed  |
//! | `desk`       | what all routes share     | sign-ins                            | asks the store    |
//! | `glance`     | until when                | what the region looks like          | asks the store    |
//! | `guard`      | a request                 | who asks, or the way to the sign-in | no                |
//! | `routes`     | a request                 | a page                              | asks the store    |
//! | [`metrics`]  | what happened             | counts, as Prometheus reads         | no                |
//!
//! # Promises
//! - Every page works without a script, and none loads anything from elsewhere.
//! - A partner's people see that partner's own. What is another's, or not for a role, answers as
//!   what does not exist.
//! - No single source of a partner is shown to people of the centre before they said what for, and
//!   each such view is in the audit, where that partner can read it.
//! - What a form does is asked for by a page of the same session, and by nothing else.

pub mod attempts;
mod clock;
mod desk;
mod fields;
mod glance;
mod guard;
mod hand_over;
pub mod identity;
pub mod journey;
pub mod metrics;
mod page;
mod plot;
pub mod provider;
pub mod rights;
mod routes;
pub mod session;
mod sight;
pub mod text;
pub mod user;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use noroshi_web::outbound::{Guard, Outbound};
use noroshi_web::serve::{self, Limits, Server};
use noroshi_web::tls::{self, Clients, TlsError, TlsFiles};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::desk::{Desk, Facts};
use crate::identity::Identities;
use crate::metrics::Metrics;
use crate::provider::Provider;
use crate::user::Users;

/// How many browsers at a time; one address may be a whole office.
pub const LIMITS: Limits = Limits {
    connections: 1_024,
    connections_per_address: 256,
    header_bytes: 32 * 1024,
};
/// People show passwords, not certificates.
pub const CLIENTS: Clients = Clients::Unasked;

/// Who takes the console's pages to the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nobody: a browser on this machine.
    Loopback,
    /// A proxy that speaks TLS with browsers.
    Proxy,
    /// The console itself, with TLS.
    Tls(TlsFiles),
}

/// Where to serve, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// How browsers come there.
    pub way: Way,
    /// How partners reach the feeds.
    pub feeds_url: String,
    /// The directory of identities, where it is beside the console.
    pub identities: Option<Arc<Identities>>,
    /// Where else people prove who they are.
    pub provider: Option<provider::Settings>,
    /// Authorities that are trusted beside the system's, where the console asks others (PEM).
    pub authorities: Option<PathBuf>,
    /// Where answers are counted.
    pub metrics: Arc<Metrics>,
}

/// Why there is no console: the operator changes the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// Passwords would cross a network in the clear.
    #[error(
        "a console without TLS carries passwords in the clear: listen on 127.0.0.1 or ::1 instead of \
         {0}, set certificate and key under [console.tls], or say behind_proxy = true"
    )]
    NotLoopback(SocketAddr),
    /// The server's certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What other servers are asked with.
    #[error("{0}")]
    Outbound(String),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// A console that has its port, and is ready to serve.
pub struct Console {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    desk: Desk,
    metrics: Arc<Metrics>,
    limits: Limits,
}

impl Console {
    /// Takes the port.
    ///
    /// # Errors
    /// What the operator has to change.
    pub async fn open(
        settings: &Settings,
        store: Store,
        registry: Arc<Registry>,
        users: Users,
    ) -> Result<Self, ConsoleError> {
        let address = settings.listen;
        if settings.way == Way::Loopback && !address.ip().is_loopback() {
            return Err(ConsoleError::NotLoopback(address));
        }
        let acceptor = match &settings.way {
            Way::Tls(files) => Some(tls::acceptor(files, CLIENTS)?),
            Way::Loopback | Way::Proxy => None,
        };
        let listen = |source| ConsoleError::Listen { address, source };
        let listener = serve::listener(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let is_secure = settings.way != Way::Loopback;
        let outbound = Outbound::new(Guard::of_operator(), settings.authorities.as_deref());
        let outbound = Arc::new(outbound.map_err(ConsoleError::Outbound)?);
        let provider = settings.provider.clone();
        let provider = provider.map(|provider| Provider::open(provider, Arc::clone(&outbound)));
        let facts = Facts {
            feeds_url: settings.feeds_url.clone(),
            is_secure,
            identities: settings.identities.clone(),
            provider: provider.transpose().map_err(ConsoleError::Outbound)?,
            outbound,
        };
        Ok(Self {
            listener,
            address,
            acceptor,
            desk: Desk::new(store, registry, users, facts),
            metrics: Arc::clone(&settings.metrics),
            limits: limits(&settings.way),
        })
    }

    /// Where it listens; says the port that was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then lets answers under way finish.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        tracing::info!(address = %self.address, "the console is served");
        let server = Server {
            listener: self.listener,
            acceptor: self.acceptor,
            router: routes::router(Arc::new(self.desk), Arc::clone(&self.metrics.answers)),
            limits: self.limits,
            connections: Arc::clone(&self.metrics.connections),
        };
        server.run(shutdown).await;
    }
}

/// Behind a proxy all browsers come from one address.
fn limits(way: &Way) -> Limits {
    let mut limits = LIMITS;
    if *way == Way::Proxy {
        limits.connections_per_address = limits.connections;
    }
    limits
}
