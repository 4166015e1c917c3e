//! What goes when: acknowledged segments after their time, the oldest when there is no room.

use std::fs::{self, File, OpenOptions};

use super::account::Reason;
use super::segment::{Place, Segment, Step};
use super::state::State;
use super::{SEGMENT_BYTES_MAX, SEGMENT_SECONDS_MAX, Spool, SpoolError};

impl Spool {
    /// Largest segment of this spool: small enough that dropping one costs little of it.
    pub(super) fn segment_bytes(&self) -> u64 {
        SEGMENT_BYTES_MAX.min(self.settings.bytes_max / 8)
    }

    /// Begins a new segment where the growing one is too large or too old for `bytes` more.
    pub(super) fn roll(&mut self, now: u64, bytes: u64) -> Result<(), SpoolError> {
        let full = self.segments.back().is_none_or(|growing| {
            growing.bytes > 0
                && (growing.bytes + bytes > self.segment_bytes()
                    || now >= growing.created + SEGMENT_SECONDS_MAX)
        });
        if full {
            self.begin_segment(now)
        } else {
            Ok(())
        }
    }

    /// Deletes until the limit is kept.
    pub(super) fn make_room(&mut self, now: u64) -> Result<(), SpoolError> {
        while self.bytes() > self.settings.bytes_max {
            match self.drop_oldest(now) {
                Ok(true) => {}
                Ok(false) => break, // one segment is always there, however small the limit
                Err(error) if error.is_full() => {
                    self.say_full(now);
                    break; // what would be counted cannot be written: the next batch tries again
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes acknowledged segments whose time is over.
    pub(super) fn expire(&mut self, now: u64) -> Result<(), SpoolError> {
        let keep = self.settings.keep.as_secs();
        let closed = self.segments.len().saturating_sub(1);
        let mut expired = Vec::new();
        for segment in self.segments.iter().take(closed) {
            if self.state.is_pending(segment.positions()) {
                self.state.done.remove(&segment.start.position);
                continue;
            }
            let done = *self.state.done.entry(segment.start.position).or_insert(now);
            if now >= done + keep {
                expired.push(segment.start.position);
            }
        }
        if expired.is_empty() {
            return Ok(());
        }
        // Before the files go: nothing else remembers what was in them.
        match self.save_surely(now) {
            Err(error) if error.is_full() => return Ok(()), // they go later
            saved => saved?,
        }
        for position in expired {
            let at = self
                .segments
                .iter()
                .position(|s| s.start.position == position);
            if let Some(at) = at {
                self.delete(at)?;
            }
        }
        Ok(())
    }

    /// Makes room on a full disk. False where nothing can go: not even that would be kept.
    pub(super) fn give_way(&mut self, now: u64) -> Result<bool, SpoolError> {
        if self.drop_settled()? {
            return Ok(true);
        }
        let is_growing = |segment: &Segment| segment.bytes > 0;
        let given = self
            .save_surely(now) // before anything is counted that could not be written
            .and_then(|()| match self.segments.back() {
                Some(only) if self.segments.len() == 1 && is_growing(only) => {
                    self.begin_segment(now)
                }
                _ => Ok(()),
            })
            .and_then(|()| self.drop_oldest(now));
        match given {
            Err(error) if error.is_full() => Ok(false),
            given => given,
        }
    }

    /// Deletes what is worth least: the oldest segment the centre has, else the oldest.
    /// False where only the growing one is left.
    pub(super) fn drop_oldest(&mut self, now: u64) -> Result<bool, SpoolError> {
        if self.drop_settled()? {
            return Ok(true);
        }
        let closed = self.segments.len().saturating_sub(1);
        if closed == 0 {
            return Ok(false);
        }
        let mut candidates = self.segments.iter().take(closed);
        let done = candidates.position(|s| !self.state.is_pending(s.positions()));
        let at = done.unwrap_or(0);
        let before = self.state.clone();
        let counted = match done {
            Some(_) => Ok(0),
            None => self.count_as_dropped(at),
        };
        // Before the file goes: a crash in between counts nothing twice.
        let saved = counted.and_then(|packets| self.save_surely(now).map(|()| packets));
        let packets = match saved {
            Ok(packets) => packets,
            Err(error) => {
                self.state = before; // the file stays, and so it still has to be sent
                return Err(error);
            }
        };
        if done.is_none() {
            tracing::warn!(
                packets,
                "the spool is full: its oldest segment was given up"
            );
        }
        self.delete(at)?;
        Ok(true)
    }

    /// Deletes the oldest segment that has nothing left to send by the state on the disk as well:
    /// nothing has to be written before, so it goes also where nothing can be.
    fn drop_settled(&mut self) -> Result<bool, SpoolError> {
        let closed = self.segments.len().saturating_sub(1);
        let mut candidates = self.segments.iter().take(closed);
        let settled = candidates.position(|segment| {
            let is_pending = |state: &State| state.is_pending(segment.positions());
            !is_pending(&self.state) && !is_pending(&self.saved)
        });
        let Some(at) = settled else {
            return Ok(false);
        };
        self.delete(at)?;
        Ok(true)
    }

    /// Starts a new file at the head.
    pub(super) fn begin_segment(&mut self, now: u64) -> Result<(), SpoolError> {
        let start = Place {
            position: self.state.head,
            packets: self.state.packets,
        };
        let path = Segment::path(&self.settings.directory, start);
        let durability = self.settings.durability;
        let creating = |error| SpoolError::file("create", &path)(error);
        let growing = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(creating)?;
        let synced = File::open(&self.settings.directory).and_then(|file| durability.sync(&file));
        if synced.is_err() {
            // It would be in the way of the next attempt, and be taken for the last one when opened.
            fs::remove_file(&path).map_err(SpoolError::file("delete", &path))?;
        }
        synced.map_err(creating)?;
        self.growing = growing;
        self.segments.push_back(Segment {
            path,
            start,
            end: start,
            bytes: 0,
            created: now,
        });
        Ok(())
    }

    /// Counts everything in a segment that still had to be sent; gives the packets that are lost
    /// for room. Writes nothing: half of it must not be on the disk.
    pub(super) fn count_as_dropped(&mut self, at: usize) -> Result<u64, SpoolError> {
        let segment = self.segments[at].clone();
        let reading = |error| SpoolError::file("read", &segment.path)(error);
        let mut walk = segment.walk().map_err(reading)?;
        let mut packets = 0;
        while let Some(step) = walk.step(segment.end).map_err(reading)? {
            match step {
                Step::Gap(positions, packets) => {
                    self.count_damaged(positions, packets);
                }
                Step::Record(_, header) if self.is_settled(header.position) => {}
                Step::Record(_, header) if self.sent.contains_key(&header.position) => {
                    // On its way: whether it is lost is known when it is answered.
                    self.state.doubtful.insert(header.position, header.entry());
                    self.state.lost.insert(header.position..header.position + 1);
                }
                Step::Record(_, header) => {
                    packets += header.packets;
                    self.lose(Reason::Full, &header.entry());
                }
            }
        }
        self.settle();
        Ok(packets)
    }

    fn delete(&mut self, at: usize) -> Result<(), SpoolError> {
        let Some(segment) = self.segments.remove(at) else {
            return Ok(());
        };
        self.state.done.remove(&segment.start.position);
        fs::remove_file(&segment.path).map_err(SpoolError::file("delete", &segment.path))?;
        let first = self
            .segments
            .front()
            .map_or(self.state.head, |first| first.start.position);
        self.runs.forget_before(first);
        Ok(())
    }
}
