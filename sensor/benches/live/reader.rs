//! Threads of our own that read the wire.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::loss::Loss;
use noroshi_proto::time::{IntervalLength, Millis};
use noroshi_sensor::capture::interface::Interface;
use noroshi_sensor::capture::{Capture, Progress};
use noroshi_sensor::clock;
use noroshi_sensor::config::size::ByteSize;
use noroshi_sensor::config::{self, KernelFilter, Method};
use noroshi_sensor::decode::Decoder;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::mask::{Mask, MaskKey};
use noroshi_sensor::sense::Sense;
use noroshi_sensor::summarise::{Cut, Memory, Settings, Summariser};
use noroshi_sensor::telescope::Telescope;
use prost::Message as _;

use super::wire::NEAR;

/// What is done with what is read.
#[derive(Clone, Copy)]
pub enum Reader {
    /// Counted, from our ring.
    Ring,
    /// Counted, from libpcap.
    Libpcap,
    /// What the sensor does: decoded, summarised, encoded, compressed; from our ring.
    Sensor,
}

impl Reader {
    /// Nothing is read yet.
    pub fn open(self) -> Interface {
        let settings = config::Capture {
            interface: NEAR.into(),
            method: match self {
                Self::Ring | Self::Sensor => Method::Ring,
                Self::Libpcap => Method::Pcap,
            },
            ring: ByteSize::mebibytes(16),
            snaplen: 256,
            kernel_filter: KernelFilter::On,
        };
        Interface::open(&settings, &telescope(), Delivery::Direct).expect("the wire opens")
    }

    /// Reads until the sender has `ended` and nothing comes any more: how many frames.
    pub fn read(self, interface: &mut Interface, ended: &AtomicBool) -> u64 {
        match self {
            Self::Ring | Self::Libpcap => count(interface, ended),
            Self::Sensor => sense(interface, ended),
        }
    }
}

/// Frames for which there was no room.
pub fn dropped(interface: &mut Interface) -> u64 {
    let losses = interface.losses().expect("it counts");
    losses.of(Loss::KernelDropped)
}

fn telescope() -> Telescope {
    Telescope::new(&["198.18.0.0/20".parse().expect("a prefix")])
}

fn count(interface: &mut Interface, ended: &AtomicBool) -> u64 {
    let mut frames = 0;
    loop {
        let was_last = ended.load(Ordering::Acquire);
        let progress =
            interface.read(|frame| frames += u64::from(!black_box(frame.bytes).is_empty()));
        if progress.expect("it reads") == Progress::Idle && was_last {
            return frames;
        }
    }
}

/// In intervals of a second, so that each round has some; shorter ones cost more.
fn sense(interface: &mut Interface, ended: &AtomicBool) -> u64 {
    let sensor = SensorId::new("bench").expect("an id");
    let mask = Mask::new(&MaskKey::from_sensor_id(&sensor), telescope());
    let length = IntervalLength::new(1).expect("it divides a minute");
    let settings = Settings {
        sensor,
        epoch: Epoch(1),
        interval_length: length,
        cut: Cut::EveryInterval,
        memory: Memory::DEFAULT,
    };
    let decoder = Decoder::new(telescope(), Delivery::Direct);
    let mut sense = Sense::new(decoder, Summariser::new(settings, mask));
    loop {
        let was_last = ended.load(Ordering::Acquire);
        let progress = sense.read(interface).expect("it reads");
        let surely = Millis(clock::now().0 - Interface::delay().as_millis() as u64);
        sense.advance_to(surely.interval(length));
        for batch in sense.take() {
            black_box(batch.encode_to_vec());
        }
        if progress == Progress::Idle && was_last {
            let frames = sense.counters().frames;
            black_box(sense.finish());
            return frames;
        }
    }
}
