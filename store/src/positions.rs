//! How far readers have come, who is the one analyzer, and who looked at what.

use std::time::Duration;

use noroshi_proto::time::Millis;
use serde_json::json;

use crate::cases::{ChangeCursor, line};
use crate::store::{Store, StoreError};

/// The right to be the one analyzer, until it lapses or another takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    token: u64,
    holder: String,
}

impl Lease {
    /// Grows with every holder: the greatest one is valid.
    pub fn token(&self) -> u64 {
        self.token
    }
}

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

/// Until two claims made at once are sure to see each other.
const SETTLE: Duration = Duration::from_millis(300);

impl Store {
    /// Takes the lease until `until` unless another holds it at `now`; `None` where one does.
    ///
    /// `holder` names this analyzer; the same name takes its own lease over at once, after a restart.
    pub async fn acquire_lease(
        &self,
        holder: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Option<Lease>, StoreError> {
        let current = self.current_lease().await?;
        let token = match &current {
            Some((_, name, lapses)) if name != holder && *lapses > now => return Ok(None),
            Some((token, ..)) => token + 1,
            None => 1,
        };
        let lease = Lease {
            token,
            holder: holder.to_owned(),
        };
        self.claim(&lease, until).await?;
        tokio::time::sleep(SETTLE).await;
        Ok(self.holds(&lease).await?.then_some(lease))
    }

    /// Holds the lease until `until`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another took over: stop.
    pub async fn renew_lease(&self, lease: &Lease, until: Millis) -> Result<(), StoreError> {
        self.check_lease(lease).await?;
        self.claim(lease, until).await
    }

    /// Saves how far the analyzer has come.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another took over: stop.
    pub async fn save_position(&self, lease: &Lease, position: Position) -> Result<(), StoreError> {
        self.check_lease(lease).await?;
        let mut row = Vec::new();
        let saved = json!({
            "token": lease.token,
            "position": position.through,
            "taken": position.taken.to_string(),
        });
        line(&mut row, &saved);
        self.insert_lines("analyzer_position", row).await
    }

    /// How far the last analyzer came; `None` before the first one saved.
    pub async fn position(&self) -> Result<Option<Position>, StoreError> {
        let position = self
            .client()
            .query(include_str!("../queries/analyzer_position.sql"));
        let row = position.fetch_optional::<(u64, i64)>().await?;
        Ok(row.map(|(through, taken)| Position {
            through,
            taken: crate::ledger::millis(taken),
        }))
    }

    /// How far the reader called `feed` has come.
    pub async fn feed_cursor(&self, feed: &str) -> Result<Option<ChangeCursor>, StoreError> {
        let cursor = self
            .client()
            .query(include_str!("../queries/feed_cursor.sql"))
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

    async fn current_lease(&self) -> Result<Option<(u64, String, Millis)>, StoreError> {
        let current = self
            .client()
            .query(include_str!("../queries/current_lease.sql"));
        let row = current.fetch_optional::<(u64, String, i64)>().await?;
        Ok(row.map(|(token, holder, until)| (token, holder, crate::ledger::millis(until))))
    }

    async fn holds(&self, lease: &Lease) -> Result<bool, StoreError> {
        let current = self.current_lease().await?;
        Ok(
            current
                .is_some_and(|(token, holder, _)| token == lease.token && holder == lease.holder),
        )
    }

    async fn check_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        match self.holds(lease).await? {
            true => Ok(()),
            false => Err(StoreError::Fenced(lease.token)),
        }
    }

    async fn claim(&self, lease: &Lease, until: Millis) -> Result<(), StoreError> {
        let mut row = Vec::new();
        let claim = json!({
            "token": lease.token,
            "holder": lease.holder,
            "until": until.to_string(),
        });
        line(&mut row, &claim);
        self.insert_lines("analyzer_lease", row).await
    }
}
