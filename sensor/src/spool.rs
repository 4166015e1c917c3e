//! Batches waiting for the collector, on disk: the one durable queue there is.
//!
//! # Promises
//! - A batch handed to [`Spool::push`] survives a crash once `push` returned.
//! - Batches leave in the order they came, from wherever a [`Cursor`] was set.
//! - When `bytes_max` is reached the *oldest* batches go, and are counted as losses: in an
//!   early-warning system the newest interval is worth most. What the centre has goes first.
//! - What was acknowledged stays for `keep`, so a centre restored from a backup can ask for it.
//! - Every batch that will never be sent is counted by reason, exactly once, and a later batch
//!   reports it, also when the sensor was restarted in between. Where the disk takes nothing at all,
//!   not even that, the newest are counted in memory until it does.
//! - Damage costs the damaged records and nothing else.
//! - One process has a directory at a time.
//!
//! # Format
//! ```text
//! lock          held while a process has the directory
//! state.json    what was acknowledged, what was lost; replaced as a whole
//! P-N.segment   record*, at most 64 MiB or one hour; P: batches before it, N: packets before it
//! ```
//! Records are described in `record`. A torn last record is cut off when the spool is opened;
//! segments are deleted whole. Epochs are random, so segments are named by what ascends.
//!
//! # Operation
//! Pushing appends one block of records and syncs it once. Nothing is read that is not sent:
//! at start only headers are walked, later one batch is in memory at a time. Losses are written
//! to the state before a file goes and before a batch reports them; acknowledgements once a
//! second, because sending a batch again harms nobody.

mod account;
mod error;
mod open;
mod ranges;
mod reconcile;
mod record;
mod room;
mod runs;
mod saving;
mod segment;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::limits::BATCH_BYTES_MAX;
use noroshi_proto::loss::Counters;

pub use self::error::SpoolError;
pub use self::open::is_held;
use account::{Entry, Reason, Totals};
use record::Header;
use runs::Runs;
use segment::{Place, Segment, Step, Walk};
use state::State;

/// Largest segment file, in bytes.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A segment is closed after this many seconds, so that it can be deleted in time.
const SEGMENT_SECONDS_MAX: u64 = 3_600;
/// The state is written at most this often for acknowledgements alone, in seconds.
const STATE_SECONDS: u64 = 1;
/// How long acknowledged batches are kept unless told otherwise.
pub const KEEP: Duration = Duration::from_secs(24 * 3_600);

/// Where batches wait, and how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its own directory, made when absent.
    pub directory: PathBuf,
    /// Whose batches they are: another sensor's spool is not taken over.
    pub sensor: SensorId,
    /// The most the segments may take, in bytes.
    pub bytes_max: u64,
    /// How long acknowledged batches stay.
    pub keep: Duration,
    /// What it has to survive.
    pub durability: Durability,
}

/// What a spool has to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Loss of power.
    Synced,
    /// Nothing: a replay starts again from its captures.
    ThrowAway,
    /// A disk that has room for nothing, which tests cannot wait for.
    #[cfg(test)]
    Full,
}

/// One batch on its way into the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// In which run of the sensor it was made.
    pub epoch: Epoch,
    /// Its number in that run.
    pub sequence: u64,
    /// Packets in it.
    pub packets: u64,
    /// The encoded batch.
    pub bytes: Vec<u8>,
}

/// One batch on its way out of the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the spool: what acknowledgements name.
    pub position: u64,
    /// The batch.
    pub parcel: Parcel,
}

/// A reader's place in the spool.
#[derive(Debug, Default)]
pub struct Cursor {
    position: u64,
    walk: Option<(u64, Walk)>,
}

impl Cursor {
    /// Begins at `position`.
    pub fn new(position: u64) -> Self {
        Self {
            position,
            walk: None,
        }
    }
}

/// See the module's description.
#[derive(Debug)]
pub struct Spool {
    settings: Settings,
    /// Locked as long as it is open.
    _lock: File,
    /// Ascending; the last one grows.
    segments: VecDeque<Segment>,
    growing: File,
    runs: Runs,
    state: State,
    /// The state on the disk.
    saved: State,
    /// When it was last written, or that was tried, in seconds since 1970.
    state_saved: u64,
    epoch: Epoch,
    /// What earlier epochs' batches have reported already.
    reported: Totals,
    /// Batches that were sent and not answered, by position.
    sent: BTreeMap<u64, Entry>,
    /// When it was last said that the disk is full, in seconds since 1970.
    full_said: Option<u64>,
}

impl Spool {
    /// What is pushed from now on is of `epoch`, as after a restart; the segments may take `bytes_max`.
    ///
    /// # Errors
    /// The disk does not take the state.
    pub fn begin(&mut self, epoch: Epoch, bytes_max: u64, now: u64) -> Result<(), SpoolError> {
        self.settings.bytes_max = bytes_max;
        self.epoch = epoch;
        self.reported = self.state.reported;
        self.state.account.begin(epoch, self.reported);
        self.settle();
        self.save(now)
    }

