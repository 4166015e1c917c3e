//! What sensors say of themselves.

use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::id::Epoch;
use noroshi_proto::time::{IntervalLength, Millis};

use crate::support::{MORNING, sensor, store};

#[tokio::test]
async fn what_a_sensor_said_last_is_kept() {
    let store = store().await;
    let at = |second: u64| Millis((MORNING + second) * 1_000);
    for (second, version) in [(0, "0.1.0"), (60, "0.2.0")] {
        for name in ["north", "south"] {
            let hello = Hello {
                sensor: sensor(name),
                epoch: Epoch(u64::MAX),
                software_version: version.to_owned(),
                interval_length: IntervalLength::DEFAULT,
                telescope: Vec::new(),
                purpose: Purpose::Live,
                clock: Millis(at(second).0 - 250),
            };
            store.note_hello(&hello, at(second)).await.unwrap();
        }
    }
    let said = store.hellos().await.unwrap();
    assert_eq!(said.keys().collect::<Vec<_>>(), ["north", "south"]);
    let north = &said["north"];
    assert_eq!((north.at, north.version.as_str()), (at(60), "0.2.0"));
    assert_eq!(north.clock_ahead, -250);
}
