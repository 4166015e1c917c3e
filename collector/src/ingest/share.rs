//! What one sensor may have of what all sensors use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use noroshi_proto::id::SensorId;
use noroshi_proto::limits::IN_FLIGHT_MAX;
use noroshi_proto::time::Millis;
use noroshi_store::registry::sensor::Sensor;
use tokio::sync::Semaphore;

use crate::admit::allowance::{Allowance, Rates};

/// Streams of one sensor at a time: the newest, and those that it has just ended.
pub const STREAMS_PER_SENSOR_MAX: usize = 4;

/// The share of each sensor. At most as many as the registry has sensors.
#[derive(Debug)]
pub struct Shares {
    rates: Rates,
    of: Mutex<HashMap<SensorId, Arc<Share>>>,
}

/// The share of one sensor, of all its streams together.
#[derive(Debug)]
pub struct Share {
    /// Its streams.
    pub streams: Arc<Semaphore>,
    /// Its batches at work.
    pub work: Arc<Semaphore>,
    spent: Mutex<Spent>,
}

#[derive(Debug)]
struct Spent {
    tuples: Allowance,
    bytes: Allowance,
}

impl Shares {
    /// Nobody has used anything yet.
    pub fn new(rates: Rates) -> Self {
        Self {
            rates,
            of: Mutex::default(),
        }
    }

    /// The share of a sensor of the registry.
    pub fn of(&self, sensor: &Sensor, now: Millis) -> Arc<Share> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let share = of.entry(sensor.id.clone()).or_insert_with(|| {
            let addresses = sensor.telescope_at(now.seconds()).addresses();
            let rates = self.rates.of_telescope(addresses);
            Arc::new(Share {
                streams: Arc::new(Semaphore::new(STREAMS_PER_SENSOR_MAX)),
                work: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
                spent: Mutex::new(Spent {
                    tuples: Allowance::full(rates.tuples, now),
                    bytes: Allowance::full(rates.bytes, now),
                }),
            })
        });
        Arc::clone(share)
    }
}

impl Share {
    /// It has sent so many bytes.
    pub fn spend_bytes(&self, bytes: usize, now: Millis) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.spent().bytes.spend(bytes, now);
    }

    /// It has sent so many flow tuples.
    pub fn spend_tuples(&self, tuples: usize, now: Millis) {
        let tuples = u64::try_from(tuples).unwrap_or(u64::MAX);
        self.spent().tuples.spend(tuples, now);
    }

    /// How long nothing is read of it.
    pub fn debt(&self, now: Millis) -> Duration {
        let mut spent = self.spent();
        let tuples = spent.tuples.debt(now);
        tuples.max(spent.bytes.debt(now))
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use noroshi_store::registry::Registry;

    use super::*;

    const REGISTRY: &str = r#"
[[partner]]
id = "jp-cert"
name = "A test CERT"
country = "JP"

[[sensor]]
id = "a"
partner = "jp-cert"
telescope = [{ prefix = "198.18.0.0/24", from = 2020-01-01 }]

[[sensor]]
id = "b"
partner = "jp-cert"
telescope = [{ prefix = "198.18.1.0/24", from = 2020-01-01 }]
"#;

    #[test]
    fn a_sensor_has_one_share_however_often_it_comes() {
        let shares = Shares::new(Rates::per_second(1));
        let registry = Registry::parse("registry.toml", REGISTRY).unwrap();
        let [a, b] = registry.sensors() else {
            panic!("two sensors");
        };
        let now = Millis(1_000);
        shares.of(a, now).spend_tuples(1 << 20, now);
        let later = Millis(2_000);
        assert!(shares.of(a, later).debt(later) > Duration::ZERO);
        assert_eq!(shares.of(b, later).debt(later), Duration::ZERO);
    }
}
