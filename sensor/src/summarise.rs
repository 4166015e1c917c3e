//! Packets into batches: a pure fold.
//!
//! # Promises
//! - Time is what the packets say, and what [`Summariser::advance_to`] is told. A capture that
//!   is replayed gives, interval by interval, the flows that live traffic gave.
//! - Every packet is counted in exactly one flow of one batch. A late one counts in the
//!   interval that is open, at its first millisecond.
//! - Silence is told, and costs the same whatever its length.
//! - Memory is bounded by [`Memory`], and nothing is dropped for it: an interval that
//!   brings more is cut into several batches, and a tuple may then stand in more than one of
//!   them. `complete_through` moves on with the last.
//!
//! # How
//! With one or two packets per flow, a table of flows would be a copy of the traffic, written
//! at random. So packets become records of 24 bytes, appended to one of 256 partitions by the
//! first octet of their source; when the interval ends each partition, small enough for the
//! cache, is sorted, and runs of equal tuples are written into columns as they appear. Nobody
//! can flood a table that does not exist.

mod flow;
mod memory;
mod output;
mod record;
mod run;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ipnet::IpNet;
use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::loss::{Counters, Loss};
use noroshi_proto::time::{Interval, IntervalLength};
use noroshi_proto::v1;

use crate::mask::Mask;
use crate::packet::Packet;
use crate::summarise::output::Output;
use crate::summarise::record::Record;
use crate::summarise::run::Run;

pub use crate::summarise::memory::Memory;

/// Whose packets are summarised, and how batches are cut.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sensor.
    pub sensor: SensorId,
    /// This run of its process.
    pub epoch: Epoch,
    /// How long intervals last.
    pub interval_length: IntervalLength,
    /// When a batch is handed over.
    pub cut: Cut,
    /// What it may need.
    pub memory: Memory,
}

/// When a batch is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Live: with every interval that ends.
    EveryInterval,
    /// Replay: when it holds as many whole intervals of one day as the limits allow.
    WhenFull,
}

/// Folds packets into batches, encoded and ready to be kept.
pub struct Summariser {
    mask: Mask,
    interval_length: IntervalLength,
    /// The interval being counted; none before the first packet.
    open: Option<Interval>,
    /// Its first millisecond, and how many milliseconds it takes packets for.
    open_millis: u64,
    millis: u64,
    run: Run,
    output: Output,
}

impl Summariser {
    /// Nothing counted yet: the first packet, or the first call of
    /// [`advance_to`](Self::advance_to), says where time begins.
    pub fn new(settings: Settings, mask: Mask) -> Self {
        Self {
            interval_length: settings.interval_length,
            open: None,
            open_millis: 0,
            millis: 0,
            run: Run::new(mask.bits(), settings.memory),
            output: Output::new(settings, mask.telescope_addresses(), mask.bits()),
            mask,
        }
    }

    /// Counts one packet; hands back the batches it completed.
    #[inline]
    #[must_use]
    pub fn add(&mut self, packet: &Packet) -> Vec<v1::Batch> {
        let offset = packet.seen_at.0.wrapping_sub(self.open_millis);
        match (packet.tuple.source, packet.target) {
            (IpAddr::V4(source), IpAddr::V4(target))
                if offset < self.millis && !self.run.is_full() =>
            {
                self.run
                    .add(source, Record::new(packet, target.into(), offset));
                Vec::new()
            }
            _ => self.add_otherwise(packet),
        }
    }

    /// Counts a frame that did not become a packet, or one the kernel or the interface lost.
    pub fn lose(&mut self, reason: Loss) {
        self.output.losses.count(reason);
    }

    /// Counts several at once.
    pub fn lose_many(&mut self, reason: Loss, count: u64) {
        self.output.losses.add(reason, count);
    }

    /// Takes back what the open interval holds of a prefix that is in use, as `source` showed, and
    /// counts it as [`Loss::Lit`].
    pub fn forget(&mut self, lit: IpNet, source: IpAddr) {
        let forgotten = self.run.forget(lit, source);
        self.output.losses.add(Loss::Lit, forgotten);
    }

    /// Moves on to `interval`, unless it is there already. The shell calls this as its clock
    /// passes, so a quiet telescope still reports.
    #[must_use]
    pub fn advance_to(&mut self, interval: Interval) -> Vec<v1::Batch> {
        self.move_to(interval);
        self.output.take()
    }

    /// Ends the open interval, which the capture may not have seen to its end, and hands over
    /// what is left.
    #[must_use]
    pub fn finish(mut self) -> Vec<v1::Batch> {
        if let Some(open) = self.open {
            self.move_to(open.next(self.interval_length));
        }
        self.output.finish_batch();
        self.output.take()
    }

    /// Ends every interval before `end`, and hands over what is left; of `end` nothing is said.
    #[must_use]
    pub fn finish_before(mut self, end: Interval) -> Vec<v1::Batch> {
        self.move_to(end);
        if let Some(open) = self.open
            && self.run.packets() > 0
        {
            // `end` was open before: what it brought is told, and that it went on.
            self.output.part(open, &mut self.run, &self.mask);
        }
        self.output.finish_batch();
        self.output.take()
    }

    /// Totals of the epoch, the open interval included.
    pub fn counters(&self) -> Counters {
        self.output.counters_with(self.run.packets())
    }

    #[cold]
    fn add_otherwise(&mut self, packet: &Packet) -> Vec<v1::Batch> {
        self.move_to(packet.seen_at.interval(self.interval_length));
        if self.run.is_full() {
            let open = self.open.expect("a packet opened an interval above");
            self.output.part(open, &mut self.run, &self.mask);
        }
        // a late packet is counted at the first millisecond of the open interval
        let offset = packet.seen_at.0.saturating_sub(self.open_millis);
        match packet.tuple.source {
            IpAddr::V4(source) => {
                let target = record::target_v4(packet.target);
                self.run.add(source, Record::new(packet, target, offset));
            }
            IpAddr::V6(source) => {
                let masked = self.mask.mask(packet.target);
                self.run.add6(source, Record::new(packet, masked, offset));
            }
        }
        self.output.take()
    }

    fn move_to(&mut self, interval: Interval) {
        if let Some(open) = self.open {
            if interval <= open {
                return; // a late packet is counted in the interval that is open
            }
            self.output
                .active_or_silent(open, &mut self.run, &self.mask);
            self.output.close(open, interval);
        } else {
            self.output.begin(interval);
        }
        self.open = Some(interval);
        self.open_millis = interval.start() * 1000;
        self.millis = u64::from(self.interval_length.seconds()) * 1000;
    }
}
