//! Cases as partners read them, in the order they changed.
//!
//! What a reader sees is joined here and nowhere else: what the analyzer says of a case, where it
//! stands on its partner's side, and whether the centre took it back.
//!
//! A partner reads of a running case when it opens, becomes more urgent, is over, and once a day.
//! Who reads the alerts of a prefix can also scan from it: each time and count that he reads tells
//! him which of his packets met a telescope, so he reads no more than that.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alert::{Alert, State};
use crate::cases::{Case, ChangeCursor, case};
use crate::origin::PartnerId;
use crate::question::{Question, sql};
use crate::remedy::{Remedy, Standing};
use crate::steps::parse;
use crate::store::{Store, StoreError};

/// A case as its partner reads it. The keys of [`Alert`], and more where there is more to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// What the analyzer says; its state is `withdrawn` where the centre took it back.
    #[serde(flatten)]
    pub alert: Alert,
    /// Where it stands on the partner's side; absent before the first step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Standing>,
    /// It can wait for the next digest: nobody needs to be called.
    #[serde(skip_serializing_if = "is_push")]
    pub digest: bool,
}

fn is_push(digest: &bool) -> bool {
    !digest
}

impl Shown {
    /// A case and where it stands.
    pub fn new(mut alert: Alert, remedy: Option<Standing>) -> Self {
        if remedy
            .as_ref()
            .is_some_and(|standing| standing.state == Remedy::Withdrawn)
        {
            alert.state = State::Withdrawn;
        }
        let digest = alert.is_for_digest();
        Self {
            alert,
            remedy,
            digest,
        }
    }
}

impl Store {
    /// These cases as their partners read them, in the same order.
    pub async fn show(&self, cases: Vec<Case>) -> Result<Vec<Shown>, StoreError> {
        let ids: Vec<Uuid> = cases.iter().map(|case| case.alert.id).collect();
        let mut standings = self.standings(&ids).await?;
        let shown = cases.into_iter().map(|case| {
            let standing = standings.remove(&case.alert.id);
            Shown::new(case.alert, standing)
        });
        Ok(shown.collect())
    }

    /// One case as its partner reads it.
    pub async fn shown(&self, id: Uuid) -> Result<Option<Shown>, StoreError> {
        let case = self.told_of(&[id]).await?;
        Ok(self.show(case).await?.pop())
    }

    /// One of this partner's cases as it reads it; `None` where it is another's, as where there is
    /// none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn shown_to(
        &self,
        partner: &PartnerId,
        id: Uuid,
    ) -> Result<Option<Shown>, StoreError> {
        let row = self
            .ask(sql!("told_to"))
            .param("id", id.to_string())
            .param("partner", partner.as_str())
            .fetch_optional::<(u64, String)>()
            .await?;
        let told = row.map(case).transpose()?;
        Ok(self.show(told.into_iter().collect()).await?.pop())
    }

    /// These cases as their partners read them, by id; those that are gone are left out.
    pub async fn shown_of(&self, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Shown>, StoreError> {
        let cases = self.told_of(ids).await?;
        let shown = self.show(cases).await?.into_iter();
        Ok(shown.map(|shown| (shown.alert.id, shown)).collect())
    }

    /// Changes of all cases after `after`, in the order in which they were recorded, at most
    /// `limit`. [`ChangeCursor::default`] begins at the beginning.
    ///
    /// One that is recorded again (after a crash) may come again, with the same version. What was
    /// recorded within the last second comes a second later, so that nothing is overtaken. Each
    /// comes with the partner's side as it stands now.
    pub async fn changes(
        &self,
        after: ChangeCursor,
        limit: u32,
    ) -> Result<Vec<(ChangeCursor, Shown)>, StoreError> {
        let changes = self.ask(sql!("alert_changes"));
        self.read_changes(changes, after, limit).await
    }

    /// As [`Store::changes`], of one partner's cases alone: the partner is part of the question.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn changes_of(
        &self,
        partner: &PartnerId,
        after: ChangeCursor,
        limit: u32,
    ) -> Result<Vec<(ChangeCursor, Shown)>, StoreError> {
        let changes = self
            .ask(sql!("alert_changes_of"))
            .param("partner", partner.as_str());
        self.read_changes(changes, after, limit).await
    }

    async fn read_changes(
        &self,
        changes: Question,
        mut after: ChangeCursor,
        limit: u32,
    ) -> Result<Vec<(ChangeCursor, Shown)>, StoreError> {
        loop {
            let rows = changes
                .clone()
                .param("recorded_at", after.recorded_at)
                .param("id", after.id.to_string())
                .param("version", after.version)
                .param("limit", limit)
                .fetch_all::<ChangeRow>()
                .await?;
            let changes: Vec<Change> = rows
                .into_iter()
                .map(Change::try_from)
                .collect::<Result<_, _>>()?;
            let Some(last) = changes.last() else {
                return Ok(Vec::new());
            };
            after = last.cursor;
            let shown = self.show_changes(&changes).await?;
            if !shown.is_empty() {
                return Ok(shown);
            }
            // every one of them was a step with a case that is gone: read on behind them
        }
    }

    async fn show_changes(
        &self,
        changes: &[Change],
    ) -> Result<Vec<(ChangeCursor, Shown)>, StoreError> {
        let ids: BTreeSet<Uuid> = changes.iter().map(|change| change.cursor.id).collect();
        let standings = self.standings(&ids.into_iter().collect::<Vec<_>>()).await?;
        let steps = changes.iter().filter(|change| change.body.is_empty());
        let bare: BTreeSet<Uuid> = steps.map(|change| change.cursor.id).collect();
        let known = self.told_of(&bare.into_iter().collect::<Vec<_>>()).await?;
        let known: BTreeMap<Uuid, Case> = known
            .into_iter()
            .map(|case| (case.alert.id, case))
            .collect();
        let mut shown = Vec::with_capacity(changes.len());
        for Change { cursor, body } in changes {
            let alert = match body.is_empty() {
                false => Some(case((cursor.version, body.clone()))?.alert),
                true => known.get(&cursor.id).map(|case| case.alert.clone()),
            };
            if let Some(alert) = alert {
                let standing = standings.get(&cursor.id).cloned();
                shown.push((*cursor, Shown::new(alert, standing)));
            }
        }
        Ok(shown)
    }
}

#[derive(Row, Deserialize)]
struct ChangeRow {
    recorded: i64,
    case: String,
    version: u64,
    body: String,
}

/// A change; of a person's step the body is empty.
struct Change {
    cursor: ChangeCursor,
    body: String,
}

impl TryFrom<ChangeRow> for Change {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        Ok(Self {
            cursor: ChangeCursor {
                recorded_at: row.recorded,
                id: parse(&row.case)?,
                version: row.version,
            },
            body: row.body,
        })
    }
}
