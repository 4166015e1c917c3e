//! What partners' machines receive: alerts, each partner its own and nothing of another's.
//!
//! | module     | takes                        | gives                          | touches the world |
//! |------------|------------------------------|--------------------------------|-------------------|
//! | [`token`]  | a bearer token               | the partner that may read      | files, at start   |
//! | [`rate`]   | a request's time             | leave, or how long to wait     | no                |
//! | [`render`] | alerts                       | JSON lines                     | no                |
//! | [`stix`]   | alerts                       | STIX objects                   | no                |
//! | [`publish`] | alerts that changed         | objects that are published     | asks the store    |
//! | [`taxii`]  | a query, objects             | what is wanted, resources      | no                |
//! | [`desk`]   | what the routes share        | the store's answer, in time    | asks the store    |
//! | `guard`    | a request                    | its reader, or a refusal       | no                |
//! | [`routes`] | a request                    | an answer                      | asks the store    |
//! | [`serve`]  | connections                  | requests, a limited number     | yes               |
//!
//! # Promises
//! - A reader sees alerts whose partner it is, in the question to the store and again when they
//!   are rendered. Alerts for the centre alone have no partner and are never served.
//! - What belongs to somebody else answers exactly as what does not exist.
//! - Nothing is changed by reading, and a cursor read twice gives the same alerts or later states.

pub mod desk;
mod guard;
pub mod publish;
pub mod rate;
pub mod render;
pub mod routes;
pub mod serve;
pub mod stix;
pub mod taxii;
pub mod token;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use noroshi_store::registry::Registry;
use noroshi_store::store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Where to serve, and to whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address to listen on; loopback, because it speaks plain HTTP.
    pub listen: SocketAddr,
    /// Directory with one token file per partner (see [`token`]).
    pub tokens: PathBuf,
    /// How partners reach us, such as `https://ews.example`: what stands in front of every path
    /// that an answer names. `None`: the address we listen on.
    pub public_url: Option<String>,
    /// What the centre is called where it signs what it says.
    pub centre: String,
}

/// Why the feeds cannot be served: the operator changes the configuration.
#[derive(Debug, thiserror::Error)]
pub enum FeedsError {
    /// The token files.
    #[error(transparent)]
    Tokens(#[from] token::TokenError),
    /// The store, in a way that waiting does not cure.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    publisher: publish::Publisher,
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
        let here = format!("http://{address}");
        let public_url = settings.public_url.as_ref().unwrap_or(&here);
        let centre = settings.centre.clone();
        let publisher = publish::Publisher::new(store.clone(), registry, centre);
        Ok(Self {
            listener,
            address,
            desk: desk::Desk::new(store, tokens, public_url),
            publisher,
        })
    }

    /// Where it listens; says the port that was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves and publishes until `shutdown`, then lets answers under way finish.
    ///
    /// # Errors
    /// What keeps the publisher from going on; nothing is served any more then.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), FeedsError> {
        tracing::info!(address = %self.address, "feeds are served");
        let (stop, stopped) = watch::channel(());
        let ended = |mut stopped: watch::Receiver<()>| async move {
            while stopped.changed().await.is_ok() {} // until the sender is gone
        };
        let router = routes::router(self.desk);
        let mut serving = pin!(serve::serve(self.listener, router, ended(stopped.clone())));
        let mut publishing = pin!(self.publisher.run(ended(stopped)));
        tokio::select! {
            () = shutdown => {}
            () = serving.as_mut() => {}
            published = publishing.as_mut() => return Ok(published?),
        }
        drop(stop);
        let ((), published) = tokio::join!(serving, publishing);
        Ok(published?)
    }
}

/// Serves feeds until `shutdown`.
///
/// # Errors
/// What the operator has to change, before anything is served; and what keeps it from going on.
pub async fn run(
    settings: &Settings,
    store: Store,
    registry: Arc<Registry>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), FeedsError> {
    Feeds::open(settings, store, registry)
        .await?
        .run(shutdown)
        .await
}
