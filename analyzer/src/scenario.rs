//! Months of telescope traffic made to measure, with the truth about them.
//!
//! Background radiation with measured statistics, campaigns by script, and nulls that must
//! stay silent, as windows: one after another, in memory that does not grow with the length.
//! The same seed gives the same windows. Silence of any length costs nothing.
//!
//! | module         | gives                                                          |
//! |----------------|----------------------------------------------------------------|
//! | [`draw`]       | counts and choices from a seed                                 |
//! | [`region`]     | countries, networks, partners, and the registry of them        |
//! | [`ports`]      | which services background radiation asks for                   |
//! | [`rhythm`]     | day, week, and the noise from one ten minutes to the next      |
//! | [`population`] | who sends the background                                       |
//! | [`act`]        | what happens by script, when, and how it grows                 |
//! | [`truth`]      | what must come of it                                           |
//! | [`event`]      | one source's packets of one window, and the flows of them      |
//! | [`play`]       | the windows                                                    |
//! | [`catalogue`]  | every scenario by name                                         |
//! | [`october`]    | the month to be judged by                                      |
//! | [`shorter`]    | a week, a day, a storm                                         |
//! | [`capture`]    | the packets of a window, for capture files                     |

pub mod act;
pub mod capture;
pub mod catalogue;
pub mod draw;
pub mod event;
pub mod october;
pub mod play;
pub mod population;
pub mod ports;
pub mod region;
pub mod rhythm;
pub mod shorter;
pub mod truth;

#[cfg(test)]
mod tests;

use noroshi_proto::id::SensorId;

use self::act::Scheduled;
use self::play::Play;

/// Seconds of a bin in which sources are counted.
pub const BIN_SECONDS: u64 = 600;

/// What is played: who watches, what always arrives, and what happens.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for, in a line.
    pub summary: &'static str,
    /// Its first second, since 1970: the start of a bin.
    pub from: u64,
    /// The second after its last.
    pub until: u64,
    /// Who watches, by id.
    pub sensors: Vec<Place>,
    /// Packets of background per second and telescope address.
    pub rate: f64,
    /// Sources of background at one time.
    pub sources: u32,
    /// Packets that all but the loudest send at one visit, in the mean: fewer where packets
    /// are thinned.
    pub burst: f64,
    /// What happens.
    pub script: Vec<Scheduled>,
}

/// A sensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub sensor: SensorId,
    /// Dark IPv4 addresses it watches.
    pub addresses: u32,
}

impl Scenario {
    /// The windows, of this seed.
    pub fn play(&self, seed: u64) -> Play {
        Play::new(self, seed)
    }

    /// Dark IPv4 addresses of all sensors.
    pub fn addresses(&self) -> u64 {
        self.sensors
            .iter()
            .map(|place| u64::from(place.addresses))
            .sum()
    }

    /// How long it lasts, in seconds, without the pauses in which nobody watches.
    pub fn watched_seconds(&self) -> u64 {
        let pauses: u64 = self
            .script
            .iter()
            .filter(|one| matches!(one.act, act::Act::Gap))
            .map(|one| {
                let (from, until) = (one.from.max(self.from), one.until.min(self.until));
                until.saturating_sub(from)
            })
            .sum();
        (self.until - self.from).saturating_sub(pauses)
    }
}
