//! Frames in, batches out: capture, decode and summarise in one.

use ipnet::IpNet;
use noroshi_proto::loss::{Counters, Loss};
use noroshi_proto::time::Interval;
use noroshi_proto::v1;

use crate::capture::{Capture, CaptureError, Progress};
use crate::darkness::{Darkness, Light};
use crate::decode::Decoder;
use crate::packet::Packet;
use crate::summarise::Summariser;

/// Turns the frames of one or more captures, read one after another, into batches.
pub struct Sense {
    decoder: Decoder,
    summariser: Summariser,
    finished: Vec<v1::Batch>,
    /// Whether what is watched is still dark; captures were taken by somebody who knew.
    darkness: Option<Darkness>,
    dawns: Vec<IpNet>,
}

impl Sense {
    /// Nothing read yet.
    pub fn new(decoder: Decoder, summariser: Summariser) -> Self {
        Self {
            decoder,
            summariser,
            finished: Vec::new(),
            darkness: None,
            dawns: Vec::new(),
        }
    }

    /// Records nothing of space that is in use.
    pub fn doubting(self, darkness: Darkness) -> Self {
        Self {
            darkness: Some(darkness),
            ..self
        }
    }

    /// Reads what `capture` has at hand. Every frame of it is counted, as a packet or as a
    /// loss.
    ///
    /// # Errors
    /// The capture's; what it handed over before is counted.
    pub fn read(&mut self, capture: &mut impl Capture) -> Result<Progress, CaptureError> {
        let Self {
            decoder,
            summariser,
            finished,
            darkness,
            dawns,
        } = self;
        capture.read(|frame| {
            // Matched in place: a packet is expensive to move.
            match &decoder.decode(&frame) {
                Ok(packet) => match light(darkness, packet) {
                    Light::Dark => finished.extend(summariser.add(packet)),
                    Light::Lit => summariser.lose(Loss::Lit),
                    Light::Dawn(lit) => {
                        summariser.forget(lit, packet.tuple.source);
                        summariser.lose(Loss::Lit);
                        dawns.push(lit);
                    }
                },
                Err(reason) => summariser.lose(*reason),
            }
        })
    }

    /// Prefixes that turned out to be in use since this was asked last.
    pub fn dawns(&mut self) -> Vec<IpNet> {
        std::mem::take(&mut self.dawns)
    }

    /// Counts what was lost before it could be read.
    pub fn lose(&mut self, reason: Loss, count: u64) {
        self.summariser.lose_many(reason, count);
    }

    /// Ends the intervals before `interval`, though nothing may have come since.
    pub fn advance_to(&mut self, interval: Interval) {
        self.finished.extend(self.summariser.advance_to(interval));
    }

    /// The batches finished since this was asked last. To be asked after every read, so that
    /// they do not pile up.
    pub fn take(&mut self) -> Vec<v1::Batch> {
        std::mem::take(&mut self.finished)
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.summariser.counters()
    }

    /// Ends every interval before `end`, where somebody else goes on, and hands over what is left.
    pub fn finish_before(self, end: Interval) -> Vec<v1::Batch> {
        let mut finished = self.finished;
        finished.extend(self.summariser.finish_before(end));
        finished
    }

    /// Ends the open interval and hands over what is left.
    pub fn finish(self) -> Vec<v1::Batch> {
        let mut finished = self.finished;
        finished.extend(self.summariser.finish());
        finished
    }
}

#[inline]
fn light(darkness: &mut Option<Darkness>, packet: &Packet) -> Light {
    darkness
        .as_mut()
        .map_or(Light::Dark, |darkness| darkness.judge(packet))
}
