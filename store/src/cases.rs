//! Cases and their history.

use std::fmt;
use std::str::FromStr;

use hyper::body::Bytes;
use noroshi_proto::time::Millis;
use serde_json::json;
use uuid::Uuid;

use crate::alert::{Alert, Kind, State, Subject};
use crate::origin::PartnerId;
use crate::question::{answered, inserted, sql};
use crate::store::{Store, StoreError};

/// An alert with the number of its last transition.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The alert.
    pub alert: Alert,
    /// 1 when opened, one more with each transition.
    pub version: u64,
}

/// One step in the life of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The case after it.
    pub case: Case,
    /// `analyzer`, or `operator:NAME`.
    pub by: String,
    /// When, in wall time.
    pub at: Millis,
    /// Why, where a person did it.
    pub note: String,
}

/// Which alerts to list; the default asks for the newest thousand of all.
#[derive(Clone, Debug)]
pub struct AlertFilter {
    /// Only this partner's.
    pub partner: Option<PartnerId>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only detected at or after this.
    pub from: Option<Millis>,
    /// Only detected before this.
    pub until: Option<Millis>,
    /// The most to list, newest first.
    pub limit: u32,
}

impl Default for AlertFilter {
    fn default() -> Self {
        Self {
            partner: None,
            kind: None,
            state: None,
            from: None,
            until: None,
            limit: 1_000,
        }
    }
}

/// A place in the order in which transitions were recorded: `microseconds/id/version`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCursor {
    pub(crate) recorded_at: i64,
    pub(crate) id: Uuid,
    pub(crate) version: u64,
}

impl fmt::Display for ChangeCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.recorded_at, self.id, self.version)
    }
}

impl ChangeCursor {
    /// Before everything that is recorded at `at` or later.
    pub fn at(at: Millis) -> Self {
        Self {
            recorded_at: i64::try_from(at.0 * 1_000).unwrap_or(i64::MAX),
            ..Self::default()
        }
    }

    /// When it was recorded, in microseconds of the store's wall time.
    pub fn recorded_micros(&self) -> i64 {
        self.recorded_at
    }

    /// Which transition of the case: the same whenever it is read.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When it was recorded: wall time at the store.
    pub fn recorded_at(&self) -> Millis {
        crate::ledger::millis(self.recorded_at / 1000)
    }
}

impl FromStr for ChangeCursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        let (recorded_at, id, version) = (next().parse(), next().parse(), next().parse());
        match (recorded_at, id, version) {
            (Ok(recorded_at), Ok(id), Ok(version)) => Ok(Self {
                recorded_at,
                id,
                version,
            }),
            _ => Err(StoreError::Spoiled(format!("cursor {text:?}"))),
        }
    }
}

impl Store {
    /// Records transitions, history first. Recording one again changes nothing.
    pub async fn record(&self, transitions: &[Transition]) -> Result<(), StoreError> {
        if transitions.is_empty() {
            return Ok(());
        }
        let mut history = Vec::new();
        let mut alerts = Vec::new();
        for transition in transitions {
            let body = body_of(&transition.case.alert)?;
            line(&mut history, &history_row(transition, &body));
            line(&mut alerts, &alert_row(&transition.case, &body));
        }
        self.insert_lines("alert_history", history).await?;
        self.insert_lines("alerts", alerts).await
    }

    /// Keeps states of cases to go on from, without a transition that anybody reads of.
    ///
    /// # Errors
    /// When the store does not take them.
    pub async fn keep(&self, cases: &[Case]) -> Result<(), StoreError> {
        if cases.is_empty() {
            return Ok(());
        }
        let mut alerts = Vec::new();
        for case in cases {
            line(&mut alerts, &alert_row(case, &body_of(&case.alert)?));
        }
        self.insert_lines("alerts", alerts).await
    }

    /// Every case that is `new` or `continuing`, by id: what an analyzer begins with. What the
    /// centre took back is not among them.
    pub async fn open_cases(&self) -> Result<Vec<Case>, StoreError> {
        let rows = self.ask(sql!("open_cases"));
        rows.fetch_all::<(u64, String)>()
            .await?
            .into_iter()
            .map(case)
            .collect()
    }

    /// Cases that are over and were still seen at this second (since 1970) or later, by id: what
    /// is seen of them soon after belongs to them. Attacks are not among them.
    pub async fn closed_cases(&self, since: u64) -> Result<Vec<Case>, StoreError> {
        let rows = self.ask(sql!("closed_cases")).param("since", since);
        rows.fetch_all::<(u64, String)>()
            .await?
            .into_iter()
            .map(case)
            .collect()
    }

