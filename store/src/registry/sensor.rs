//! A sensor as the registry knows it, and what it watches when.

use ipnet::IpNet;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;

use super::partner::Validity;
use crate::origin::PartnerId;

/// A registered sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensor {
    /// Its id.
    pub id: SensorId,
    /// Who hosts it.
    pub partner: PartnerId,
    /// Every prefix it watches or watched.
    pub watched: Vec<Watched>,
}

/// A prefix and when it is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The prefix.
    pub prefix: IpNet,
    /// When.
    pub valid: Validity,
    /// Line in the registry.
    pub line: usize,
}

/// What a sensor watches at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telescope {
    /// The prefixes, ascending, disjoint.
    pub prefixes: Vec<IpNet>,
}

impl Sensor {
    /// What it watches at this second (since 1970).
    pub fn telescope_at(&self, second: u64) -> Telescope {
        let at = Millis(second.saturating_mul(1000));
        let watched = self
            .watched
            .iter()
            .filter(|watched| watched.valid.holds(at));
        let mut prefixes: Vec<IpNet> = watched.map(|watched| watched.prefix).collect();
        prefixes.sort_unstable();
        Telescope { prefixes }
    }
}

impl Telescope {
    /// Dark IPv4 addresses in it: N.
    pub fn addresses(&self) -> u64 {
        let size = |prefix: &IpNet| match prefix {
            IpNet::V4(v4) => 1_u64 << (32 - v4.prefix_len()),
            IpNet::V6(_) => 0,
        };
        self.prefixes.iter().map(size).sum()
    }

    /// Whether it watches `address`.
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        self.prefixes.iter().any(|prefix| prefix.contains(&address))
    }
}
