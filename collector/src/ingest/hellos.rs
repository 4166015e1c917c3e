//! Which hellos are kept: of each sensor one a minute, so that one that comes again and again costs
//! the store nothing. Pure.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;

/// Milliseconds between two hellos of one sensor that are kept.
const EVERY: u64 = 60_000;

/// When each sensor's hello was kept last. Sensors of the registry alone are let in, so it has no
/// more entries than that.
#[derive(Default)]
pub struct Hellos(Mutex<HashMap<SensorId, Millis>>);

impl Hellos {
    /// Whether a hello that comes now is to be kept; it is taken to be.
    pub fn is_due(&self, sensor: &SensorId, now: Millis) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = kept
            .get(sensor)
            .is_none_or(|last| now.0.abs_diff(last.0) >= EVERY);
        if is_due {
            kept.insert(sensor.clone(), now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_sensor_one_hello_a_minute_is_kept() {
        let hellos = Hellos::default();
        let due = |name: &str, at: u64| hellos.is_due(&SensorId::new(name).unwrap(), Millis(at));
        assert!(due("a", 100_000) && due("b", 100_001));
        assert!(!due("a", 100_001) && !due("a", 159_999));
        assert!(due("a", 160_000) && !due("a", 219_999));
        assert!(due("a", 10_000), "a clock that was set back");
    }
}
