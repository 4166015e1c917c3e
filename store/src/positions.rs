//! How far readers have come, and who looked at what.

use noroshi_proto::time::Millis;
use serde_json::json;

use crate::cases::{ChangeCursor, line};
use crate::lease::Lease;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// Somebody read something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When, in wall time.
    pub at: Millis,
    /// `partner:ID`.
    pub who: String,
    /// What, and how it was answered.
    pub action: String,
}

/// How far an analyzer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Every interval before this second since 1970 has been examined, as far as it had arrived.
    pub through: u64,
    /// What the store had before this wall time had arrived.
    pub taken: Millis,
}

impl Store {
    /// Saves how far the analyzer has come.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another took over: stop.
    pub async fn save_position(&self, lease: &Lease, position: Position) -> Result<(), StoreError> {
        self.check_lease(lease).await?;
        let mut row = Vec::new();
        let saved = json!({
            "token": lease.token(),
            "position": position.through,
            "taken": position.taken.to_string(),
        });
        line(&mut row, &saved);
        self.insert_lines("analyzer_position", row).await
    }

    /// How far the last analyzer came; `None` before the first one saved.
    pub async fn position(&self) -> Result<Option<Position>, StoreError> {
        let position = self.ask(sql!("analyzer_position"));
        let row = position.fetch_optional::<(u64, i64)>().await?;
        Ok(row.map(|(through, taken)| Position {
            through,
            taken: crate::ledger::millis(taken),
        }))
    }

    /// How far the reader called `feed` has come.
    pub async fn feed_cursor(&self, feed: &str) -> Result<Option<ChangeCursor>, StoreError> {
        let cursor = self
            .ask(sql!("feed_cursor"))
            .param("feed", feed)
            .fetch_optional::<String>()
            .await?;
        cursor.map(|text| text.parse()).transpose()
    }

    /// Remembers how far the reader called `feed` has come.
    pub async fn set_feed_cursor(
        &self,
        feed: &str,
        cursor: ChangeCursor,
    ) -> Result<(), StoreError> {
        let mut row = Vec::new();
        line(
            &mut row,
            &json!({ "feed": feed, "cursor": cursor.to_string() }),
        );
        self.insert_lines("feed_cursors", row).await
    }

    /// Writes down what was read, all in one.
    pub async fn note_accesses(&self, accesses: &[Access]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for access in accesses {
            let row = json!({
                "at": access.at.to_string(),
                "who": access.who,
                "action": access.action,
                "purpose": "",
            });
            line(&mut rows, &row);
        }
        self.insert_lines("audit", rows).await
    }

    /// Writes down who did what, and why.
    pub async fn audit(&self, who: &str, action: &str, purpose: &str) -> Result<(), StoreError> {
        let mut row = Vec::new();
        line(
            &mut row,
            &json!({ "who": who, "action": action, "purpose": purpose }),
        );
        self.insert_lines("audit", row).await
    }
}
