//! What partners' machines receive: alerts, each partner its own and nothing of another's.
//!
//! | module           | takes                      | gives                          | touches the world |
//! |------------------|----------------------------|--------------------------------|-------------------|
//! | [`credential`]   | a token or a certificate   | the partner that may read      | files             |
//! | [`keyring`]      | a directory of credentials | those in force                 | files, each second|
//! | [`key`]          | a text                     | a signature, and its proof     | a file, at start  |
//! | [`rate`]         | a request's time           | leave, or how long to wait     | no                |
//! | [`seats`]        | a partner                  | a seat for a stream            | no                |
//! | [`rsit`]         | an alert                   | its class and type             | no                |
//! | [`render`]       | alerts                     | JSON lines                     | no                |
//! | [`intelmq`]      | alerts                     | IntelMQ's events               | no                |
//! | [`shadowserver`] | what was seen on a day     | CSV in Shadowserver's shape    | no                |
//! | [`misp`]         | what was seen on a day     | events of a MISP feed          | no                |
//! | [`cef`]          | an alert                   | a line of CEF                  | no                |
//! | [`stix`]         | alerts                     | STIX objects                   | no                |
//! | [`publish`]      | alerts that changed        | objects that are published     | asks the store    |
//! | [`taxii`]        | a query, objects           | what is wanted, resources      | no                |
//! | [`text`]         | a language                 | the words of mails and pages   | no                |
//! | [`links`]        | a step with a case         | a signed link, a page          | no                |
//! | [`steps`]        | what a partner says        | where its case stands          | asks the store    |
//! | [`report`]       | a partner's week           | a page that prints well        | asks the store    |
//! | [`drill`]        | a partner                  | an exercise in each format     | no                |
//! | [`message`]      | a change of a case         | what is said of it             | no                |
//! | [`plan`]         | what waits, and the time   | what to send now               | no                |
//! | [`retry`]        | how an attempt went        | when to try again              | no                |
//! | [`webhook`], [`mail`], [`syslog`] | a message | its bytes, and the way out | to send  |
//! | [`channel`]      | the registry               | where each partner is pushed to| files, at start   |
//! | [`deliver`]      | changes of cases           | messages, delivered            | yes               |
//! | [`desk`]         | what the routes share      | the store's answer, in time    | asks the store    |
//! | `guard`          | a request                  | its reader, or a refusal       | no                |
//! | [`answer`]       | an answer                  | the same with a tag, or a 304  | no                |
//! | [`routes`]       | a request                  | an answer                      | asks the store    |
//! | [`metrics`]      | what happened              | counts, as Prometheus reads    | no                |
//! | [`audit`]        | who read what              | rows                           | writes the store  |
//!
//! # Promises
//! - A reader sees alerts whose partner it is, in the question to the store and again when they
//!   are rendered. Alerts for the centre alone have no partner and are never served.
//! - What belongs to somebody else answers exactly as what does not exist.
//! - Nothing is changed by reading, and a cursor read twice gives the same alerts or later states.

pub mod answer;
pub mod audit;
pub mod cef;
pub mod channel;
pub mod clock;
pub mod credential;
mod day;
pub mod deliver;
pub mod desk;
pub mod drill;
mod guard;
mod hands;
pub mod intelmq;
mod kept;
pub mod key;
pub mod keyring;
pub mod links;
pub mod mail;
pub mod message;
pub mod metrics;
pub mod misp;
#[cfg(test)]
mod need_to_know;
pub mod plan;
pub mod publish;
pub mod rate;
mod reader;
pub mod render;
pub mod report;
pub mod retry;
pub mod routes;
pub mod rsit;
#[cfg(test)]
mod samples;
pub mod seats;
mod service;
pub mod shadowserver;
pub mod steps;
pub mod stix;
pub mod syslog;
pub mod taxii;
pub mod text;
pub mod webhook;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use noroshi_store::registry::Registry;
use noroshi_store::store::{Store, StoreError};
use noroshi_web::serve::{self, Limits, Server};
use noroshi_web::tls::{self, Clients, TlsFiles};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::key::Key;
use crate::keyring::Keyring;
use crate::mail::pgp::Signer;
use crate::metrics::Metrics;

/// How many partners' machines at a time; one address is one partner's network.
pub const LIMITS: Limits = Limits {
    connections: 16_384,
    connections_per_address: 128,
    header_bytes: 16 * 1024,
};
/// Whose a certificate is, its digest in the credentials says.
pub const CLIENTS: Clients = Clients::MayShow;

/// Where to serve, and to whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address to listen on; loopback where there is no TLS.
    pub listen: SocketAddr,
    /// Directory with one file of credentials per partner (see [`credential`]).
    pub credentials: PathBuf,
    /// The file of the feeds' own key; drawn at the first start.
    pub key: PathBuf,
    /// Certificate and key of the server; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// How partners reach the feeds, where a proxy stands before them.
    pub public_url: Option<String>,
    /// What the centre is called where it signs what it says.
    pub centre: String,
    /// The OpenPGP key that signs the daily reports; without it they are not signed.
    pub signing_key: Option<PathBuf>,
}

