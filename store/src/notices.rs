//! Cases that rest on evidence from elsewhere, such as the logs of a command-and-control server.
//!
//! They stand in a table of their own. Nothing that counts, compares or draws reads it: no surge,
//! no coordination, no statistic, no backtest, no indicator and no dashboard. Only the partner's
//! feed and the command line do, and the engine deletes them after a short time.

use noroshi_proto::time::Millis;
use serde_json::json;

use crate::cases::{Case, line, subject, told};
use crate::origin::PartnerId;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// The `reason_code` of every case from a sinkhole's logs.
pub const SINKHOLE: &str = "sinkhole";

/// One state of an imported case.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The case.
    pub case: Case,
    /// When the partner is told, in wall time: it is kept for some days from here.
    pub at: Millis,
    /// `operator:NAME`
    pub by: String,
    /// What the evidence may be used for.
    pub purpose: String,
}

impl Store {
    /// Keeps notices. Keeping one again changes nothing.
    pub async fn record_notices(&self, notices: &[Notice]) -> Result<(), StoreError> {
        if notices.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::new();
        for notice in notices {
            let alert = &notice.case.alert;
            let body = serde_json::to_string(alert)
                .map_err(|error| StoreError::Unstorable(format!("notice {}: {error}", alert.id)))?;
            let row = json!({
                "id": alert.id,
                "version": notice.case.version,
                "at": notice.at.to_string(),
                "by": notice.by,
                "purpose": notice.purpose,
                "partner": alert.partner.as_deref().unwrap_or(""),
                "subject": subject(&alert.subject),
                "body": body,
            });
            line(&mut rows, &row);
        }
        self.insert_lines("notices", rows).await
    }

    /// Imported cases in their last state, the last notice first; of one partner, or of all.
    pub async fn notices(
        &self,
        partner: Option<&PartnerId>,
        limit: u32,
    ) -> Result<Vec<Case>, StoreError> {
        let rows = self
            .ask(sql!("notices"))
            .param("partner", partner.map_or("", PartnerId::as_str))
            .param("limit", limit)
            .fetch_all::<(u64, u8, String)>()
            .await?;
        rows.into_iter().map(told).collect()
    }
}
