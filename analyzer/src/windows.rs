//! When an interval is over for the region, and what to do with what comes afterwards.
//!
//! An interval closes when every live sensor has said that it is complete, and at the
//! latest some time after its end: a laggard loses its vote, never the region's alerts.
//! What arrives for an interval that has closed is late: it is examined apart, by the
//! detectors keyed by source alone. Every flow that is stored is examined, examined late,
//! or skipped for a reason that is counted.

use std::collections::BTreeMap;
use std::ops::Range;

use noroshi_proto::sample::TargetBits;
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_store::ledger::{Arrival, Watermark};
use noroshi_store::window::{Watch, Window};

/// What drives time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The clock: an interval closes soon after its end, whoever is missing.
    Clock,
    /// What sensors say: for captures played back, whose time is not the clock's.
    Sensors,
}

/// When intervals close.
#[derive(Clone, Copy, Debug)]
pub struct Closing {
    /// How long an interval lasts.
    pub length: IntervalLength,
    /// How long after its end an interval waits for live sensors, in milliseconds.
    pub lateness: u64,
    /// What drives time on.
    pub pace: Pace,
    /// At the pace of sensors: so many are waited for, until this wall time.
    pub expected: (usize, Millis),
}

impl Closing {
    /// Waits for half an interval, at least 2 s.
    pub fn new(length: IntervalLength, pace: Pace) -> Self {
        Self {
            length,
            lateness: (u64::from(length.seconds()) * 500).max(2_000),
            pace,
            expected: (0, Millis(0)),
        }
    }

    /// At the pace of sensors, waits until so many have reported, at most to `until`.
    pub fn expecting(self, sensors: usize, until: Millis) -> Self {
        Self {
            expected: (sensors, until),
            ..self
        }
    }

    /// The second up to which every interval is over at wall time `now`; `None` while there
    /// is no telling.
    pub fn through(&self, now: Millis, watermarks: &[Watermark]) -> Option<u64> {
        let live = watermarks.iter().filter(|one| self.is_live(one, now));
        let complete = live.map(|one| one.complete_through).min();
        let through = match self.pace {
            Pace::Clock => {
                let waited = now.0.saturating_sub(self.lateness) / 1000;
                // a sensor may say that an interval is over only once it is
                complete.map_or(waited, |complete| waited.max(complete.min(now.seconds())))
            }
            Pace::Sensors if watermarks.len() < self.expected.0 && now < self.expected.1 => {
                return None;
            }
            Pace::Sensors => {
                let last = watermarks.iter().map(|one| one.complete_through).max();
                complete.or(last)?
            }
        };
        Some(through - through % u64::from(self.length.seconds()))
    }

    /// A sensor has a vote while its last batch was kept within two intervals.
    fn is_live(&self, watermark: &Watermark, now: Millis) -> bool {
        let two = u64::from(self.length.seconds()) * 2_000;
        watermark.kept_at.0 + two >= now.0
    }

    /// The last interval before `through`, as seen by sensors that are complete: what tells
    /// the detectors that time went on although nothing arrived.
    pub fn tick(&self, through: u64, watermarks: &[Watermark]) -> Window {
        let seconds = u64::from(self.length.seconds());
        let complete = watermarks
            .iter()
            .filter(|one| one.complete_through >= through);
        let mut watches: Vec<Watch> = complete
            .map(|one| Watch {
                sensor: one.sensor.clone(),
                addresses: one.addresses,
                target_bits: TargetBits::ThirtyTwo, // without flows, nothing is masked
            })
            .collect();
        watches.sort_by(|one, other| one.sensor.cmp(&other.sensor));
        Window {
            watches,
            ..Window::empty(Interval(through.saturating_sub(seconds)), self.length)
        }
    }
}

/// Batches that arrived, until all of their intervals have been examined.
#[derive(Debug)]
pub struct Intake {
    /// Every interval before this second has been examined.
    position: u64,
    pending: Vec<Arrival>,
    accounts: Accounts,
}

