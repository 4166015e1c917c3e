//! One stream per sensor: the newest.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use noroshi_proto::id::SensorId;
use noroshi_proto::refusal::Refusal;
use noroshi_proto::time::Millis;
use tokio::sync::watch;

/// The newest stream of each sensor. At most as many entries as the registry has sensors.
#[derive(Debug, Default)]
pub struct Fences(Mutex<HashMap<SensorId, Newest>>);

#[derive(Debug)]
struct Newest {
    said_hello: Millis,
    stream: watch::Sender<()>,
}

impl Fences {
    /// Enters a new stream of `sensor`, which said its hello at that time of its own clock; what
    /// was handed out for an older one ends with it.
    ///
    /// # Errors
    /// [`Refusal::Overtaken`] when a stream that said hello later is open. What a killed process
    /// has sent may be read after its successor's hello, and must not end the successor.
    pub fn enter(
        &self,
        sensor: &SensorId,
        said_hello: Millis,
    ) -> Result<watch::Receiver<()>, Refusal> {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if newest
            .get(sensor)
            .is_some_and(|open| open.said_hello > said_hello && !open.stream.is_closed())
        {
            return Err(Refusal::Overtaken);
        }
        let (stream, receiver) = watch::channel(());
        newest.insert(sensor.clone(), Newest { said_hello, stream }); // drops the older's sender
        Ok(receiver)
    }
}

/// Ends when the sender is dropped.
pub async fn gone(mut receiver: watch::Receiver<()>) {
    while receiver.changed().await.is_ok() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensor(id: &str) -> SensorId {
        SensorId::new(id).expect("an id")
    }

    #[tokio::test]
    async fn the_newest_stream_fences_the_older_one_of_its_sensor_alone() {
        let fences = Fences::default();
        let first = fences.enter(&sensor("a"), Millis(1)).expect("alone");
        let other = fences.enter(&sensor("b"), Millis(0)).expect("alone");
        assert!(first.has_changed().is_ok());
        let second = fences.enter(&sensor("a"), Millis(1)).expect("the newest");
        gone(first).await;
        assert!(second.has_changed().is_ok());
        assert!(other.has_changed().is_ok());
    }

    #[tokio::test]
    async fn a_hello_that_comes_late_ends_no_younger_stream() {
        let fences = Fences::default();
        let successor = fences.enter(&sensor("a"), Millis(2)).expect("alone");
        let late = fences.enter(&sensor("a"), Millis(1));
        assert_eq!(late.expect_err("it is late"), Refusal::Overtaken);
        assert!(successor.has_changed().is_ok());
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_locks_nobody_out() {
        let fences = Fences::default();
        drop(fences.enter(&sensor("a"), Millis(2)).expect("alone"));
        fences.enter(&sensor("a"), Millis(1)).expect("none is open");
    }
}
