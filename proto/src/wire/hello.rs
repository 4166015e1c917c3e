//! How a stream begins: [`Hello`] and [`Welcome`].

use crate::hello::{Held, Hello, Purpose, Welcome};
use crate::id::{Epoch, SensorId};
use crate::limits::{HELD_RANGES_MAX, TELESCOPE_PREFIXES_MAX, TEXT_BYTES_MAX};
use crate::time::{IntervalLength, Millis};
use crate::v1;
use crate::wire::{Malformed, within};

impl From<&Hello> for v1::Hello {
    fn from(hello: &Hello) -> Self {
        let purpose = match hello.purpose {
            Purpose::Live => v1::Purpose::Live,
            Purpose::Replay => v1::Purpose::Replay,
        };
        Self {
            sensor: hello.sensor.to_string(),
            epoch: hello.epoch.0,
            software_version: hello.software_version.clone(),
            interval_seconds: hello.interval_length.seconds().into(),
            telescope: hello.telescope.iter().map(ToString::to_string).collect(),
            purpose: purpose.into(),
            clock_ms: hello.clock.0,
        }
    }
}

impl TryFrom<v1::Hello> for Hello {
    type Error = Malformed;

    fn try_from(wire: v1::Hello) -> Result<Self, Malformed> {
        within(
            "software_version",
            wire.software_version.len(),
            TEXT_BYTES_MAX,
        )?;
        within("telescope", wire.telescope.len(), TELESCOPE_PREFIXES_MAX)?;
        let prefix = |text: &String| {
            text.parse()
                .map_err(|_| Malformed::invalid("telescope", "not a prefix such as 192.0.2.0/24"))
        };
        Ok(Self {
            sensor: sensor(&wire.sensor)?,
            epoch: Epoch(wire.epoch),
            telescope: wire
                .telescope
                .iter()
                .map(prefix)
                .collect::<Result<_, _>>()?,
            software_version: wire.software_version,
            interval_length: interval_length(wire.interval_seconds)?,
            purpose: purpose(wire.purpose)?,
            clock: Millis(wire.clock_ms),
        })
    }
}

impl From<&Welcome> for v1::Welcome {
    fn from(welcome: &Welcome) -> Self {
        let held = welcome.held.iter().map(|range| v1::Held {
            epoch: range.epoch.0,
            first: range.first,
            last: range.last,
        });
        Self {
            held: held.collect(),
            clock_ms: welcome.clock.0,
        }
    }
}

impl TryFrom<v1::Welcome> for Welcome {
    type Error = Malformed;

    fn try_from(wire: v1::Welcome) -> Result<Self, Malformed> {
        within("held", wire.held.len(), HELD_RANGES_MAX)?;
        Ok(Self {
            held: wire.held.into_iter().map(held).collect::<Result<_, _>>()?,
            clock: Millis(wire.clock_ms),
        })
    }
}

fn held(wire: v1::Held) -> Result<Held, Malformed> {
    if wire.first > wire.last {
        return Err(Malformed::invalid("held", "first is after last"));
    }
    Ok(Held {
        epoch: Epoch(wire.epoch),
        first: wire.first,
        last: wire.last,
    })
}

fn purpose(number: i32) -> Result<Purpose, Malformed> {
    match v1::Purpose::try_from(number) {
        Ok(v1::Purpose::Live) => Ok(Purpose::Live),
        Ok(v1::Purpose::Replay) => Ok(Purpose::Replay),
        _ => Err(Malformed::unknown("purpose", number.unsigned_abs())),
    }
}

pub(super) fn sensor(name: &str) -> Result<SensorId, Malformed> {
    SensorId::new(name).ok_or(Malformed::invalid(
        "sensor",
        "not 1 to 64 lower-case letters, digits and hyphens",
    ))
}

pub(super) fn interval_length(seconds: u32) -> Result<IntervalLength, Malformed> {
    IntervalLength::new(seconds).ok_or(Malformed::invalid(
        "interval_seconds",
        "not 1 to 60 and a divisor of 60",
    ))
}
