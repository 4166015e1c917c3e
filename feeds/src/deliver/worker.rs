//! One channel's work: takes changes in, and does what is planned.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::deliveries::{Delivery, DeliveryState};
use noroshi_store::origin::PartnerId;
use noroshi_store::store::{Store, StoreError};
use tokio::sync::watch;
use tracing::{Instrument as _, field, trace_span};
use uuid::Uuid;

use super::notices::Beats;
use super::{CHANGES_MAX, now};
use crate::channel::{Channel, MAIL, Source};
use crate::message::{Event, Message};
use crate::metrics::{Metrics, Queued};
use crate::plan::{self, Action, Queue, RELEASED_FOR};
use crate::retry::Outcome;

/// How often a channel looks whether something has become due.
const TICK: Duration = Duration::from_secs(1);
/// How often it reads its queue again: somebody may have had a message sent again.
const RELOAD_MILLIS: u64 = 60_000;
/// How often it looks for what nobody answered.
const UNANSWERED_MILLIS: u64 = 15_000;
/// How far back what was told is looked for an answer.
const ANSWERS_MILLIS: u64 = 86_400_000;
/// Messages that wait at once: beyond, changes wait in the store.
const QUEUE_MAX: usize = 2_000;
/// Cases that are looked for an answer at once.
const UNANSWERED_MAX: u32 = 1_000;
/// From this attempt on the operator's log calls it an error: five minutes and more.
const ATTEMPTS_TOLERATED: u32 = 3;

pub(super) struct Worker {
    pub(super) store: Store,
    pub(super) channel: Arc<Channel>,
    bell: watch::Receiver<()>,
    metrics: Arc<Metrics>,
    queued: Queued,
    /// Read at the start, and again from time to time.
    pub(super) queue: Option<Queue>,
    reloaded: Millis,
    cursor: Option<ChangeCursor>,
    /// Whether there may be changes that were not taken in.
    behind: bool,
    looked: Millis,
    pub(super) beats: Beats,
    /// How an attempt went, where the store did not take it.
    unsaved: Vec<Delivery>,
}

