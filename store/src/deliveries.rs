//! What is pushed to partners, message by message: planned, tried, delivered or given up.
//!
//! A message is written before whatever it follows from is passed over, and its id follows from
//! what it says. So after a crash it is sent again with the same id, and none is lost.

use std::collections::HashMap;

use clickhouse::Row;
use noroshi_proto::time::Millis;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::alert::Severity;
use crate::cases::line;
use crate::ledger::millis;
use crate::origin::PartnerId;
use crate::question::sql;
use crate::steps::{parse, texts};
use crate::store::{Store, StoreError};

/// How a message goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// One change of one case, at once.
    Single,
    /// One change of one case, which waits for the daily digest.
    Listed,
    /// The daily digest.
    Digest,
    /// What was too much for single messages.
    Overflow,
    /// What could not be delivered for too long, in one.
    Summary,
    /// About the service itself, no case: it is alive, or a receiver is not.
    Notice,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// For its time, or to be tried again.
    Waiting,
    /// Its receiver was not there: all of the channel waits with it.
    Unreached,
    /// Until the partner has a key.
    Held,
    /// The receiver said that it wants no more.
    Disabled,
    /// Another message carries it.
    Folded,
    /// Taken by its receiver.
    Delivered,
    /// Too old to be of use; a summary counts it.
    GivenUp,
}

/// A message to a partner on one of its channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Follows from what it says.
    pub id: Uuid,
    /// To whom.
    pub partner: PartnerId,
    /// On which of its channels.
    pub channel: String,
    /// Grows with every change of the row.
    pub revision: u64,
    /// How it goes out.
    pub form: Form,
    /// Where it stands.
    pub state: DeliveryState,
    /// Whose change it is; zero where it carries many.
    pub case: Uuid,
    /// What happened to the case; empty where it carries many.
    pub event: String,
    /// The case's severity then.
    pub severity: Severity,
    /// When the change was recorded, in microseconds.
    pub recorded: i64,
    /// How often it was tried.
    pub attempt: u32,
    /// When it was planned, in wall time.
    pub planned_at: Millis,
    /// When it was first tried; 0 before.
    pub released_at: Millis,
    /// Not tried before this.
    pub next_at: Millis,
    /// The message that carries it; zero where it goes alone.
    pub within: Uuid,
    /// What went wrong last.
    pub error: String,
    /// What it says, as JSON.
    pub body: String,
}

impl Form {
    const ALL: [Self; 6] = [
        Self::Single,
        Self::Listed,
        Self::Digest,
        Self::Overflow,
        Self::Summary,
        Self::Notice,
    ];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Listed => "listed",
            Self::Digest => "digest",
            Self::Overflow => "overflow",
            Self::Summary => "summary",
            Self::Notice => "notice",
        }
    }
}

impl DeliveryState {
    const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Unreached,
        Self::Held,
        Self::Disabled,
        Self::Folded,
        Self::Delivered,
        Self::GivenUp,
    ];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Unreached => "unreached",
            Self::Held => "held",
            Self::Disabled => "disabled",
            Self::Folded => "folded",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    /// Whether it is still to be delivered.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::Waiting | Self::Unreached | Self::Held | Self::Disabled
        )
    }
}