/// Why the feeds cannot be served: the operator changes the configuration.
#[derive(Debug, thiserror::Error)]
pub enum FeedsError {
    /// The credentials' files.
    #[error(transparent)]
    Credentials(#[from] credential::CredentialError),
    /// The feeds' own key.
    #[error(transparent)]
    Key(#[from] key::KeyError),
    /// The key that signs.
    #[error(transparent)]
    Pgp(#[from] mail::pgp::PgpError),
    /// The server's certificate.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The store, in a way that waiting does not cure.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Tokens would cross a network in the clear.
    #[error(
        "feeds without TLS carry tokens in the clear: listen on 127.0.0.1 or ::1 instead of {0}, or \
         set certificate and key under [feeds.tls]"
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

/// Feeds that have their port and their credentials, and are ready to serve.
pub struct Feeds {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    keyring: Arc<Keyring>,
    desk: desk::Desk,
    publisher: publish::Publisher,
    store: Store,
    metrics: Arc<Metrics>,
    accesses: mpsc::Receiver<noroshi_store::positions::Access>,
}

impl Feeds {
    /// Reads the credentials and takes the port.
    ///
    /// # Errors
    /// What the operator has to change.
    pub async fn open(
        settings: &Settings,
        store: Store,
        registry: Arc<Registry>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, FeedsError> {
        let address = settings.listen;
        if settings.tls.is_none() && !address.ip().is_loopback() {
            return Err(FeedsError::NotLoopback(address));
        }
        let acceptor = |files| tls::acceptor(files, CLIENTS);
        let acceptor = settings.tls.as_ref().map(acceptor).transpose()?;
        let keyring = Arc::new(open_keyring(settings, &registry)?);
        let key = Key::load_or_draw(&settings.key)?;
        let signer = settings.signing_key.as_deref().map(Signer::open);
        let signer = signer.transpose()?;
        let listen = |source| FeedsError::Listen { address, source };
        let listener = serve::listener(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (audit, accesses) = audit::Audit::new();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let own_url = || format!("{scheme}://{address}");
        let public_url = settings.public_url.clone().unwrap_or_else(own_url);
        let centre = settings.centre.clone();
        let publisher = publish::Publisher::new(store.clone(), Arc::clone(&registry), centre);
        let desk = desk::Desk::new(desk::Parts {
            store: store.clone(),
            registry,
            keyring: Arc::clone(&keyring),
            key,
            signer,
            public_url,
            audit,
            metrics: Arc::clone(&metrics),
        });
        Ok(Self {
            listener,
            address,
            acceptor,
            keyring,
            desk,
            publisher,
            store,
            metrics,
            accesses,
        })
    }

    /// Where it listens; says the port that was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves, publishes and sends until `shutdown`, then lets answers under way finish and writes
    /// down who got them.
    ///
    /// # Errors
    /// What keeps the publisher from going on; nothing is served any more then.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), FeedsError> {
        tracing::info!(address = %self.address, "feeds are served");
        let noting = tokio::spawn(audit::write(self.store, self.accesses));
        let (stop, stopped) = watch::channel(());
        let (keyring, ending) = (self.keyring, ended(stopped.clone()));
        let following = tokio::spawn(async move { keyring.follow(ending).await });
        let mut publishing = pin!(self.publisher.run(ended(stopped.clone())));
        let closing = self.desk.closing.clone();
        let router = routes::router(self.desk);
        let server = Server {
            listener: self.listener,
            acceptor: self.acceptor,
            router,
            limits: LIMITS,
            connections: Arc::clone(&self.metrics.connections),
        };
        let mut serving = pin!(server.run(ended(stopped)));
        let mut published = None;
        tokio::select! {
            () = shutdown => {}
            () = serving.as_mut() => {}
            early = publishing.as_mut() => published = Some(early),
        }
        closing.send_replace(true);
        drop(stop);
        let published = match published {
            Some(published) => {
                serving.await;
                published
            }
            None => tokio::join!(serving, publishing).1,
        };
        for task in [following, noting] {
            if let Err(broken) = task.await {
                tracing::error!(%broken, "a part of the feeds broke off");
            }
        }
        Ok(published?)
    }
}

/// Ends when the sender is gone.
async fn ended(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

fn open_keyring(settings: &Settings, registry: &Registry) -> Result<Keyring, FeedsError> {
    let partners = registry.partners().iter();
    let partners: Vec<_> = partners.map(|partner| partner.id.clone()).collect();
    let keyring = Keyring::open(settings.credentials.clone(), partners.clone())?;
    let credentials = keyring.current();
    for partner in &partners {
        if !credentials.partners().contains(&partner) {
            let partner = partner.as_str();
            tracing::info!(partner, "partner has no credential and reads no feed");
        }
    }
    Ok(keyring)
}

/// Serves feeds until `shutdown`.
///
/// # Errors
/// What the operator has to change, before anything is served; and what keeps it from going on.
pub async fn run(
    settings: &Settings,
    store: Store,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), FeedsError> {
    Feeds::open(settings, store, registry, metrics)
        .await?
        .run(shutdown)
        .await
}
