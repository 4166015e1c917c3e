//! What happens by script, when, and how it grows.
//!
//! A script is the same for every seed; who exactly takes part, and with which packets, is
//! drawn.

use noroshi_store::alert::Kind;

use super::ports::Asked;
use super::region::Nature;
use crate::generate::packet::Tool;

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// Its name, told apart from all others of the scenario.
    pub name: String,
    /// What it is part of.
    pub group: &'static str,
    /// What happens.
    pub act: Act,
    /// From this second (since 1970).
    pub from: u64,
    /// Until before this second.
    pub until: u64,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// More sources than usual ask for a service.
    Scan(Scan),
    /// Sources of one network that share ports and a rhythm, each far below any threshold.
    LowAndSlow {
        /// The ports, each source all of them.
        ports: Vec<u16>,
        /// Sources.
        sources: u32,
        /// Packets of each per hour, over all sensors.
        per_hour: f64,
    },
    /// Hosts of one land are infected, each with an address of its own.
    Infection {
        /// Where, by index.
        land: usize,
        /// Hosts.
        hosts: u32,
        /// The TCP port they ask for.
        port: u16,
        /// Packets of each per day, over all sensors.
        per_day: f64,
    },
    /// A host answers packets forged in the names of random addresses.
    Backscatter {
        /// Who answers.
        victim: u32,
        /// The port that is attacked.
        port: u16,
        /// Answers per second and telescope address.
        rate: f64,
    },
    /// All hosts of a /24 do so in turn.
    Carpet {
        /// The first address of the /24.
        network: u32,
        /// Answers per second and telescope address, of all.
        rate: f64,
    },
    /// A host looks for amplifiers.
    Recon {
        /// Who looks.
        source: u32,
        /// The UDP port.
        port: u16,
        /// Requests per second and telescope address.
        rate: f64,
    },
    /// A sensor sees and says nothing.
    SensorOutage {
        /// Which, by index.
        sensor: usize,
    },
    /// Nothing comes from a country.
    CountryOutage {
        /// Which.
        country: &'static str,
    },
    /// From then on some networks lie in another country.
    GeoReload,
    /// A sensor's clock is ahead by so many seconds: as many are missing when it begins, and
    /// as many are told twice when it is set right.
    ClockSkew {
        /// Which, by index.
        sensor: usize,
        /// Seconds.
        ahead: u64,
    },
    /// Answers in the names of random addresses, hardly any of them twice.
    Storm {
        /// How many addresses.
        sources: u64,
        /// The port that seems to answer.
        port: u16,
    },
    /// One source asks for one service, loudly.
    Burst {
        /// Who.
        source: u32,
        /// Which TCP port.
        port: u16,
        /// Packets per second.
        rate: f64,
    },
    /// Nobody watches.
    Gap,
}

/// More sources than usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// For what they ask.
    pub asked: Asked,
    /// Sources in ten minutes at the height, as a multiple of the usual ones
    /// ([`FLOOR`] where those are fewer).
    pub size: f64,
    /// How their number grows.
    pub ramp: Ramp,
    /// Where they are.
    pub whence: Whence,
    /// What they send with: [`Tool::Mirai`] for infected hosts.
    pub tool: Tool,
    /// Packets of one source in ten minutes in which it is seen, in the mean.
    pub packets: f64,
}

/// Sources in ten minutes below which a service is not taken to be asked for usually.
pub const FLOOR: f64 = 3.0;

/// How the number of sources grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ramp {
    /// At once.
    Step,
    /// As an epidemic: half its height after so many seconds, a tenth after half as many.
    Logistic {
        /// Seconds to half the height.
        half: u64,
    },
    /// By the same number each minute, until so many seconds have passed.
    Steady {
        /// Seconds to the height.
        full: u64,
    },
}

/// Where the sources of a campaign are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Whence {
    /// Everywhere, as those of the background.
    World,
    /// In one land, by index.
    Land(usize),
}

impl Ramp {
    /// The share of its height after `seconds`.
    pub fn share(self, seconds: u64) -> f64 {
        match self {
            Self::Step => 1.0,
            Self::Logistic { half } => {
                let turn = (seconds as f64 / half.max(1) as f64 - 1.0) * 2.0 * 9.0_f64.ln();
                1.0 / (1.0 + (-turn).exp())
            }
            Self::Steady { full } => (seconds as f64 / full.max(1) as f64).min(1.0),
        }
    }

    /// Seconds until half its height.
    pub fn half_rise(self) -> u64 {
        match self {
            Self::Step => 0,
            Self::Logistic { half } => half,
            Self::Steady { full } => full / 2,
        }
    }
}

impl Scan {
    /// What its sources are.
    pub fn nature(&self) -> Nature {
        match self.tool {
            Tool::Mirai => Nature::Infected,
            _ => Nature::Scanner,
        }
    }
}

impl Act {
    /// The kinds that would tell of it, any of them; none where it must stay silent.
    pub fn expected(&self) -> &'static [Kind] {
        match self {
            Self::Scan(_) => &[Kind::ScanSurge, Kind::NewService],
            Self::LowAndSlow { .. } => &[Kind::CoordinatedScan],
            Self::Infection { .. } => &[Kind::InfectedHost],
            Self::Backscatter { .. } | Self::Carpet { .. } => &[Kind::DdosVictim],
            Self::Recon { .. } => &[Kind::ReflectionRecon],
            Self::CountryOutage { .. } => &[Kind::CountrySilence],
            Self::SensorOutage { .. } => &[Kind::SensorSilence],
            Self::Storm { .. } => &[Kind::SpoofSuspect],
            Self::GeoReload | Self::ClockSkew { .. } | Self::Burst { .. } | Self::Gap => &[],
        }
    }

    /// Whether it is a null: no partner may hear of it.
    pub fn is_null(&self) -> bool {
        match self {
            Self::SensorOutage { .. }
            | Self::GeoReload
            | Self::ClockSkew { .. }
            | Self::Storm { .. }
            | Self::Burst { .. }
            | Self::Gap => true,
            Self::Scan(_)
            | Self::LowAndSlow { .. }
            | Self::Infection { .. }
            | Self::Backscatter { .. }
            | Self::Carpet { .. }
            | Self::Recon { .. }
            | Self::CountryOutage { .. } => false,
        }
    }

    /// The name of what happens.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scan(_) => "scan",
            Self::LowAndSlow { .. } => "low and slow",
            Self::Infection { .. } => "infection",
            Self::Backscatter { .. } => "backscatter",
            Self::Carpet { .. } => "carpet bombing",
            Self::Recon { .. } => "search for amplifiers",
            Self::SensorOutage { .. } => "sensor outage",
            Self::CountryOutage { .. } => "country outage",
            Self::GeoReload => "geo reload",
            Self::ClockSkew { .. } => "clock skew",
            Self::Storm { .. } => "spoofed storm",
            Self::Burst { .. } => "single source",
            Self::Gap => "gap",
        }
    }
}
