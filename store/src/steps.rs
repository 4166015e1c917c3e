//! What people do with cases, and where each stands after it.
//!
//! Steps are only ever added. A case's standing follows from folding its steps in the order the
//! store got them ([`Standing::take`]), so two who write at once lose nothing, and what the
//! analyzer writes of the same case at the same time is another table's.

use std::collections::BTreeMap;

use clickhouse::Row;
use noroshi_proto::time::Millis;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::cases::{Case, case, line};
use crate::ledger::millis;
use crate::question::{Sql, sql};
use crate::remedy::{Event, Remedy, Standing};
use crate::store::{Store, StoreError};

/// How long a partner does not hear again of what it called a false positive.
pub const SUPPRESSED_SECONDS: u64 = 30 * 86_400;

/// Ids asked about in one question.
const IDS_MAX: usize = 1_000;

/// One thing that somebody did with a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// With which case.
    pub case: Uuid,
    /// Its own id, drawn by whoever took it: recording it twice changes nothing.
    pub id: Uuid,
    /// What.
    pub event: Event,
    /// When, in wall time.
    pub at: Millis,
    /// `operator:NAME`, or `analyzer`.
    pub by: String,
    /// Why.
    pub note: String,
    /// How likely the silence would be had nothing changed, where that was judged.
    pub probability: Option<f64>,
    /// Whose case it is; empty where the centre's alone.
    pub partner: String,
}

/// What a partner called a false positive.
#[derive(Clone, Debug, PartialEq)]
pub struct Refuted {
    /// The case.
    pub case: Case,
    /// Until when its rule is not heard again about its subject, in wall time.
    pub until: Millis,
}

impl Store {
    /// Records steps. Recording one again changes nothing.
    pub async fn record_steps(&self, steps: &[Step]) -> Result<(), StoreError> {
        if steps.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::new();
        for step in steps {
            let row = json!({
                "id": step.case,
                "step": step.id,
                "at": step.at.to_string(),
                "by": step.by,
                "event": step.event.name(),
                "note": step.note,
                "probability": step.probability,
                "partner": step.partner,
            });
            line(&mut rows, &row);
        }
        self.insert_lines("case_steps", rows).await
    }

    /// What was done with these cases: by case, in the order recorded.
    pub async fn steps(&self, cases: &[Uuid]) -> Result<Vec<Step>, StoreError> {
        let mut steps = Vec::new();
        for some in cases.chunks(IDS_MAX) {
            let rows = self
                .ask(sql!("steps"))
                .param("ids", texts(some))
                .fetch_all::<StepRow>()
                .await?;
            for row in rows {
                steps.push(Step::try_from(row)?);
            }
        }
        Ok(steps)
    }

    /// Where these cases stand on their partners' side; those without a step are left out.
    pub async fn standings(&self, cases: &[Uuid]) -> Result<BTreeMap<Uuid, Standing>, StoreError> {
        Ok(fold(&self.steps(cases).await?))
    }

    /// What partners called a false positive and still do, as heard of at `now`.
    pub async fn refuted(&self, now: Millis) -> Result<Vec<Refuted>, StoreError> {
        let since = Millis(now.0.saturating_sub(SUPPRESSED_SECONDS * 1000));
        let of_cases = self.cases_standing(Event::Refute, since).await?;
        let refuted = of_cases.into_iter().filter_map(|(case, standing)| {
            let until = Millis(standing.since.0 + SUPPRESSED_SECONDS * 1000);
            (standing.state == Remedy::FalsePositive).then_some(Refuted { case, until })
        });
        Ok(refuted.collect())
    }

    /// Cases with which `event` was done at `since` or later, and where they stand.
    pub async fn cases_standing(
        &self,
        event: Event,
        since: Millis,
    ) -> Result<Vec<(Case, Standing)>, StoreError> {
        let ids = self
            .ask(sql!("cases_with_step"))
            .param("event", event.name())
            .param("since", since.0)
            .fetch_all::<String>()
            .await?;
        let ids: Vec<Uuid> = ids.iter().map(|id| parse(id)).collect::<Result<_, _>>()?;
        let mut standings = self.standings(&ids).await?;
        let mut cases = Vec::new();
        for case in self.cases_of(&ids).await? {
            if let Some(standing) = standings.remove(&case.alert.id) {
                cases.push((case, standing));
            }
        }
        Ok(cases)
    }

    /// What the centre took back, as recorded at `since` (wall time of the store) or later.
    pub async fn withdrawn(&self, since: Millis) -> Result<Vec<Uuid>, StoreError> {
        let ids = self
            .ask(sql!("withdrawn_since"))
            .param("since", since.0)
            .fetch_all::<String>()
            .await?;
        ids.iter().map(|id| parse(id)).collect()
    }

    /// These cases in their last state, by id; those that are gone are left out.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn cases_of(&self, ids: &[Uuid]) -> Result<Vec<Case>, StoreError> {
        self.cases_by(sql!("alerts_of_ids"), ids).await
    }

    /// These cases as they were last told, by id; those that are gone are left out.
    pub async fn told_of(&self, ids: &[Uuid]) -> Result<Vec<Case>, StoreError> {
        self.cases_by(sql!("told_of_ids"), ids).await
    }

    async fn cases_by(&self, sql: Sql, ids: &[Uuid]) -> Result<Vec<Case>, StoreError> {
        let mut cases = Vec::new();
        for some in ids.chunks(IDS_MAX) {
            let rows = self
                .ask(sql)
                .param("ids", texts(some))
                .fetch_all::<(u64, String)>()
                .await?;
            for row in rows {
                cases.push(case(row)?);
            }
        }
        cases.sort_by_key(|case| case.alert.id);
        Ok(cases)
    }
}

/// Where each case stands after its steps.
pub fn fold(steps: &[Step]) -> BTreeMap<Uuid, Standing> {
    let mut standings: BTreeMap<Uuid, Standing> = BTreeMap::new();
    for step in steps {
        let standing = standings.entry(step.case).or_default();
        standing.take(step.event, step.at, &step.note, step.probability);
    }
    standings
}

/// Ids as a parameter of a question.
pub(crate) fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

/// An id out of an answer.
pub(crate) fn parse(id: &str) -> Result<Uuid, StoreError> {
    id.parse()
        .map_err(|_| StoreError::Spoiled(format!("id {id:?}")))
}

/// A row of `case_steps`.
#[derive(Row, Deserialize)]
struct StepRow {
    case: String,
    drawn: String,
    at_ms: i64,
    by: String,
    event: String,
    note: String,
    probability: Option<f64>,
    partner: String,
}

impl TryFrom<StepRow> for Step {
    type Error = StoreError;

    fn try_from(row: StepRow) -> Result<Self, StoreError> {
        let event = Event::named(&row.event)
            .ok_or_else(|| StoreError::Spoiled(format!("step {:?}", row.event)))?;
        Ok(Self {
            case: parse(&row.case)?,
            id: parse(&row.drawn)?,
            event,
            at: millis(row.at_ms),
            by: row.by,
            note: row.note,
            probability: row.probability,
            partner: row.partner,
        })
    }
}