/// What became of the flows that were stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// In time.
    pub examined: u64,
    /// After their interval had closed.
    pub examined_late: u64,
    /// Not at all, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
}

/// Batches whose intervals lie in a range, to be read and examined now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The batches.
    pub arrivals: Vec<Arrival>,
    /// Their intervals, in seconds.
    pub range: Range<u64>,
}

impl Intake {
    /// Begins at `position`.
    pub fn new(position: u64) -> Self {
        Self {
            position,
            pending: Vec::new(),
            accounts: Accounts::default(),
        }
    }

    /// Every interval before this second has been examined.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What became of the flows that arrived.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Takes in what was kept before this analyzer began, and hands back what of it is late:
    /// kept after the last analyzer took in anything (wall time `taken`), of intervals before
    /// the position. What else lies before the position has been examined.
    pub fn resume(&mut self, arrivals: Vec<Arrival>, taken: Millis) -> Option<Due> {
        let (before, new): (Vec<Arrival>, Vec<Arrival>) = arrivals
            .into_iter()
            .partition(|arrival| arrival.kept_at < taken);
        for arrival in before {
            if end(&arrival) <= self.position {
                *self.accounts.skipped.entry("before_start").or_default() += arrival.flows;
            } else {
                self.pending.push(arrival);
            }
        }
        self.arrive(new)
    }

    /// Takes in what has just been kept, and hands back what of it is late.
    pub fn arrive(&mut self, arrivals: Vec<Arrival>) -> Option<Due> {
        let position = self.position;
        let late: Vec<Arrival> = arrivals
            .iter()
            .filter(|arrival| arrival.flows > 0 && start(arrival) < position)
            .cloned()
            .collect();
        let in_time = arrivals
            .into_iter()
            .filter(|arrival| end(arrival) > position);
        self.pending.extend(in_time);
        let from = late.iter().map(start).min()?;
        Some(Due {
            arrivals: late,
            range: from..position,
        })
    }

    /// The next stretch, up to `through` and of at most `seconds_max`, in which anything
    /// was watched; silence is passed over whatever its length.
    pub fn next(&mut self, through: u64, seconds_max: u64) -> Option<Due> {
        let waiting = self.pending.iter().filter(|arrival| arrival.flows > 0);
        let spans = waiting.flat_map(|arrival| arrival.spans.iter());
        let open = spans.filter(|span| span.end > self.position);
        let from = open.map(|span| span.start.max(self.position)).min();
        let Some(from) = from.filter(|from| *from < through) else {
            self.pass(through);
            return None;
        };
        let range = from..through.min(from + seconds_max);
        let touches = |arrival: &&Arrival| {
            let spans = arrival.spans.iter();
            spans
                .clone()
                .any(|span| span.start < range.end && range.start < span.end)
        };
        Some(Due {
            arrivals: self.pending.iter().filter(touches).cloned().collect(),
            range,
        })
    }

    /// Notes that everything before `through` has been examined.
    pub fn pass(&mut self, through: u64) {
        self.position = self.position.max(through);
        let position = self.position;
        self.pending.retain(|arrival| end(arrival) > position);
    }

    /// Counts the flows of windows that have been read.
    pub fn count(&mut self, windows: &[Window]) {
        let flows = windows.iter().flat_map(|window| &window.flows);
        for sighting in flows {
            if sighting.late {
                self.accounts.examined_late += 1;
            } else {
                self.accounts.examined += 1;
            }
        }
    }

    /// Batches that wait.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }
}

/// Marks what these windows hold as late.
pub fn mark_late(windows: &mut [Window]) {
    for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
        sighting.late = true;
    }
}

fn start(arrival: &Arrival) -> u64 {
    arrival.spans.first().map_or(u64::MAX, |span| span.start)
}

fn end(arrival: &Arrival) -> u64 {
    arrival.spans.last().map_or(0, |span| span.end)
}

#[cfg(test)]
mod tests;
