//! Where the collector listens, and what it takes.

use std::net::{Ipv4Addr, SocketAddr};

use crate::admit::allowance::Rates;
use crate::identity::tls::TlsSettings;
use crate::update::UpdateSettings;

/// What the operator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where sensors connect to. Plain connections are for loopback alone.
    pub listen: SocketAddr,
    /// Certificates; without them plain connections, on loopback only.
    pub tls: Option<TlsSettings>,
    /// Whether replayed captures are taken.
    pub replay: Replay,
    /// Streams open at a time.
    pub streams_max: u32,
    /// What each sensor may send in the long run.
    pub rates: Rates,
    /// Updates for sensors; none where it is not written.
    pub updates: Option<UpdateSettings>,
}

/// What a collector does about replayed captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It turns them away: old packets are no news.
    Refused,
    /// It keeps them: this store is for exercises.
    Admitted,
}

impl Settings {
    /// On a free loopback port, for replayed captures: `noroshi replay` and `noroshi demo`.
    pub fn local_replay() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
            replay: Replay::Admitted,
            streams_max: 1_024,
            rates: Rates::UNLIMITED,
            updates: None,
        }
    }
}
