//! Finding out, after whatever happened, what the spool holds.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use noroshi_proto::id::Epoch;

use super::account::Totals;
use super::runs::Runs;
use super::segment::{Place, Segment, Step};
use super::state::State;
use super::{Settings, Spool, SpoolError};

/// No segment reaches this far.
const BEYOND: Place = Place {
    position: u64::MAX,
    packets: u64::MAX,
};

impl Spool {
    /// Takes the directory over and goes on where the last process ended; `epoch` is what this
    /// process calls its batches. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Another process has it, another sensor owns it, or the disk fails. Damage is no error.
    pub fn open(settings: Settings, epoch: Epoch, now: u64) -> Result<Self, SpoolError> {
        let directory = settings.directory.clone();
        let lock = lock(&directory)?;
        let reading = |error| SpoolError::file("read", &directory)(error);
        let mut state = load(&settings)?;
        let saved = state.clone();
        let mut segments = list(&directory).map_err(reading)?;
        let mut runs = Runs::default();
        let mut reported = state.reported;
        let count = segments.len();
        for (at, segment) in segments.iter_mut().enumerate() {
            let scan = if at + 1 == count {
                scan_last
            } else {
                scan_headers
            };
            let newest = scan(segment, &mut runs)
                .map_err(|error| SpoolError::file("read", &segment.path)(error))?;
            reported = newest.unwrap_or(reported);
        }
        bridge(&mut segments, &state);
        state.reported = reported;
        state.account.begin(epoch, reported);
        let found = segments.back().map_or(Place::default(), |last| last.end);
        let known = Place {
            position: state.head,
            packets: state.packets,
        };
        if found.position >= known.position {
            (state.head, state.packets) = (found.position, found.packets);
        }
        state.acknowledged.clip(0..state.head);
        state.lost.clip(0..state.head);
        let growing = growing(&segments).map_err(reading)?.unwrap_or(
            File::open(&directory).map_err(reading)?, // replaced by the first segment below
        );
        let mut spool = Self {
            settings,
            _lock: lock,
            segments,
            growing,
            runs,
            state,
            saved,
            state_saved: now,
            epoch,
            reported,
            sent: BTreeMap::new(),
            full_said: None,
        };
        spool.resume(found, known, now)?;
        Ok(spool)
    }

    /// Counts what the state knew of and no file has, and gets ready for the next batch.
    fn resume(&mut self, found: Place, known: Place, now: u64) -> Result<(), SpoolError> {
        if found.position < known.position {
            let packets = known.packets.saturating_sub(found.packets);
            self.damaged(found.position..known.position, packets)?;
        }
        if self.segments.is_empty() || found.position < known.position {
            self.begin_segment(now)?;
        }
        self.settle();
        self.expire(now)?;
        self.save(now)
    }
}

/// The state of a spool that belongs to the sensor who asks.
fn load(settings: &Settings) -> Result<State, SpoolError> {
    let directory = &settings.directory;
    let state = State::load(directory).map_err(SpoolError::file("read", directory))?;
    let mut state = state.unwrap_or_default();
    if state.sensor.is_empty() {
        state.sensor = settings.sensor.to_string();
    }
    if state.sensor == settings.sensor.as_str() {
        return Ok(state);
    }
    Err(SpoolError::OtherSensor {
        directory: directory.clone(),
        owner: state.sensor,
        sensor: settings.sensor.clone(),
    })
}

/// Whether a process has the spool in this directory. Makes nothing.
pub fn is_held(directory: &Path) -> bool {
    let lock = File::open(directory.join("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

fn lock(directory: &Path) -> Result<File, SpoolError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(SpoolError::file("create", directory))?;
    let path = directory.join("lock");
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(SpoolError::file("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(SpoolError::Held(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(SpoolError::file("lock", &path)(error)),
    }
}

fn list(directory: &Path) -> io::Result<VecDeque<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(start) = Segment::start_of(&path) else {
            continue;
        };
        let metadata = fs::metadata(&path)?;
        let created = metadata
            .modified()?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        segments.push(Segment {
            path,
            start,
            end: start,
            bytes: metadata.len(),
            created: created.as_secs(),
        });
    }
    segments.sort_by_key(|segment| segment.start.position);
    Ok(segments.into())
}

/// Where a closed segment's records end, by their headers alone; gives the losses the last one includes.
fn scan_headers(segment: &mut Segment, runs: &mut Runs) -> io::Result<Option<Totals>> {
    let mut walk = segment.walk()?;
    let mut totals = None;
    while let Some(Step::Record(_, header)) = next_record(&mut walk)? {
        runs.note(header.position, header.epoch, header.sequence);
        segment.end = walk.at();
        totals = Some(header.totals);
    }
    Ok(totals)
}

/// The same for the last segment, whose end may be torn: it is cut behind the last record that
/// is whole.
fn scan_last(segment: &mut Segment, runs: &mut Runs) -> io::Result<Option<Totals>> {
    let mut walk = segment.walk()?;
    let mut whole = 0;
    let mut damaged = Vec::new();
    let mut totals = None;
    while let Some(Step::Record(offset, header)) = next_record(&mut walk)? {
        damaged.push(header);
        if walk.batch(offset, &header)?.is_none() {
            continue;
        }
        for header in damaged.drain(..) {
            runs.note(header.position, header.epoch, header.sequence);
        }
        segment.end = walk.at();
        whole = walk.offset();
        totals = Some(header.totals);
    }
    if whole < segment.bytes {
        tracing::info!(
            bytes = segment.bytes - whole,
            "the spool's torn end was cut off"
        );
        let file = OpenOptions::new().write(true).open(&segment.path)?;
        file.set_len(whole)?;
        file.sync_all()?;
        segment.bytes = whole;
    }
    Ok(totals)
}

fn next_record(walk: &mut super::Walk) -> io::Result<Option<Step>> {
    loop {
        match walk.step(BEYOND)? {
            Some(Step::Gap(positions, _)) if positions.end == BEYOND.position => return Ok(None),
            Some(Step::Gap(..)) => {}
            other => return Ok(other),
        }
    }
}

/// Records that cannot be read at the end of a closed segment belong to it all the same.
fn bridge(segments: &mut VecDeque<Segment>, state: &State) {
    for at in 1..segments.len() {
        let next = segments[at].start;
        let end = segments[at - 1].end.position;
        if state.is_pending(end..next.position) {
            segments[at - 1].end = next;
        }
    }
}

fn growing(segments: &VecDeque<Segment>) -> io::Result<Option<File>> {
    let Some(last) = segments.back() else {
        return Ok(None);
    };
    OpenOptions::new().append(true).open(&last.path).map(Some)
}
