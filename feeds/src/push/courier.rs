//! Carries the messages of one feed to one receiver, one after another.

use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper::body::Bytes;
use noroshi_proto::time::Millis;
use noroshi_store::changes::Shown;
use noroshi_store::deliveries::{Delivery, Progress};
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::partner::Payload;
use noroshi_store::store::{Store, StoreError};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::plan;
use super::post::Poster;
use super::retry::{self, Outcome};
use crate::clock;
use crate::webhook::{self, Secrets};

/// Messages that are looked up together.
const TOGETHER_MAX: u32 = 50;
/// How long after a digest was due it is made: what was planned just before is seen by then.
const SETTLE_MS: u64 = 5_000;
/// Shortest pause.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// Alerts in one digest; what is beyond comes in the next.
const DIGEST_MAX: u32 = 10_000;
/// Longest pause: somebody else may have planned something, or asked for it again.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Pause while the store does not answer.
const AGAIN: Duration = Duration::from_secs(5);

/// What one webhook is told with.
pub struct Courier {
    /// Where messages and cases are.
    pub store: Store,
    /// Whose machine it is.
    pub partner: PartnerId,
    /// The feed's name, such as `webhook:soc`.
    pub feed: String,
    /// Where it listens.
    pub url: Uri,
    /// What it knows us by.
    pub secrets: Secrets,
    /// How much it is told.
    pub payload: Payload,
    /// How partners reach the feeds.
    pub public_url: String,
    /// Who calls.
    pub poster: Poster,
    /// Wakes it when something was planned.
    pub planned: Arc<Notify>,
}

impl Courier {
    /// Carries until `stopped`'s sender is gone. What was not taken by then waits in the store.
    pub async fn run(self, mut stopped: watch::Receiver<()>) {
        loop {
            let pause = match self.round().await {
                Ok(next) => until(next, clock::now()),
                Err(error) => {
                    tracing::warn!(feed = self.feed, %error, "messages wait for the store");
                    AGAIN
                }
            };
            tokio::select! {
                _ = stopped.changed() => return,
                () = self.planned.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due; tells when the next is.
    async fn round(&self) -> Result<Option<Millis>, StoreError> {
        let own = (&self.partner, self.feed.as_str());
        self.fold().await?;
        let due = (Millis(0), clock::now());
        let due = self
            .store
            .deliveries(own, Progress::Waiting, due, TOGETHER_MAX);
        for message in due.await? {
            let outcome = self.send_one(&message).await?;
            if let Outcome::Later(why, _) | Outcome::Gone(why) = &outcome {
                let partner = self.partner.as_str();
                tracing::warn!(partner, feed = self.feed, why, "not delivered");
            }
            let after = retry::after(message, outcome, clock::now());
            self.keep(&[after]).await?;
        }
        self.store.next_delivery(&self.partner, &self.feed).await
    }

    /// Makes one message of those whose digest is due: it first, so that none is without it.
    async fn fold(&self) -> Result<(), StoreError> {
        let own = (&self.partner, self.feed.as_str());
        let settled = Millis(clock::now().0.saturating_sub(SETTLE_MS));
        let due = (Millis(0), settled);
        let due = self
            .store
            .deliveries(own, Progress::Digest, due, DIGEST_MAX);
        for together in due.await?.chunk_by(|a, b| a.next_at == b.next_at) {
            let digest = plan::digest(&self.partner, &self.feed, together[0].next_at);
            self.keep(&[digest]).await?;
            let mut folded = together.to_vec();
            for message in &mut folded {
                message.progress = Progress::Folded;
                message.attempt += 1;
            }
            self.keep(&folded).await?;
        }
        Ok(())
    }

    async fn keep(&self, deliveries: &[Delivery]) -> Result<(), StoreError> {
        let kept = self
            .store
            .keep_deliveries(&self.partner, &self.feed, deliveries);
        kept.await
    }

    async fn send_one(&self, message: &Delivery) -> Result<Outcome, StoreError> {
        if message.what == plan::DIGEST {
            return self.send_digest(message).await;
        }
        let Some(shown) = self.own(message.case).await? else {
            return Ok(Outcome::Gone("the case is gone".to_owned()));
        };
        let body = webhook::body(
            &message.what,
            &shown,
            self.payload,
            &self.public_url,
            message.planned_at,
        );
        Ok(self.send(message.id, &body).await)
    }

    async fn send_digest(&self, digest: &Delivery) -> Result<Outcome, StoreError> {
        let own = (&self.partner, self.feed.as_str());
        let due = (digest.planned_at, digest.planned_at);
        let folded = self
            .store
            .deliveries(own, Progress::Folded, due, DIGEST_MAX);
        let mut shown = Vec::new();
        for message in folded.await? {
            shown.extend(self.own(message.case).await?);
        }
        let body = webhook::digest(&shown, &self.public_url, digest.planned_at);
        Ok(self.send(digest.id, &body).await)
    }

    /// The case as it stands, where it is the receiver's.
    async fn own(&self, case: Uuid) -> Result<Option<Shown>, StoreError> {
        let shown = self.store.shown(case).await?;
        Ok(shown.filter(|one| one.alert.partner.as_deref() == Some(self.partner.as_str())))
    }

    async fn send(&self, id: Uuid, body: &serde_json::Value) -> Outcome {
        let body = Bytes::from(body.to_string());
        let seconds = clock::now().0 / 1_000;
        let headers = [
            ("webhook-id", id.to_string()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", self.secrets.sign(id, seconds, &body)),
        ];
        self.poster.post(&self.url, &headers, body).await
    }
}

fn until(next: Option<Millis>, now: Millis) -> Duration {
    let next = next.map(|next| Duration::from_millis(next.0.saturating_sub(now.0)));
    next.unwrap_or(LOOK_EVERY).clamp(PAUSE_MIN, LOOK_EVERY)
}
