//! One stream per sensor: the newest.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use noroshi_proto::id::SensorId;
use tokio::sync::watch;

/// The newest stream of each sensor. At most as many entries as the registry has sensors.
#[derive(Debug, Default)]
pub struct Fences(Mutex<HashMap<SensorId, watch::Sender<()>>>);

impl Fences {
    /// Enters a new stream of `sensor`; what was handed out for an older one ends with it.
    pub fn enter(&self, sensor: &SensorId) -> watch::Receiver<()> {
        let (sender, receiver) = watch::channel(());
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        newest.insert(sensor.clone(), sender); // drops the older stream's sender
        receiver
    }
}

/// Ends when the sender is dropped.
pub async fn gone(mut receiver: watch::Receiver<()>) {
    while receiver.changed().await.is_ok() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_stream_fences_the_older_one_of_its_sensor_alone() {
        let fences = Fences::default();
        let (a, b) = (
            SensorId::new("a").expect("id"),
            SensorId::new("b").expect("id"),
        );
        let first = fences.enter(&a);
        let other = fences.enter(&b);
        assert!(first.has_changed().is_ok());
        let second = fences.enter(&a);
        gone(first).await;
        assert!(second.has_changed().is_ok());
        assert!(other.has_changed().is_ok());
    }
}
