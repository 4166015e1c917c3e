//! Plans messages as cases change, and keeps a courier for each feed.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use ipnet::IpNet;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::changes::Shown;
use noroshi_store::deliveries::Delivery;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::registry::partner::{Partner, Webhook};
use noroshi_store::store::{Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::courier::Courier;
use super::plan::{Recent, message};
use super::post::Poster;
use crate::clock;
use crate::webhook::{SecretError, Secrets};

/// The place of the planner among the store's readers.
const CURSOR: &str = "push";
/// How often changes are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause while the store does not answer.
const AGAIN: Duration = Duration::from_secs(5);
/// Changes that are looked up together.
const TOGETHER_MAX: u32 = 500;
/// How often the operator hears of feeds that do not take what is sent.
const TELL_EVERY: Duration = Duration::from_secs(1_800);
/// Attempts after which a feed is in trouble: about half an hour.
const TROUBLED_AFTER: u32 = 3;

/// Why nothing can be pushed: the operator changes the registry or a file it names.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// A file of secrets.
    #[error("{feed} of {partner}: cannot read {path}: {source}")]
    Unreadable {
        /// Whose.
        partner: PartnerId,
        /// Which.
        feed: String,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What it says.
    #[error("{path}: {source}")]
    Secret {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: SecretError,
    },
    /// Where it leads.
    #[error("{feed} of {partner}: {url} is no url")]
    Url {
        /// Whose.
        partner: PartnerId,
        /// Which.
        feed: String,
        /// As written.
        url: String,
    },
}

/// What pushing needs beside the store and the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The registry's directory: the files it names are relative to it.
    pub base: PathBuf,
    /// Networks that may be called though they are not public.
    pub allowed: Vec<IpNet>,
}

/// Every feed that is pushed to, ready.
pub struct Push {
    store: Store,
    couriers: Vec<Courier>,
}

impl Push {
    /// Reads what the registry's webhooks name.
    ///
    /// # Errors
    /// With the webhook and file at fault.
    pub fn open(
        settings: &Settings,
        store: &Store,
        registry: &Registry,
        public_url: &str,
    ) -> Result<Self, PushError> {
        let poster = Poster::new(settings.allowed.clone());
        let mut couriers = Vec::new();
        for partner in registry.partners() {
            let secrets = secrets(partner, settings)?;
            for (webhook, secrets) in partner.webhooks.iter().zip(secrets) {
                let feed = feed(webhook);
                let url: Uri = webhook.url.parse().map_err(|_| PushError::Url {
                    partner: partner.id.clone(),
                    feed: feed.clone(),
                    url: webhook.url.clone(),
                })?;
                couriers.push(Courier {
                    store: store.clone(),
                    partner: partner.id.clone(),
                    feed,
                    url,
                    secrets,
                    payload: webhook.payload,
                    public_url: public_url.to_owned(),
                    poster: poster.clone(),
                    planned: Arc::new(Notify::new()),
                });
            }
        }
        Ok(Self {
            store: store.clone(),
            couriers,
        })
    }

    /// Plans and carries until `stopped`'s sender is gone.
    pub async fn run(self, mut stopped: watch::Receiver<()>) {
        if self.couriers.is_empty() {
            return;
        }
        let mut planner = Planner {
            store: self.store,
            feeds: Vec::new(),
        };
        let mut carrying = JoinSet::new();
        for courier in self.couriers {
            planner.feeds.push(Feed {
                partner: courier.partner.clone(),
                name: courier.feed.clone(),
                recent: Recent::default(),
                planned: Arc::clone(&courier.planned),
            });
            carrying.spawn(courier.run(stopped.clone()));
        }
        tokio::select! {
            _ = stopped.changed() => {}
            () = planner.run() => {}
        }
        while carrying.join_next().await.is_some() {}
    }
}

fn feed(webhook: &Webhook) -> String {
    format!("webhook:{}", webhook.name)
}

/// The secrets of a partner's webhooks, in their order.
///
/// # Errors
/// With the file at fault.
pub fn secrets(partner: &Partner, settings: &Settings) -> Result<Vec<Secrets>, PushError> {
    let secrets = partner.webhooks.iter().map(|webhook| {
        let path = settings.base.join(&webhook.secret_file);
        let text = std::fs::read_to_string(&path).map_err(|source| PushError::Unreadable {
            partner: partner.id.clone(),
            feed: feed(webhook),
            path: path.clone(),
            source,
        })?;
        Secrets::parse(&text).map_err(|source| PushError::Secret { path, source })
    });
    secrets.collect()
}

/// A feed as the planner sees it.
struct Feed {
    partner: PartnerId,
    name: String,
    recent: Recent,
    planned: Arc<Notify>,
}

struct Planner {
    store: Store,
    feeds: Vec<Feed>,
}

impl Planner {
    async fn run(mut self) {
        let mut told = tokio::time::interval(TELL_EVERY);
        loop {
            let pause = match self.round().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(%error, "changes wait for the store");
                    AGAIN
                }
            };
            tokio::select! {
                _ = told.tick() => self.tell_troubles().await,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Plans what has changed since the last round; tells how long to wait for the next.
    async fn round(&mut self) -> Result<Duration, StoreError> {
        let since = match self.store.feed_cursor(CURSOR).await? {
            Some(cursor) => cursor,
            // What was before the first start is read by feeds, not pushed.
            None => ChangeCursor::at(clock::now()),
        };
        let changes = self.store.changes(since, TOGETHER_MAX).await?;
        let mut planned: HashMap<usize, Vec<Delivery>> = HashMap::new();
        for (cursor, shown) in &changes {
            for (place, message) in self.messages(cursor, shown) {
                planned.entry(place).or_default().push(message);
            }
        }
        for (place, messages) in planned {
            let feed = &self.feeds[place];
            self.store
                .keep_deliveries(&feed.partner, &feed.name, &messages)
                .await?;
            feed.planned.notify_one();
        }
        let last = changes.last().map_or(since, |(cursor, _)| *cursor);
        self.store.set_feed_cursor(CURSOR, last).await?;
        let is_full = changes.len() == TOGETHER_MAX as usize;
        Ok(if is_full { Duration::ZERO } else { LOOK_EVERY })
    }

    fn messages(&mut self, cursor: &ChangeCursor, shown: &Shown) -> Vec<(usize, Delivery)> {
        let Some(partner) = shown.alert.partner.as_deref() else {
            return Vec::new();
        };
        let (at, now) = (cursor.recorded_at(), clock::now());
        let own = self.feeds.iter_mut().enumerate();
        let own = own.filter(|(_, feed)| feed.partner.as_str() == partner);
        own.filter_map(|(place, feed)| {
            let own = (&feed.partner, feed.name.as_str());
            let message = message(own, shown, at, now, &mut feed.recent);
            Some((place, message?))
        })
        .collect()
    }

    async fn tell_troubles(&self) {
        let since = noroshi_proto::time::Millis(clock::now().0.saturating_sub(86_400_000));
        match self.store.troubled_feeds(TROUBLED_AFTER, since).await {
            Ok(troubled) => {
                for feed in troubled {
                    tracing::error!(
                        partner = feed.partner,
                        feed = feed.feed,
                        waiting = feed.waiting,
                        failed = feed.failed,
                        since = %feed.since(),
                        why = feed.error,
                        "a partner cannot be reached"
                    );
                }
            }
            Err(error) => tracing::warn!(%error, "the store does not say which feeds fail"),
        }
    }
}