impl Store {
    /// Keeps messages as they stand now, all of them or none.
    pub async fn record_deliveries(&self, deliveries: &[Delivery]) -> Result<(), StoreError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::new();
        for delivery in deliveries {
            line(&mut rows, &row(delivery));
        }
        self.insert_lines("deliveries", rows).await
    }

    /// Messages of one channel that are still to be delivered, the first planned first.
    pub async fn open_deliveries(
        &self,
        partner: &PartnerId,
        channel: &str,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows = self
            .ask(sql!("deliveries_open"))
            .param("partner", partner.as_str())
            .param("channel", channel)
            .param("limit", limit)
            .fetch_all::<DeliveryRow>()
            .await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// Messages that were tried in vain, are held or were given up, the last planned first; of one
    /// partner, or of all.
    pub async fn failing_deliveries(
        &self,
        partner: Option<&PartnerId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows = self
            .ask(sql!("deliveries_failing"))
            .param("partner", partner.map_or("", PartnerId::as_str))
            .param("limit", limit)
            .fetch_all::<DeliveryRow>()
            .await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// One message.
    pub async fn delivery(&self, id: Uuid) -> Result<Option<Delivery>, StoreError> {
        let row = self
            .ask(sql!("delivery"))
            .param("id", id.to_string())
            .fetch_optional::<DeliveryRow>()
            .await?;
        row.map(Delivery::try_from).transpose()
    }

    /// Has a message sent again, as if it had not been tried, under the same id; the deliverer
    /// finds it within a minute. `None` where none of that id waits any more: what was delivered or
    /// given up has no words left.
    pub async fn resend(&self, id: Uuid, now: Millis) -> Result<Option<Delivery>, StoreError> {
        let known = self.delivery(id).await?;
        let Some(mut delivery) = known.filter(|one| one.state.is_open()) else {
            return Ok(None);
        };
        delivery.state = DeliveryState::Waiting;
        delivery.attempt = 0;
        delivery.planned_at = now; // it may wait as long as a new one
        delivery.next_at = now;
        delivery.revision += 1;
        self.record_deliveries(std::slice::from_ref(&delivery))
            .await?;
        Ok(Some(delivery))
    }

    /// The last event that one channel told of each of these cases, and their severity then.
    pub async fn said(
        &self,
        partner: &PartnerId,
        channel: &str,
        cases: &[Uuid],
    ) -> Result<HashMap<Uuid, (String, Severity)>, StoreError> {
        let rows = self
            .ask(sql!("deliveries_said"))
            .param("partner", partner.as_str())
            .param("channel", channel)
            .param("cases", texts(cases))
            .fetch_all::<(String, String, String)>()
            .await?;
        let said = |(case, event, severity): (String, String, String)| {
            Ok((parse(&case)?, (event, severity_named(&severity)?)))
        };
        rows.into_iter().map(said).collect()
    }

    /// When one channel's messages were first tried since then, and their form; the first first.
    pub async fn released(
        &self,
        partner: &PartnerId,
        channel: &str,
        since: Millis,
    ) -> Result<Vec<(Millis, Form)>, StoreError> {
        let rows = self
            .ask(sql!("deliveries_released"))
            .param("partner", partner.as_str())
            .param("channel", channel)
            .param("since", since.0 as i64)
            .fetch_all::<(i64, String)>()
            .await?;
        let released = |(at, form): (i64, String)| Ok((millis(at), form_named(&form)?));
        rows.into_iter().map(released).collect()
    }

    /// High cases that `channel` told of since then and `asking` did not, and when; the first told
    /// first.
    pub async fn pressing(
        &self,
        partner: &PartnerId,
        (channel, asking): (&str, &str),
        since: Millis,
        limit: u32,
    ) -> Result<Vec<(Uuid, Millis)>, StoreError> {
        let rows = self
            .ask(sql!("deliveries_pressing"))
            .param("partner", partner.as_str())
            .param("channel", channel)
            .param("asking", asking)
            .param("since", since.0 as i64)
            .param("limit", limit)
            .fetch_all::<(String, i64)>()
            .await?;
        let pressing = |(case, at): (String, i64)| Ok((parse(&case)?, millis(at)));
        rows.into_iter().map(pressing).collect()
    }
}

fn row(delivery: &Delivery) -> serde_json::Value {
    json!({
        "partner": delivery.partner,
        "channel": delivery.channel,
        "id": delivery.id,
        "revision": delivery.revision,
        "form": delivery.form.name(),
        "state": delivery.state.name(),
        "case": delivery.case,
        "event": delivery.event,
        "severity": delivery.severity,
        "recorded": delivery.recorded,
        "attempt": delivery.attempt,
        "planned_at": delivery.planned_at.to_string(),
        "released_at": delivery.released_at.to_string(),
        "next_at": delivery.next_at.to_string(),
        "within": delivery.within,
        "error": delivery.error,
        "body": delivery.body,
    })
}

#[derive(Row, Deserialize)]
struct DeliveryRow {
    partner: String,
    channel: String,
    id: String,
    revision: u64,
    form: String,
    state: String,
    case: String,
    event: String,
    severity: String,
    recorded: i64,
    attempt: u32,
    planned_at: i64,
    released_at: i64,
    next_at: i64,
    within: String,
    error: String,
    body: String,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let state = DeliveryState::ALL
            .into_iter()
            .find(|state| state.name() == row.state);
        Ok(Self {
            id: parse(&row.id)?,
            partner: PartnerId::new(&row.partner)
                .ok_or_else(|| spoiled("partner", &row.partner))?,
            channel: row.channel,
            revision: row.revision,
            form: form_named(&row.form)?,
            state: state.ok_or_else(|| spoiled("state", &row.state))?,
            case: parse(&row.case)?,
            event: row.event,
            severity: severity_named(&row.severity)?,
            recorded: row.recorded,
            attempt: row.attempt,
            planned_at: millis(row.planned_at),
            released_at: millis(row.released_at),
            next_at: millis(row.next_at),
            within: parse(&row.within)?,
            error: row.error,
            body: row.body,
        })
    }
}

fn form_named(name: &str) -> Result<Form, StoreError> {
    let form = Form::ALL.into_iter().find(|form| form.name() == name);
    form.ok_or_else(|| spoiled("form", name))
}

fn severity_named(name: &str) -> Result<Severity, StoreError> {
    serde_json::from_value(name.into()).map_err(|_| spoiled("severity", name))
}

fn spoiled(what: &str, name: &str) -> StoreError {
    StoreError::Spoiled(format!("{what} {name:?} of a delivery"))
}
