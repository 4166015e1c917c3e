//! Ways of noticing something unusual in telescope traffic.
//!
//! | module           | says                                                          |
//! |------------------|---------------------------------------------------------------|
//! | [`hosts`]        | a source scans: infected, or any other scanner                |
//! | [`spoof_suspect`]  | a crowd of new sources is forged: none of them is named    |
//! | [`open_reflector`] | a source answers from an amplifier's port                   |
//! | [`reflection`]   | a source looks for amplifiers, or is their victim             |
//! | [`ddos_victim`]  | an address or prefix is under attack                          |
//! | [`coordinated`]  | sources ask for a service in one rhythm                       |
//! | [`scan_surge`]   | more sources than usual ask for a service, or for a new one   |
//! | [`country_silence`] | a country's background radiation stopped                   |
//! | [`sensor_silence`] | a sensor stopped reporting                                  |
//!
//! To add one: write its file, give it settings, add a line to [`all`].

pub mod aggressive;
pub mod bots;
pub mod coordinated;
pub mod country_silence;
pub mod crowd;
pub mod ddos_victim;
pub mod distinct;
pub mod generations;
pub mod hosts;
pub mod labels;
pub mod moves;
pub mod open_reflector;
pub mod reflection;
pub mod scan_surge;
pub mod scanner;
pub mod sensor_silence;
pub mod sources;
pub mod spoof_suspect;
pub mod statistics;
pub mod views;

#[cfg(test)]
mod tests;

use std::ops::Range;

use noroshi_proto::id::SensorId;
use noroshi_store::alert::Kind;
use noroshi_store::past::PastBin;
use noroshi_store::window::Window;

use crate::finding::Finding;
use crate::settings::Settings;

/// One way of noticing something unusual in telescope traffic.
///
/// The same windows in the same order give the same findings. A detector sees no clock,
/// file or network, and its state is never saved: after a restart the span that
/// [`Facts::warm_up`] names is replayed and its findings thrown away. Windows come in
/// ascending order; a pause of any length between two costs no more than none. Late
/// sightings ([`noroshi_store::window::Sighting::late`]) count only for detectors keyed by
/// source.
pub trait Detector: Send + Sync {
    /// What never changes about it.
    fn facts(&self) -> Facts;
    /// Takes a closed window in, and says what follows from it.
    fn examine(&mut self, window: &Window) -> Vec<Finding>;
    /// Takes in a bin of the past that rollups remember, in ascending order and before any
    /// window: for detectors that ask for [`WarmUp::Rollups`]. What follows from it was told
    /// then. Windows of bins that were recalled count no more.
    fn recall(&mut self, _past: &PastBin) {}
    /// How full its tables are that time or a flood may fill.
    fn tables(&self) -> Vec<Fill> {
        Vec::new()
    }
    /// Hears when sensors are being worked on; what was said before is replaced.
    fn maintain(&mut self, _works: &[Maintenance]) {}
}

/// How full a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Which: a word of its own among all detectors.
    pub table: &'static str,
    /// Entries that it has.
    pub entries: usize,
    /// The most that it may have.
    pub limit: usize,
}

impl Fill {
    pub(crate) fn of(table: &'static str, entries: usize, limit: usize) -> Self {
        Self {
            table,
            entries,
            limit,
        }
    }
}

/// A sensor is worked on: what it does not see means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// Which.
    pub sensor: SensorId,
    /// From when to when, in seconds since 1970.
    pub span: Range<u64>,
}

/// What never changes about a detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its name.
    pub name: &'static str,
    /// The kinds it finds.
    pub kinds: &'static [Kind],
    /// How much of the past it must have seen before it can be trusted.
    pub warm_up: WarmUp,
}

/// The past that a detector needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// None.
    Nothing,
    /// Windows of the last so many seconds.
    Windows {
        /// How far back.
        seconds: u64,
    },
    /// Ten-minute rollups of the last so many seconds, and the windows since the last of them.
    Rollups {
        /// How far back.
        seconds: u64,
    },
}

/// What is being watched: what happens now, or what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Sensors report as time passes; one that stops has fallen silent.
    Live,
    /// Captures or stored windows; where they end, observation ends.
    Recorded,
}

/// Every detector for this kind of observation.
pub fn all(settings: &Settings, observation: Observation) -> Vec<Box<dyn Detector>> {
    let mut detectors: Vec<Box<dyn Detector>> = vec![
        Box::new(hosts::HostScans::new(settings)),
        Box::new(reflection::Reflections::new(settings)),
        Box::new(open_reflector::OpenReflectors::new(settings)),
        Box::new(ddos_victim::DdosVictims::new(&settings.ddos_victim)),
        Box::new(scan_surge::ScanSurges::new(&settings.scan_surge)),
        Box::new(coordinated::CoordinatedScans::new(&settings.coordinated)),
        Box::new(country_silence::CountrySilences::new(
            &settings.country_silence,
        )),
    ];
    if observation == Observation::Live {
        let silence = sensor_silence::SensorSilences::new(&settings.sensor_silence);
        detectors.push(Box::new(silence));
    }
    detectors
}
