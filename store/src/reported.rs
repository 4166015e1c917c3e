//! What a report of a period counts: one partner's cases, and how many the others had.

use clickhouse::Row;
use noroshi_proto::time::Millis;
use serde::Deserialize;

use crate::ledger::millis;
use crate::origin::PartnerId;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// Cases in one report; what a partner with more has is beyond what a report can tell.
pub const CASES_MAX: u32 = 200_000;

/// A case, as far as a report counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The name of its kind.
    pub kind: String,
    /// The name of its last state; `continuing` where it was seen after the period.
    pub state: String,
    /// The name of its severity.
    pub severity: String,
    /// Address, prefix, service or country.
    pub subject: String,
    /// The AS of its address; 0 where unknown.
    pub asn: u64,
    /// The program that was recognised; empty where none was.
    pub family: String,
    /// When it became a case.
    pub opened_at: Millis,
    /// First packet.
    pub first_seen: Millis,
    /// Last packet within the period.
    pub last_seen: Millis,
    /// Days of the period on which it was seen, counted from 1970-01-01.
    pub days: Vec<u64>,
}

#[derive(Row, Deserialize)]
struct ReportedRow {
    kind: String,
    state: String,
    severity: String,
    subject: String,
    asn: u64,
    family: String,
    opened_ms: i64,
    first_ms: i64,
    last_ms: i64,
    days: Vec<u64>,
}

impl From<ReportedRow> for Reported {
    fn from(row: ReportedRow) -> Self {
        Self {
            kind: row.kind,
            state: row.state,
            severity: row.severity,
            subject: row.subject,
            asn: row.asn,
            family: row.family,
            opened_at: millis(row.opened_ms),
            first_seen: millis(row.first_ms),
            last_seen: millis(row.last_ms),
            days: row.days,
        }
    }
}

/// What all other partners had of one kind, together.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Others {
    /// The name of the kind.
    pub kind: String,
    /// How many partners had any.
    pub partners: u64,
    /// How many cases they had.
    pub cases: u64,
}

impl Store {
    /// A partner's cases that were seen on the days from one midnight to another, by detection, at
    /// most [`CASES_MAX`].
    pub async fn reported(
        &self,
        partner: &PartnerId,
        from: Millis,
        until: Millis,
    ) -> Result<Vec<Reported>, StoreError> {
        let rows = self
            .ask(sql!("reported_cases"))
            .param("partner", partner.as_str())
            .param("from", from.0)
            .param("until", until.0)
            .param("limit", CASES_MAX);
        let rows = rows.fetch_all::<ReportedRow>().await?;
        Ok(rows.into_iter().map(Reported::from).collect())
    }

    /// What the other partners had between two instants, by kind.
    pub async fn reported_of_others(
        &self,
        partner: &PartnerId,
        from: Millis,
        until: Millis,
    ) -> Result<Vec<Others>, StoreError> {
        let rows = self
            .ask(sql!("reported_region"))
            .param("partner", partner.as_str())
            .param("from", from.0)
            .param("until", until.0);
        rows.fetch_all::<Others>().await
    }
}
