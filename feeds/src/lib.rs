//! What partners' machines receive: alerts, each partner its own and nothing of another's.
//!
//! | module     | takes                        | gives                          | touches the world |
//! |------------|------------------------------|--------------------------------|-------------------|
//! | [`token`]  | a bearer token               | the partner that may read      | files, at start   |
//! | [`rate`]   | a request's time             | leave, or how long to wait     | no                |
//! | [`render`] | alerts                       | JSON lines                     | no                |
//! | [`desk`]   | what the routes share        | the store's answer, in time    | asks the store    |
//! | `guard`    | a request                    | its reader, or a refusal       | no                |
//! | [`routes`] | a request                    | an answer                      | asks the store    |
//! | [`serve`]  | connections                  | requests, a limited number     | yes               |
//! | [`message`] | a change of a case          | what is said of it             | no                |
//! | [`plan`]   | what waits, and the time     | what to send now               | no                |
//! | [`retry`]  | how an attempt went          | when to try again              | no                |
//! | [`webhook`], [`mail`], [`syslog`], [`csv`] | a message | its bytes, and the way out | to send |
//! | [`outbound`] | a receiver's address       | a connection, if it is public  | yes               |
//! | [`channel`] | the registry                | where each partner is pushed to | files, at start  |
//! | [`deliver`] | changes of cases            | messages, delivered            | yes               |
//!
//! # Promises
//! - A reader sees alerts whose partner it is, in the question to the store and again when they
//!   are rendered. Alerts for the centre alone have no partner and are never served.
//! - What belongs to somebody else answers exactly as what does not exist.
//! - Nothing is changed by reading, and a cursor read twice gives the same alerts or later states.

pub mod channel;
pub mod csv;
pub mod deliver;
pub mod desk;
mod guard;
pub mod mail;
pub mod message;
pub mod outbound;
pub mod plan;
pub mod rate;
pub mod render;
pub mod retry;
pub mod routes;
pub mod serve;
pub mod syslog;
pub mod token;
pub mod webhook;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use noroshi_store::registry::Registry;
use noroshi_store::store::Store;
use tokio::net::TcpListener;

/// Where to serve, and to whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address to listen on; loopback, because it speaks plain HTTP.
    pub listen: SocketAddr,
    /// Directory with one token file per partner (see [`token`]).
    pub tokens: PathBuf,
}

/// Why the feeds cannot be served: the operator changes the configuration.
#[derive(Debug, thiserror::Error)]
pub enum FeedsError {
    /// The token files.
    #[error(transparent)]
    Tokens(#[from] token::TokenError),
    /// Tokens would cross a network in the clear.
    #[error(
        "feeds speak plain HTTP and carry tokens: listen on 127.0.0.1 or ::1 instead of {0}, and let \
         a proxy on this machine speak TLS"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// Feeds that have their port and their tokens, and are ready to serve.
pub struct Feeds {
    listener: TcpListener,
    address: SocketAddr,
    desk: desk::Desk,
}

impl Feeds {
    /// Reads the tokens and takes the port.
    ///
    /// # Errors
    /// What the operator has to change.
    pub async fn open(
        settings: &Settings,
        store: Store,
        registry: Arc<Registry>,
    ) -> Result<Self, FeedsError> {
        let address = settings.listen;
        if !address.ip().is_loopback() {
            return Err(FeedsError::NotLoopback(address));
        }
        let partners: Vec<_> = registry
            .partners()
            .iter()
            .map(|partner| partner.id.clone())
            .collect();
        let tokens = token::Tokens::load(&settings.tokens, &partners)?;
        for partner in &partners {
            if !tokens.partners().contains(&partner) {
                tracing::info!(
                    partner = partner.as_str(),
                    "partner has no token and reads no feed"
                );
            }
        }
        let listen = |source| FeedsError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self {
            listener,
            address,
            desk: desk::Desk::new(store, registry, tokens),
        })
    }

    /// Where it listens; says the port that was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then lets answers under way finish.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        tracing::info!(address = %self.address, "feeds are served");
        serve::serve(self.listener, routes::router(self.desk), shutdown).await;
    }
}

/// Serves feeds until `shutdown`.
///
/// # Errors
/// What the operator has to change, before anything is served.
pub async fn run(
    settings: &Settings,
    store: Store,
    registry: Arc<Registry>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), FeedsError> {
    Feeds::open(settings, store, registry)
        .await?
        .run(shutdown)
        .await;
    Ok(())
}
