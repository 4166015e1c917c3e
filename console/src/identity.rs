//! What the centre knows of sensors' certificates, where the console runs beside its directory of
//! identities; and the one thing it does there.
//!
//! The directory is another crate's: the program hands in how to ask it.

use std::fmt;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;

/// Asks for each of these sensors, in their order.
pub type Ask = Box<dyn Fn(&[SensorId]) -> Result<Vec<Identity>, String> + Send + Sync>;
/// Gives a sensor a token, on whose word.
pub type Invite = Box<dyn Fn(&SensorId, &str) -> Result<Invitation, String> + Send + Sync>;

/// How to ask the directory of identities. Both read and write files, and may take a while.
pub struct Identities {
    /// How sensors stand.
    pub of: Ask,
    /// Invites one; `None` where an authority of the operator's own issues certificates.
    pub invite: Option<Invite>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let may = self.invite.is_some();
        f.debug_struct("Identities").field("invites", &may).finish()
    }
}

/// How one sensor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `enrolled`, `invited`, `expired`, `revoked` or `not enrolled`.
    pub state: &'static str,
    /// Until when its newest certificate lives.
    pub certificate_until: Option<Millis>,
    /// Until when a token waits for it.
    pub token_until: Option<Millis>,
    /// What it runs, where it asks for updates.
    pub runs: Option<Running>,
}

/// What a sensor said when it asked for updates last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// When.
    pub at: Millis,
    /// Its version.
    pub version: String,
    /// Which version failed there; empty where none did.
    pub failed: String,
    /// And why.
    pub why: String,
}

/// What lets a sensor in.
pub struct Invitation {
    /// The one-time token: a secret.
    pub token: String,
    /// Until when.
    pub until: Millis,
}
