//! The same path from capture files, as fast as the collector takes it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::id::SensorId;
use noroshi_proto::loss::Counters;
use noroshi_proto::time::IntervalLength;
use noroshi_proto::v1;
use noroshi_proto::wire::batch::count_flows;
use prost::Message;

use super::RunError;
use super::delivery::Delivery;
use crate::capture::Progress;
use crate::capture::file::CaptureFile;
use crate::config::collector::Collector;
use crate::decode::Decoder;
use crate::decode::tunnel::Delivery as Wrapping;
use crate::mask::{Mask, MaskKey};
use crate::sense::Sense;
use crate::ship::lanes::Order;
use crate::ship::{self, Rest};
use crate::spool::{self, Durability};
use crate::summarise::{Cut, Memory, Settings, Summariser};
use crate::telescope::Telescope;
use crate::{clock, key};

/// A collector that takes nothing for so long ends a replay.
const PATIENCE: Duration = Duration::from_secs(30);
/// Reading waits while so much is on its way.
const WINDOW_BYTES: u64 = 64 * 1024 * 1024;
/// What the throw-away spool may hold: a window, and a push that was under way.
const SPOOL_BYTES_MAX: u64 = 4 * WINDOW_BYTES;

/// Whose captures, and where they go.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The sensor that they are said to come from.
    pub sensor: SensorId,
    /// What it watched.
    pub telescope: Telescope,
    /// What its packets are wrapped in.
    pub delivery: Wrapping,
    /// How long an interval lasts.
    pub interval_length: IntervalLength,
    /// Files, read one after another as one stream.
    pub captures: Vec<PathBuf>,
    /// Where they go: a collector that admits replays.
    pub collector: Collector,
}

/// What was replayed, all of it kept by the centre.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Frames, packets and losses.
    pub counters: Counters,
    /// Batches.
    pub batches: u64,
    /// Flow tuples in them.
    pub flow_tuples: u64,
    /// Bytes of all batches, as they travelled.
    pub batch_bytes: u64,
    /// What is wrong with captures, one text each. What could be read of them is counted.
    pub defects: Vec<String>,
}

/// Replays captures and returns when the centre has everything. Blocks.
///
/// Targets are masked by a key that follows from the sensor's id, so two replays are alike.
///
/// # Errors
/// The collector does not answer, does not want this, or refused a part of it.
pub fn replay_to(replay: Replay) -> Result<Delivered, RunError> {
    let epoch = key::draw_epoch().map_err(RunError::system("read random numbers"))?;
    let directory = tempfile::Builder::new().prefix("noroshi-replay-").tempdir();
    let directory = directory.map_err(RunError::system("make a directory for the spool"))?;
    let delivery = Delivery::start(
        &spool::Settings {
            directory: directory.path().to_owned(),
            sensor: replay.sensor.clone(),
            bytes_max: SPOOL_BYTES_MAX,
            keep: Duration::ZERO,
            durability: Durability::ThrowAway,
        },
        ship::Settings {
            collector: replay.collector.clone(),
            hello: Hello {
                sensor: replay.sensor.clone(),
                epoch,
                software_version: env!("CARGO_PKG_VERSION").to_owned(),
                interval_length: replay.interval_length,
                telescope: replay.telescope.prefixes().to_vec(),
                purpose: Purpose::Replay,
                clock: clock::now(),
            },
            order: Order::AsTheyCame,
            patience: Some(PATIENCE),
        },
    )?;
    let settings = Settings {
        sensor: replay.sensor.clone(),
        epoch,
        interval_length: replay.interval_length,
        cut: Cut::WhenFull,
        memory: Memory::DEFAULT,
    };
    let mask = Mask::new(
        &MaskKey::from_sensor_id(&replay.sensor),
        replay.telescope.clone(),
    );
    let decoder = Decoder::new(replay.telescope.clone(), replay.delivery);
    let sense = Sense::new(decoder, Summariser::new(settings, mask));
    let delivered = Pouring {
        delivery: &delivery,
        delivered: Delivered::default(),
    }
    .pour(sense, &replay.captures)?;
    let shipped = delivery.finish(None)?;
    match shipped {
        ship::Shipped {
            refused: 0,
            rest: Rest::Nothing,
            ..
        } => Ok(delivered),
        ship::Shipped { refused, .. } => Err(RunError::NotKept { refused }),
    }
}

/// Captures on their way into the spool.
struct Pouring<'a> {
    delivery: &'a Delivery,
    delivered: Delivered,
}

impl Pouring<'_> {
    fn pour(mut self, mut sense: Sense, captures: &[PathBuf]) -> Result<Delivered, RunError> {
        for path in captures {
            self.capture(&mut sense, path)?;
        }
        self.delivered.counters = sense.counters();
        self.push(&sense.finish())?;
        Ok(self.delivered)
    }

    fn capture(&mut self, sense: &mut Sense, path: &Path) -> Result<(), RunError> {
        let mut capture = match CaptureFile::open(path) {
            Ok(capture) => capture,
            Err(defect) => {
                self.delivered.defects.push(defect.to_string());
                return Ok(());
            }
        };
        while !self.delivery.has_ended() {
            let read = sense.read(&mut capture);
            self.push(&sense.take())?;
            match read {
                Ok(Progress::End) => break,
                Ok(Progress::More | Progress::Idle) => {}
                Err(defect) => {
                    self.delivered.defects.push(defect.to_string());
                    break;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, batches: &[v1::Batch]) -> Result<(), RunError> {
        if batches.is_empty() {
            return Ok(());
        }
        self.delivered.batches += batches.len() as u64;
        // A batch of ours unpacks; were it damaged, the collector would say so.
        let flows = batches
            .iter()
            .map(|batch| count_flows(batch).unwrap_or(0) as u64);
        self.delivered.flow_tuples += flows.sum::<u64>();
        let bytes = batches.iter().map(|batch| batch.encoded_len() as u64);
        self.delivered.batch_bytes += bytes.sum::<u64>();
        self.delivery.push(batches)?;
        self.delivery.wait_for_room(WINDOW_BYTES);
        Ok(())
    }
}