    /// The position the next batch gets.
    pub fn head(&self) -> u64 {
        self.state.head
    }

    /// Bytes all segments take.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Whether every batch was acknowledged or counted as lost.
    pub fn is_drained(&self) -> bool {
        self.state.first_pending(0) >= self.state.head && self.state.doubtful.is_empty()
    }

    /// Keeps what `make` makes; it is told what the batches must report beside their own
    /// counters. `now` is in seconds since 1970.
    ///
    /// Where the disk is full even after the oldest batches went, these are counted as lost.
    ///
    /// # Errors
    /// Nothing was kept: the disk fails.
    pub fn push<F>(&mut self, now: u64, mut make: F) -> Result<(), SpoolError>
    where
        F: FnMut(&Counters) -> Vec<Parcel>,
    {
        loop {
            let totals = self.state.account.totals();
            let parcels = make(&totals.since(self.reported));
            if let Some(large) = parcels.iter().find(|p| p.bytes.len() > BATCH_BYTES_MAX) {
                return Err(SpoolError::TooLarge(large.bytes.len()));
            }
            let (block, end) = self.block(&parcels, totals);
            let kept = self
                .save_losses(now)
                .and_then(|()| self.roll(now, block.len() as u64))
                .and_then(|()| self.append(&block));
            match kept {
                Ok(()) => self.appended(&parcels, block.len() as u64, end),
                // What is given up has to be in the counters of what is written after it.
                Err(error) if error.is_full() => {
                    if self.give_way(now)? {
                        continue;
                    }
                    self.lose_unkept(&parcels);
                    self.say_full(now);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            self.state.reported = totals;
            self.make_room(now)?;
            return self.expire(now);
        }
    }

    /// The next batch from `cursor` on that stands before `until` and was neither
    /// acknowledged nor lost.
    pub fn next(&mut self, cursor: &mut Cursor, until: u64) -> Result<Option<Record>, SpoolError> {
        loop {
            let wanted = self.state.first_pending(cursor.position);
            if wanted >= until.min(self.state.head) {
                return Ok(None);
            }
            cursor.position = wanted;
            let Some(segment) = self.segment_at(wanted).cloned() else {
                self.damaged(wanted..wanted + 1, 0)?; // its file is gone
                continue;
            };
            let reading = |error| SpoolError::file("read", &segment.path)(error);
            let mut walk = match cursor.walk.take() {
                Some((start, walk))
                    if start == segment.start.position && walk.at().position <= wanted =>
                {
                    walk
                }
                _ => segment.walk().map_err(reading)?,
            };
            let step = walk.step(segment.end).map_err(reading)?;
            let mut found = None;
            match step {
                Some(Step::Record(offset, header)) if header.position == wanted => {
                    found = walk
                        .batch(offset, &header)
                        .map_err(reading)?
                        .map(|b| (header, b));
                    if found.is_none() {
                        self.damaged(wanted..wanted + 1, header.packets)?;
                    }
                }
                Some(Step::Gap(positions, packets)) => self.damaged(positions, packets)?,
                Some(Step::Record(..)) => {} // behind us, or acknowledged
                None => self.damaged(wanted..segment.end.position, 0)?,
            }
            cursor.walk = Some((segment.start.position, walk));
            if let Some((header, bytes)) = found {
                cursor.position = wanted + 1;
                self.sent.insert(wanted, header.entry());
                let Header {
                    epoch,
                    sequence,
                    packets,
                    ..
                } = header;
                let parcel = Parcel {
                    epoch,
                    sequence,
                    packets,
                    bytes,
                };
                return Ok(Some(Record {
                    position: wanted,
                    parcel,
                }));
            }
        }
    }

    /// The centre has the batch at `position`.
    pub fn acknowledge(&mut self, position: u64, now: u64) -> Result<(), SpoolError> {
        let Some(entry) = self.sent.remove(&position) else {
            return Ok(()); // answered before
        };
        if self.state.doubtful.remove(&position).is_some() {
            self.state.lost.remove(position..position + 1);
        }
        self.state.acknowledged.insert(position..position + 1);
        self.state.account.deliver(&entry);
        let totals = self.state.account.totals();
        self.settle();
        self.expire(now)?;
        // A batch must not report what a crash would make the state forget.
        let told_more = self.state.account.totals() != totals;
        if told_more || now >= self.state_saved + STATE_SECONDS {
            self.save(now)?;
        }
        Ok(())
    }

    /// The centre will never take the batch at `position`: it is counted as refused.
    pub fn give_up(&mut self, position: u64, now: u64) -> Result<(), SpoolError> {
        let Some(entry) = self.sent.remove(&position) else {
            return Ok(()); // answered before
        };
        self.state.doubtful.remove(&position);
        self.lose(Reason::Refused, &entry);
        self.settle();
        self.save(now)
    }

    /// The records of one push, and where they end.
    fn block(&self, parcels: &[Parcel], totals: Totals) -> (Vec<u8>, Place) {
        let mut block = Vec::new();
        let mut end = Place {
            position: self.state.head,
            packets: self.state.packets,
        };
        for parcel in parcels {
            let header = Header {
                length: parcel.bytes.len() as u32, // at most BATCH_BYTES_MAX
                position: end.position,
                epoch: parcel.epoch,
                sequence: parcel.sequence,
                packets_before: end.packets,
                packets: parcel.packets,
                totals,
                checksum: crc32c::crc32c(&parcel.bytes),
            };
            header.write(&parcel.bytes, &mut block);
            end = Place {
                position: end.position + 1,
                packets: header.packets_through(),
            };
        }
        (block, end)
    }

    fn appended(&mut self, parcels: &[Parcel], bytes: u64, end: Place) {
        for (position, parcel) in (self.state.head..).zip(parcels) {
            self.runs.note(position, parcel.epoch, parcel.sequence);
        }
        (self.state.head, self.state.packets) = (end.position, end.packets);
        if let Some(segment) = self.segments.back_mut() {
            segment.end = end;
            segment.bytes += bytes;
        }
    }

    /// Appends to the growing segment, whole or not at all.
    fn append(&mut self, block: &[u8]) -> Result<(), SpoolError> {
        let segment = &self.segments[self.segments.len() - 1]; // there is always one
        let appending = |error| SpoolError::file("append to", &segment.path)(error);
        let appended = self
            .growing
            .write_all(block)
            .and_then(|()| self.settings.durability.sync(&self.growing));
        if appended.is_err() {
            self.growing.set_len(segment.bytes).map_err(appending)?;
        }
        appended.map_err(appending)
    }

    fn segment_at(&self, position: u64) -> Option<&Segment> {
        let after = self
            .segments
            .partition_point(|segment| segment.start.position <= position);
        let segment = &self.segments[after.checked_sub(1)?];
        segment.positions().contains(&position).then_some(segment)
    }

    fn is_settled(&self, position: u64) -> bool {
        self.state.first_pending(position) != position
    }

    /// Records that cannot be read: counted unless the centre has them all.
    fn damaged(&mut self, positions: std::ops::Range<u64>, packets: u64) -> Result<(), SpoolError> {
        if self.count_damaged(positions, packets) {
            self.save(self.state_saved)?;
        }
        Ok(())
    }

    /// The same in memory alone. False where the centre has them.
    fn count_damaged(&mut self, positions: std::ops::Range<u64>, packets: u64) -> bool {
        if !self.state.is_pending(positions.clone()) {
            return false;
        }
        tracing::warn!(
            first = positions.start,
            batches = positions.end - positions.start,
            packets,
            "spool records are damaged and were skipped"
        );
        let last = positions.end - 1;
        let epoch = self.runs.epoch_at(last).unwrap_or(self.epoch).0;
        let totals = Totals::default(); // nobody can read them any more
        let entry = Entry {
            epoch,
            sequence: 0,
            position: last,
            packets,
            totals,
        };
        self.state
            .account
            .lose_range(Reason::Damaged, positions.clone(), &entry);
        self.state.lost.insert(positions);
        self.state.lost.subtract(&self.state.acknowledged);
        self.settle();
        true
    }

    /// Batches that were never in the spool: the next one that is tells of them.
    fn lose_unkept(&mut self, parcels: &[Parcel]) {
        let (head, account) = (self.state.head, &mut self.state.account);
        for parcel in parcels {
            account.lose_unkept(parcel.epoch, head, parcel.packets);
        }
    }

    fn lose(&mut self, reason: Reason, entry: &Entry) {
        self.state.lost.insert(entry.position..entry.position + 1);
        self.state.account.lose(reason, entry);
    }

    /// Epochs that are over and have nothing left to send tell no more.
    fn settle(&mut self) {
        for epoch in self.state.account.epochs() {
            let mut positions = self.runs.positions_in(epoch);
            let pending = positions.any(|range| self.state.is_pending(range));
            let mut doubtful = self.state.doubtful.values();
            if epoch != self.epoch && !pending && !doubtful.any(|entry| entry.epoch == epoch.0) {
                self.state.account.settle(epoch);
            }
        }
    }
}

impl Durability {
    fn sync(self, file: &File) -> io::Result<()> {
        match self {
            Self::Synced => file.sync_all(),
            Self::ThrowAway => Ok(()),
            #[cfg(test)]
            Self::Full => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}
