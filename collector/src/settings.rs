//! Where the collector listens, and what it takes.

use std::net::{Ipv4Addr, SocketAddr};

/// What the operator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where sensors connect to. Plain connections are for loopback alone.
    pub listen: SocketAddr,
    /// Whether replayed captures are taken.
    pub replay: Replay,
    /// Streams open at a time.
    pub streams_max: u32,
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
            replay: Replay::Admitted,
            streams_max: 1_024,
        }
    }
}
