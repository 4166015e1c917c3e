//! Spans into batches: where they are cut, and how they are counted.

use noroshi_proto::id::BatchId;
use noroshi_proto::limits::BATCH_FLOWS_MAX;
use noroshi_proto::loss::{Counters, Losses};
use noroshi_proto::sample::TargetBits;
use noroshi_proto::time::Interval;
use noroshi_proto::v1;
use noroshi_proto::wire::batch::Header;
use noroshi_proto::wire::encoder::Encoder;

use crate::mask::Mask;
use crate::summarise::run::Run;
use crate::summarise::{Cut, Settings};

/// The batch under construction, and those that are done.
pub(super) struct Output {
    settings: Settings,
    telescope_addresses: u64,
    target_bits: TargetBits,
    encoder: Encoder,
    /// Silent intervals, not written yet: the first and how many.
    silence: Option<(Interval, u64)>,
    /// Day of the active intervals in `encoder`.
    day: u64,
    complete_through: u64,
    sequence: u64,
    /// Packets in all batches and in `encoder`.
    packets: u64,
    /// Of the epoch.
    pub(super) losses: Losses,
    /// Losses and time of the last batch: what has changed since is worth another.
    told: (Losses, u64),
    finished: Vec<v1::Batch>,
}

impl Output {
    pub(super) fn new(settings: Settings, telescope_addresses: u64, bits: TargetBits) -> Self {
        Self {
            encoder: Encoder::new(settings.interval_length, bits),
            settings,
            telescope_addresses,
            target_bits: bits,
            silence: None,
            day: 0,
            complete_through: 0,
            sequence: 0,
            packets: 0,
            losses: Losses::default(),
            told: Default::default(),
            finished: Vec::new(),
        }
    }

    /// Time begins here: nothing is said about what was before.
    pub(super) fn begin(&mut self, interval: Interval) {
        self.complete_through = interval.start();
        self.told.1 = interval.start();
    }

    /// `open` has ended: its packets are in `run`.
    pub(super) fn active_or_silent(&mut self, open: Interval, run: &mut Run, mask: &Mask) {
        if run.packets() > 0 {
            self.active(open, run, mask);
        } else {
            self.silent(open, 1);
        }
        self.complete_through = open.end(self.settings.interval_length);
    }

    /// After `open`, all was silent until `next` begins.
    pub(super) fn close(&mut self, open: Interval, next: Interval) {
        let length = self.settings.interval_length;
        let intervals = (next.start() - open.end(length)) / u64::from(length.seconds());
        if intervals > 0 {
            self.silent(open.next(length), intervals);
            self.complete_through = next.start();
        }
        if self.settings.cut == Cut::EveryInterval {
            self.finish_batch();
        }
    }

    /// `open` goes on, but what it brought so far must go.
    pub(super) fn part(&mut self, open: Interval, run: &mut Run, mask: &Mask) {
        self.active(open, run, mask);
        self.finish_batch();
    }

    /// Hands over what is done.
    pub(super) fn take(&mut self) -> Vec<v1::Batch> {
        std::mem::take(&mut self.finished)
    }

    /// Totals of the epoch, with `packets` that are in no batch yet.
    pub(super) fn counters_with(&self, packets: u64) -> Counters {
        let packets = self.packets + packets;
        Counters {
            frames: packets + self.losses.total(),
            packets,
            losses: self.losses,
        }
    }

    /// Ends the batch under construction, if it says anything new.
    pub(super) fn finish_batch(&mut self) {
        self.write_silence();
        let now = (self.losses, self.complete_through);
        if self.encoder.is_empty() && self.told == now {
            return;
        }
        self.told = now;
        let header = Header {
            id: BatchId {
                sensor: self.settings.sensor.clone(),
                epoch: self.settings.epoch,
                sequence: self.sequence,
            },
            interval_length: self.settings.interval_length,
            complete_through: self.complete_through,
            telescope_addresses: self.telescope_addresses,
            target_bits: self.target_bits,
            counters: self.counters_with(0),
        };
        self.sequence += 1;
        let next = Encoder::new(self.settings.interval_length, self.target_bits);
        let encoder = std::mem::replace(&mut self.encoder, next);
        self.finished.push(encoder.finish(&header));
    }

    fn silent(&mut self, first: Interval, intervals: u64) {
        let (_, so_far) = self.silence.get_or_insert((first, 0));
        *so_far += intervals;
    }

    fn write_silence(&mut self) {
        if let Some((first, intervals)) = self.silence.take() {
            self.encoder.silent(first, intervals);
        }
    }

    fn active(&mut self, interval: Interval, run: &mut Run, mask: &Mask) {
        self.make_room(interval, run.packets());
        self.write_silence();
        self.day = interval.day();
        self.encoder.open(interval);
        run.drain(mask, |source, row| {
            if self.encoder.is_full() {
                self.encoder.close();
                self.finish_batch();
                self.encoder.open(interval);
            }
            self.packets += row.packets;
            self.encoder.flow(source, row);
        });
        self.encoder.close();
    }

    /// Ends the batch unless an interval with so many packets surely fits.
    fn make_room(&mut self, interval: Interval, packets: u64) {
        let is_other_day = self.encoder.flows() > 0 && self.day != interval.day();
        let flows = self.encoder.flows() as u64 + packets;
        let has_room = flows <= BATCH_FLOWS_MAX as u64 && self.encoder.has_room_for_spans();
        if is_other_day || !has_room || self.encoder.is_full() {
            self.finish_batch();
        }
    }
}
