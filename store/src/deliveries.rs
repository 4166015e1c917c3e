//! What is sent to partners: each message, and how its attempts went.

use clickhouse::Row;
use noroshi_proto::time::Millis;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::cases::line;
use crate::ledger::millis;
use crate::origin::PartnerId;
use crate::steps::parse;
use crate::store::{Store, StoreError};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// To be sent, or sent again.
    Waiting,
    /// Waits for the others of its digest.
    Digest,
    /// Goes with its digest, which is a message of its own.
    Folded,
    /// Taken by its receiver.
    Delivered,
    /// Given up.
    Failed,
}

impl Progress {
    const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Digest,
        Self::Folded,
        Self::Delivered,
        Self::Failed,
    ];

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Digest => "digest",
            Self::Folded => "folded",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// One message to one partner by one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, for ever.
    pub id: Uuid,
    /// What it is about.
    pub case: Uuid,
    /// What it tells of the case.
    pub what: String,
    /// When the change was recorded that it tells of.
    pub planned_at: Millis,
    /// How often it was tried.
    pub attempt: u32,
    /// Where it stands.
    pub progress: Progress,
    /// When it is tried next, or its digest is due.
    pub next_at: Millis,
    /// Why the last attempt failed.
    pub error: String,
}

/// A feed that does not take what is sent.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Troubled {
    /// Whose.
    pub partner: String,
    /// By what.
    pub feed: String,
    /// Messages that wait after several attempts.
    pub waiting: u64,
    /// Messages that were given up.
    pub failed: u64,
    since_ms: i64,
    /// Why the last one failed.
    pub error: String,
}

impl Troubled {
    /// When the oldest of its messages was planned.
    pub fn since(&self) -> Millis {
        millis(self.since_ms)
    }
}

impl Store {
    /// Keeps messages as they stand now. One with as many attempts as are known changes nothing.
    pub async fn keep_deliveries(
        &self,
        partner: &PartnerId,
        feed: &str,
        deliveries: &[Delivery],
    ) -> Result<(), StoreError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::new();
        for one in deliveries {
            let row = json!({
                "partner": partner,
                "feed": feed,
                "id": one.id,
                "case": one.case,
                "what": one.what,
                "planned_at": one.planned_at.to_string(),
                "attempt": one.attempt,
                "state": one.progress.name(),
                "next_at": one.next_at.to_string(),
                "error": one.error,
            });
            line(&mut rows, &row);
        }
        self.insert_lines("deliveries", rows).await
    }

    /// Messages in a state that are due from `from` to `until`, both included, the longest due
    /// first.
    pub async fn deliveries(
        &self,
        (partner, feed): (&PartnerId, &str),
        state: Progress,
        (from, until): (Millis, Millis),
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows = self
            .client()
            .query(include_str!("../queries/deliveries.sql"))
            .param("partner", partner.as_str())
            .param("feed", feed)
            .param("state", state.name())
            .param("from", from.0)
            .param("until", until.0)
            .param("limit", limit);
        let rows = rows.fetch_all::<DeliveryRow>().await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// When something of this feed is due next.
    pub async fn next_delivery(
        &self,
        partner: &PartnerId,
        feed: &str,
    ) -> Result<Option<Millis>, StoreError> {
        let next = self
            .client()
            .query(include_str!("../queries/deliveries_next.sql"))
            .param("partner", partner.as_str())
            .param("feed", feed);
        Ok(next.fetch_optional::<i64>().await?.map(millis))
    }

    /// Feeds with messages that wait after `attempts` attempts, or that were given up since `since`.
    pub async fn troubled_feeds(
        &self,
        attempts: u32,
        since: Millis,
    ) -> Result<Vec<Troubled>, StoreError> {
        let rows = self
            .client()
            .query(include_str!("../queries/deliveries_troubled.sql"))
            .param("attempts", attempts)
            .param("since", since.0);
        Ok(rows.fetch_all::<Troubled>().await?)
    }
}

/// A row of `deliveries`.
#[derive(Row, Deserialize)]
struct DeliveryRow {
    message: String,
    case: String,
    what: String,
    state: String,
    planned_ms: i64,
    attempt: u32,
    next_ms: i64,
    error: String,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let progress = Progress::ALL
            .into_iter()
            .find(|progress| progress.name() == row.state)
            .ok_or_else(|| StoreError::Spoiled(format!("delivery {:?}", row.state)))?;
        Ok(Self {
            id: parse(&row.message)?,
            case: parse(&row.case)?,
            what: row.what,
            planned_at: millis(row.planned_ms),
            attempt: row.attempt,
            progress,
            next_at: millis(row.next_ms),
            error: row.error,
        })
    }
}