impl Worker {
    pub(super) fn new(
        store: Store,
        channel: Arc<Channel>,
        bell: watch::Receiver<()>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            queued: metrics.queue(channel.way()),
            store,
            channel,
            bell,
            metrics,
            queue: None,
            reloaded: Millis(0),
            cursor: None,
            behind: true,
            looked: Millis(0),
            beats: Beats::default(),
            unsaved: Vec::new(),
        }
    }

    /// Works until it is aborted, or nobody rings any more.
    pub(super) async fn run(mut self) {
        loop {
            if let Err(error) = self.step().await {
                let (partner, channel) = self.names();
                tracing::warn!(partner, channel, %error, "the store did not answer a channel");
            }
            self.tell_queue();
            match tokio::time::timeout(TICK, self.bell.changed()).await {
                Ok(Ok(())) => self.behind = true,
                Ok(Err(_)) => return,
                Err(_) => {}
            }
        }
    }

    fn tell_queue(&self) {
        if let Some(queue) = &self.queue {
            self.queued.tell(&queue.open);
        }
    }

    fn names(&self) -> (&str, &str) {
        let profile = &self.channel.profile;
        (profile.partner.as_str(), &profile.channel)
    }

    async fn step(&mut self) -> Result<(), StoreError> {
        while self.bell.has_changed().is_ok() {
            self.save().await?;
            self.load(now()).await?;
            self.take_in(now()).await?;
            self.notices(now()).await?;
            let Some(queue) = &mut self.queue else {
                return Ok(());
            };
            match self.channel.profile.next(queue, now()) {
                None => return Ok(()),
                Some(Action::Record(kept)) => self.plan(&kept).await?,
                Some(Action::Try(id)) => self.attempt(id).await,
            }
        }
        self.save().await
    }

    /// Keeps how an attempt went before anything else is done.
    async fn save(&mut self) -> Result<(), StoreError> {
        self.store.record_deliveries(&self.unsaved).await?;
        self.unsaved.clear();
        Ok(())
    }

    async fn load(&mut self, at: Millis) -> Result<(), StoreError> {
        if self.queue.is_some() && at.0 < self.reloaded.0 + RELOAD_MILLIS {
            return Ok(());
        }
        let (partner, channel) = (&self.channel.profile.partner, &self.channel.profile.channel);
        let since = Millis(at.0.saturating_sub(RELEASED_FOR.as_millis() as u64));
        let mut queue = Queue {
            open: Vec::new(),
            released: self.store.released(partner, channel, since).await?,
        };
        let open = self
            .store
            .open_deliveries(partner, channel, QUEUE_MAX as u32);
        queue.take(&open.await?);
        self.queue = Some(queue);
        self.reloaded = at;
        self.behind = true;
        Ok(())
    }

    async fn take_in(&mut self, at: Millis) -> Result<(), StoreError> {
        let full = self
            .queue
            .as_ref()
            .is_none_or(|queue| queue.open.len() >= QUEUE_MAX);
        match self.channel.source {
            Source::Changes if self.behind && !full => self.changes(at).await,
            Source::Unanswered(after) if !full && at.0 >= self.looked.0 + UNANSWERED_MILLIS => {
                self.looked = at;
                self.unanswered(after, at).await
            }
            _ => Ok(()),
        }
    }

    /// Plans what follows from one page of changes: kept first, then the cursor moves.
    async fn changes(&mut self, at: Millis) -> Result<(), StoreError> {
        let profile = &self.channel.profile;
        let name = format!("push {} {}", profile.partner, profile.channel);
        let cursor = match self.cursor {
            Some(cursor) => cursor,
            None => *self.cursor.insert(begin(&self.store, &name).await?),
        };
        let changes = self.store.changes_of(&profile.partner, cursor, CHANGES_MAX);
        let changes = changes.await?;
        self.behind = changes.len() >= CHANGES_MAX as usize;
        let Some((last, _)) = changes.last() else {
            return Ok(());
        };
        let cases: Vec<Uuid> = changes.iter().map(|(_, shown)| shown.alert.id).collect();
        let said = said(&self.store, &profile.partner, &profile.channel, &cases).await?;
        let planned = profile.intake(said, &changes, at);
        self.store.record_deliveries(&planned).await?;
        self.store.set_feed_cursor(&name, *last).await?;
        self.cursor = Some(*last);
        if let Some(queue) = &mut self.queue {
            queue.take(&planned);
        }
        Ok(())
    }

    /// Plans a question for each high case that the partner's mail told of and nobody took up.
    async fn unanswered(&mut self, after: Duration, at: Millis) -> Result<(), StoreError> {
        let profile = &self.channel.profile;
        let since = Millis(at.0.saturating_sub(ANSWERS_MILLIS));
        let channels = (MAIL, profile.channel.as_str());
        let told = self
            .store
            .pressing(&profile.partner, channels, since, UNANSWERED_MAX)
            .await?;
        let ids: Vec<Uuid> = told.iter().map(|(id, _)| *id).collect();
        let cases = self.store.shown_of(&ids).await?;
        let late = plan::unanswered(&told, &cases, after, at);
        let theirs = late
            .into_iter()
            .filter(|shown| shown.alert.partner.as_deref() == Some(profile.partner.as_str()));
        let planned: Vec<Delivery> = theirs
            .map(|shown| profile.single(Event::Unanswered, shown, 0, at))
            .collect();
        self.plan(&planned).await
    }

    /// Keeps what was planned, and takes it into the queue.
    pub(super) async fn plan(&mut self, planned: &[Delivery]) -> Result<(), StoreError> {
        self.store.record_deliveries(planned).await?;
        if let Some(queue) = &mut self.queue {
            queue.take(planned);
        }
        Ok(())
    }

    async fn attempt(&mut self, id: Uuid) {
        let Some(queue) = &mut self.queue else {
            return;
        };
        let Some(delivery) = queue.open.iter().find(|one| one.id == id) else {
            return;
        };
        self.queued.tell(&queue.open); // an attempt may take long
        let (way, attempt) = (self.channel.way(), delivery.attempt + 1);
        let span = trace_span!(
            "delivery",
            otel.kind = "client",
            channel = way.name(),
            attempt,
            outcome = field::Empty,
        );
        let outcome = match Message::read(delivery) {
            Ok(message) => {
                let sending = self.channel.send(&message, now());
                sending.instrument(span.clone()).await
            }
            Err(error) => Outcome::Refused(format!("its words do not parse: {error}")),
        };
        span.record("outcome", outcome.name());
        self.metrics.tried(way, &outcome);
        if let Some(after) = queue.tried(id, &outcome, now()) {
            tell(&after);
            self.unsaved.push(after);
        }
    }
}

/// Where a channel goes on; one that begins does so with what happens from now on.
async fn begin(store: &Store, name: &str) -> Result<ChangeCursor, StoreError> {
    if let Some(cursor) = store.feed_cursor(name).await? {
        return Ok(cursor);
    }
    let cursor = ChangeCursor::at(store.wall_time().await?);
    store.set_feed_cursor(name, cursor).await?;
    Ok(cursor)
}

async fn said(
    store: &Store,
    partner: &PartnerId,
    channel: &str,
    cases: &[Uuid],
) -> Result<HashMap<Uuid, (Event, noroshi_store::alert::Severity)>, StoreError> {
    let said = store.said(partner, channel, cases).await?;
    let known = said
        .into_iter()
        .filter_map(|(case, (event, severity))| Some((case, (Event::named(&event)?, severity))));
    Ok(known.collect())
}

/// Tells the operator how an attempt went, without a word of what it says.
fn tell(delivery: &Delivery) {
    let (partner, channel) = (delivery.partner.as_str(), delivery.channel.as_str());
    let (id, error, next) = (delivery.id, &delivery.error, delivery.next_at);
    match delivery.state {
        DeliveryState::Delivered => tracing::info!(partner, channel, %id, "delivered"),
        DeliveryState::Held => {
            tracing::error!(partner, channel, %id, error, "a message waits for a key");
        }
        DeliveryState::Disabled => {
            tracing::error!(
                partner, channel, %id, error,
                "the receiver wants no more: change its URL, or have the message sent again"
            );
        }
        _ if delivery.attempt < ATTEMPTS_TOLERATED => {
            tracing::warn!(partner, channel, %id, error, %next, "not delivered");
        }
        _ => tracing::error!(
            partner, channel, %id, error, %next, attempt = delivery.attempt,
            "still not delivered: call the partner"
        ),
    }
}
