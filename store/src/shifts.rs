//! What one shift hands to the next, beside its notes; and what was done in a time.

use std::collections::BTreeMap;

use noroshi_proto::time::Millis;
use uuid::Uuid;

use crate::ledger::millis;
use crate::origin::PartnerId;
use crate::question::sql;
use crate::steps::parse;
use crate::store::{Store, StoreError};

/// Paths of feeds that are told of.
const PATHS_MAX: u32 = 1_000;

/// Why a case is called escalated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Escalation {
    /// It grew more urgent.
    Raised,
    /// Nobody at its partner took it up in time: further people were told.
    Unanswered,
}

impl Escalation {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Unanswered => "unanswered",
        }
    }
}

/// A case that escalated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalated {
    /// Which.
    pub case: Uuid,
    /// Why.
    pub why: Escalation,
    /// When last, in wall time.
    pub at: Millis,
}

impl Store {
    /// Cases that escalated since then (wall time), the last first.
    ///
    /// # Errors
    /// When the store does not answer, here as everywhere below.
    pub async fn escalated(&self, since: Millis, limit: u32) -> Result<Vec<Escalated>, StoreError> {
        let rows = self
            .ask(sql!("escalated"))
            .param("since", since.0)
            .param("limit", limit)
            .fetch_all::<(String, String, i64)>()
            .await?;
        let escalated = |(id, why, at): (String, String, i64)| {
            Ok(Escalated {
                case: parse(&id)?,
                why: if why == "raised" {
                    Escalation::Raised
                } else {
                    Escalation::Unanswered
                },
                at: millis(at),
            })
        };
        rows.into_iter().map(escalated).collect()
    }

    /// When `partner`'s machines were last answered with something, by path, since then.
    pub async fn feeds_read(
        &self,
        partner: &PartnerId,
        since: Millis,
    ) -> Result<Vec<(String, Millis)>, StoreError> {
        let rows = self
            .ask(sql!("feeds_read"))
            .param("who", format!("partner:{partner}"))
            .param("since", since.0)
            .param("limit", PATHS_MAX)
            .fetch_all::<(String, i64)>()
            .await?;
        let rows = rows.into_iter();
        Ok(rows.map(|(path, at)| (path, millis(at))).collect())
    }

    /// How many of `partner`'s cases each event was said of between two instants, by its name.
    pub async fn steps_between(
        &self,
        partner: &PartnerId,
        from: Millis,
        until: Millis,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = self
            .ask(sql!("steps_between"))
            .param("partner", partner.as_str())
            .param("from", from.0)
            .param("until", until.0)
            .fetch_all::<(String, u64)>()
            .await?;
        Ok(rows.into_iter().collect())
    }
}
