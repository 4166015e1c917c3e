//! From one configuration to the next while packets come: where an interval ends, without a gap.
//!
//! The kernel passes what either telescope watches as soon as a change is wanted. Frames captured
//! from the boundary on are set aside, and the next stint begins with them, so each frame is
//! judged by the telescope of its own time.

use noroshi_proto::time::{IntervalLength, Millis};

use super::stint::Stint;
use crate::capture::{Capture, CaptureError, Progress};
use crate::config::{Config, KernelFilter, Method};
use crate::decode::tunnel::Delivery;
use crate::packet::{Frame, LinkType};
use crate::telescope::Telescope;

/// A change that was begun.
pub(super) struct Change {
    stint: Stint,
    /// Frames captured from then on are the next stint's.
    pub from: Millis,
    aside: Aside,
}

impl Change {
    /// To `stint`, at `from`.
    pub fn new(stint: Stint, from: Millis) -> Self {
        let aside = Aside::default();
        Self { stint, from, aside }
    }

    /// What `capture` yields of the time before; what comes after is set aside.
    pub fn before<'a, C>(&'a mut self, capture: &'a mut C) -> Before<'a, C> {
        Before {
            capture,
            from: self.from,
            aside: &mut self.aside,
        }
    }

    /// Whether something came that was captured after. Then it is time: what is set aside is never
    /// more than one read hands over.
    pub fn has_come(&self) -> bool {
        !self.aside.0.is_empty()
    }

    /// The next stint, when it begins, and the frames that it begins with.
    pub fn take(self) -> (Stint, Millis, Aside) {
        (self.stint, self.from, self.aside)
    }
}

/// A capture of what was captured before a time.
pub(super) struct Before<'a, C> {
    capture: &'a mut C,
    from: Millis,
    aside: &'a mut Aside,
}

impl<C: Capture> Capture for Before<'_, C> {
    fn read(&mut self, mut sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError> {
        let Self {
            capture,
            from,
            aside,
        } = self;
        capture.read(|frame| {
            if frame.seen_at >= *from && frame.seen_at != Frame::NO_TIME {
                aside.put(&frame);
            } else {
                sink(frame);
            }
        })
    }
}

/// Frames that were set aside, in the order they came.
#[derive(Default)]
pub(super) struct Aside(Vec<Kept>);

struct Kept {
    seen_at: Millis,
    link: LinkType,
    bytes: Vec<u8>,
    wire_bytes: u32,
}

impl Aside {
    fn put(&mut self, frame: &Frame<'_>) {
        self.0.push(Kept {
            seen_at: frame.seen_at,
            link: frame.link,
            bytes: frame.bytes.to_vec(),
            wire_bytes: frame.wire_bytes,
        });
    }
}

impl Capture for Aside {
    fn read(&mut self, mut sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError> {
        for kept in self.0.drain(..) {
            sink(Frame {
                seen_at: kept.seen_at,
                link: kept.link,
                bytes: &kept.bytes,
                wire_bytes: kept.wire_bytes,
            });
        }
        Ok(Progress::End)
    }
}

/// The keys that differ and cannot change while the sensor runs: they name what is open, and
/// opening a capture takes a right that was given up.
pub(super) fn fixed(runs: &Config, next: &Config) -> Vec<&'static str> {
    let watches = |config: &Config| (config.telescope.clone(), config.delivery);
    // libpcap sets a filter by way of one that passes nothing: what comes meanwhile is not counted.
    let by_libpcap =
        runs.capture.method == Method::Pcap && runs.capture.kernel_filter == KernelFilter::On;
    let keys = [
        ("sensor", runs.sensor != next.sensor),
        (
            "interface",
            runs.capture.interface != next.capture.interface,
        ),
        ("[capture]", runs.capture != next.capture),
        ("spool.path", runs.spool.path != next.spool.path),
        ("[update]", runs.update != next.update),
        (
            "telescope and delivery with capture.method = \"pcap\"",
            by_libpcap && watches(runs) != watches(next),
        ),
    ];
    let differing = keys.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(key, _)| key).collect()
}

/// What both watch, and how it is delivered: wrapped where it is for one of them.
pub(super) fn together(runs: &Stint, next: &Stint) -> (Telescope, Delivery) {
    let prefixes = [runs.telescope.prefixes(), next.telescope.prefixes()].concat();
    let delivery = match runs.config.delivery {
        Delivery::Direct => next.config.delivery,
        wrapped => wrapped,
    };
    (Telescope::new(&prefixes), delivery)
}

/// When an interval of either length begins, after `now`: within a minute.
pub(super) fn boundary(now: Millis, runs: IntervalLength, next: IntervalLength) -> Millis {
    let (runs, next) = (u64::from(runs.seconds()), u64::from(next.seconds()));
    // Both divide a minute, so it is found.
    let step = (1..=next).map(|n| n * runs).find(|step| step % next == 0);
    let step = step.unwrap_or(60);
    Millis((now.seconds() / step + 1) * step * 1_000)
}

/// The first interval that begins at `time` or later.
pub(super) fn begin_at(time: Millis, length: IntervalLength) -> Millis {
    boundary(Millis(time.0.saturating_sub(1)), length, length)
}

#[cfg(test)]
mod tests;
