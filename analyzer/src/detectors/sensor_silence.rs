//! A sensor that reported, and reports no more while others do.

use std::collections::BTreeMap;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::Kind;
use noroshi_store::window::Window;

use super::{Detector, Facts, WarmUp};
use crate::finding::{About, Finding, Reason, Support};
use crate::settings::SensorSilence;

/// Sensors followed; beyond it the rest is not (a registry of so many is refused anyway).
const SENSORS_MAX: usize = 65_536;
/// Seconds after which a sensor that never came back is given up.
const GIVE_UP_SECONDS: u64 = 30 * 86_400;

/// Finds silent sensors. Only where sensors report as time passes: the end of a capture is
/// not silence.
#[derive(Debug)]
pub struct SensorSilences {
    settings: SensorSilence,
    /// The end of the last interval of each sensor.
    reported: BTreeMap<SensorId, u64>,
}

impl SensorSilences {
    /// Knows no sensor yet.
    pub fn new(settings: &SensorSilence) -> Self {
        Self {
            settings: settings.clone(),
            reported: BTreeMap::new(),
        }
    }
}

impl Detector for SensorSilences {
    fn facts(&self) -> Facts {
        Facts {
            name: "sensor_silence",
            kinds: &[Kind::SensorSilence],
            warm_up: WarmUp::Windows { seconds: 86_400 },
        }
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let end = window.end();
        for watch in &window.watches {
            if self.reported.len() < SENSORS_MAX || self.reported.contains_key(&watch.sensor) {
                let last = self.reported.entry(watch.sensor.clone()).or_insert(end);
                *last = end.max(*last);
            }
        }
        self.reported
            .retain(|_, last| end.saturating_sub(*last) < GIVE_UP_SECONDS);
        let silent = self
            .reported
            .iter()
            .filter(|(_, last)| end.saturating_sub(**last) >= self.settings.silence_seconds);
        silent
            .map(|(sensor, last)| Finding {
                kind: Kind::SensorSilence,
                about: About::Sensor(sensor.clone()),
                first: Millis(last * 1000),
                last: Millis(end * 1000),
                at: end,
                packets: 0,
                targets: 0,
                sources: None,
                sensors: vec![sensor.clone()],
                services: Vec::new(),
                source_port: None,
                fingerprint: None,
                usual: None,
                rate: None,
                estimates: Default::default(),
                support: Support::Steady,
                reason: Reason::Silence,
                late: false,
                victims: Vec::new(),
            })
            .collect()
    }
}