    /// Alerts in their last state, the last detected first; imported evidence has its own list.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Case>, StoreError> {
        let rows = self
            .ask(sql!("alerts"))
            .param(
                "partner",
                filter
                    .partner
                    .as_ref()
                    .map_or("", |partner| partner.as_str()),
            )
            .param("kind", filter.kind.map_or("", Kind::name))
            .param("state", filter.state.map_or("", State::name))
            .param("from", filter.from.map_or(0, |from| from.0))
            .param(
                "until",
                filter.until.map_or(i64::MAX as u64, |until| until.0),
            )
            .param("limit", filter.limit);
        let rows = rows.fetch_all::<(u64, u8, String)>().await?;
        rows.into_iter().map(told).collect()
    }

    /// One alert in its last state, whatever it rests on.
    pub async fn alert(&self, id: Uuid) -> Result<Option<Case>, StoreError> {
        let row = self.ask(sql!("alert")).param("id", id.to_string());
        let row = row.fetch_optional::<(u64, u8, String)>().await?;
        row.map(told).transpose()
    }

    /// Every transition of a case, first to last.
    pub async fn history(&self, id: Uuid) -> Result<Vec<Transition>, StoreError> {
        let rows = self
            .ask(sql!("alert_history"))
            .param("id", id.to_string())
            .fetch_all::<(u64, String, i64, String, String)>()
            .await?;
        let transition = |(version, body, at, by, note): (u64, String, i64, String, String)| {
            let case = case((version, body))?;
            Ok(Transition {
                case,
                by,
                at: crate::ledger::millis(at),
                note,
            })
        };
        rows.into_iter().map(transition).collect()
    }

    /// Inserts JSON lines: for the few rows whose speed does not matter.
    pub(crate) async fn insert_lines(
        &self,
        table: &'static str,
        lines: Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut insert = self
            .client()
            .insert_formatted_with(format!("INSERT INTO {table} FORMAT JSONEachRow"))
            .with_setting("async_insert", "0")
            .with_setting("date_time_input_format", "best_effort")
            .with_setting("max_partitions_per_insert_block", "0")
            .with_setting("distributed_foreground_insert", "1");
        let sent = async {
            insert.send(Bytes::from(lines)).await?;
            insert.end().await
        };
        answered(inserted(table), sent).await
    }
}

pub(crate) fn line(lines: &mut Vec<u8>, row: &serde_json::Value) {
    lines.extend_from_slice(row.to_string().as_bytes());
    lines.push(b'\n');
}

fn history_row(transition: &Transition, body: &str) -> serde_json::Value {
    let alert = &transition.case.alert;
    json!({
        "id": alert.id,
        "version": transition.case.version,
        "at": transition.at.to_string(),
        "by": transition.by,
        "note": transition.note,
        "state": alert.state.name(),
        "partner": alert.partner.as_deref().unwrap_or(""),
        "body": body,
    })
}

fn body_of(alert: &Alert) -> Result<String, StoreError> {
    serde_json::to_string(alert)
        .map_err(|error| StoreError::Unstorable(format!("alert {}: {error}", alert.id)))
}

fn alert_row(case: &Case, body: &str) -> serde_json::Value {
    let alert = &case.alert;
    json!({
        "id": alert.id,
        "version": case.version,
        "kind": alert.kind,
        "state": alert.state,
        "severity": alert.severity,
        "confidence": alert.confidence,
        "tlp": alert.tlp,
        "partner": alert.partner.as_deref().unwrap_or(""),
        "country": alert.country.as_deref().unwrap_or(""),
        "subject": subject(&alert.subject),
        "opened_at": alert.opened_at.to_string(),
        "first_seen": alert.first_seen.to_string(),
        "last_seen": alert.last_seen.to_string(),
        "detected_at": alert.detected_at.to_string(),
        "packets": alert.evidence.packets,
        "reason_code": alert.reason_code,
        "exercise": u8::from(alert.exercise),
        "body": body,
    })
}

/// Whom or what, as one word.
pub(crate) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Source { source, .. } => source.to_string(),
        Subject::Victim { victim, .. } => victim.clone(),
        Subject::Service { service, scope } => format!("{service} {scope}"),
        Subject::Country { country } => country.clone(),
        Subject::Network { network } => network.clone(),
        Subject::Sensor { sensor } => sensor.clone(),
    }
}

/// A case with what the centre says of it: taken back or not.
pub(crate) fn told((version, withdrawn, body): (u64, u8, String)) -> Result<Case, StoreError> {
    let mut case = case((version, body))?;
    if withdrawn != 0 {
        case.alert.state = State::Withdrawn;
    }
    Ok(case)
}

pub(crate) fn case((version, body): (u64, String)) -> Result<Case, StoreError> {
    let alert = serde_json::from_str(&body)
        .map_err(|error| StoreError::Spoiled(format!("an alert: {error}")))?;
    Ok(Case { alert, version })
}
