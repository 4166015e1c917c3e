//! The right to be the only one in a role, until it lapses or another takes over.

use std::fmt;
use std::time::Duration;

use noroshi_proto::time::Millis;
use serde_json::json;

use crate::cases::line;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// What only one program does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Decides on alerts.
    Analyzer,
    /// Publishes STIX objects.
    Publisher,
    /// Pushes alerts to partners.
    Deliverer,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Analyzer => "analyzer",
            Self::Publisher => "publisher",
            Self::Deliverer => "deliverer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The right to be the only one in a role, until it lapses or another takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    role: Role,
    token: u64,
    holder: String,
}

impl Lease {
    /// Grows with every holder: the greatest one is valid.
    pub fn token(&self) -> u64 {
        self.token
    }
}

/// Until two claims made at once are sure to see each other.
const SETTLE: Duration = Duration::from_millis(300);

impl Store {
    /// Takes the lease of `role` until `until` unless another holds it at `now`; `None` where one does.
    ///
    /// `holder` names this program; the same name takes its own lease over at once, after a restart.
    pub async fn acquire_lease(
        &self,
        role: Role,
        holder: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Option<Lease>, StoreError> {
        let current = self.current_lease(role).await?;
        let token = match &current {
            Some((_, name, lapses)) if name != holder && *lapses > now => return Ok(None),
            Some((token, ..)) => token + 1,
            None => 1,
        };
        let lease = Lease {
            role,
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

    /// # Errors
    /// [`StoreError::Fenced`] where another took over: stop.
    pub(crate) async fn check_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        match self.holds(lease).await? {
            true => Ok(()),
            false => Err(StoreError::Fenced(lease.role, lease.token)),
        }
    }

    async fn current_lease(&self, role: Role) -> Result<Option<(u64, String, Millis)>, StoreError> {
        let current = self.ask(sql!("current_lease")).param("role", role.name());
        let row = current.fetch_optional::<(u64, String, i64)>().await?;
        Ok(row.map(|(token, holder, until)| (token, holder, crate::ledger::millis(until))))
    }

    async fn holds(&self, lease: &Lease) -> Result<bool, StoreError> {
        let current = self.current_lease(lease.role).await?;
        Ok(
            current
                .is_some_and(|(token, holder, _)| token == lease.token && holder == lease.holder),
        )
    }

    async fn claim(&self, lease: &Lease, until: Millis) -> Result<(), StoreError> {
        let mut row = Vec::new();
        let claim = json!({
            "role": lease.role.name(),
            "token": lease.token,
            "holder": lease.holder,
            "until": until.to_string(),
        });
        line(&mut row, &claim);
        self.insert_lines("leases", row).await
    }
}
