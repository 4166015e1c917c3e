//! What the centre says it holds, against what is here.

use noroshi_proto::hello::Held;
use noroshi_proto::id::Epoch;
use noroshi_proto::limits::HELD_RANGES_MAX;

use super::account::Reason;
use super::record::Header;
use super::segment::Step;
use super::{Spool, SpoolError};

impl Spool {
    /// The centre says what it holds of this sensor: that is acknowledged, and what it lacks of
    /// what is still here will be sent again. Nothing may be on its way.
    pub fn reconcile(&mut self, held: &[Held], now: u64) -> Result<(), SpoolError> {
        self.sent.clear();
        let mut acknowledged = self.state.acknowledged.clone();
        if held.len() < HELD_RANGES_MAX {
            // The list is whole, so what it leaves out is not there.
            for segment in &self.segments {
                acknowledged.remove(segment.positions());
            }
        }
        for range in held.iter().flat_map(|held| self.runs.positions_of(held)) {
            acknowledged.insert(range);
        }
        for (position, entry) in std::mem::take(&mut self.state.doubtful) {
            let is_held = |held: &Held| held.holds(Epoch(entry.epoch), entry.sequence);
            if held.iter().any(is_held) {
                self.state.account.deliver(&entry);
                self.state.lost.remove(position..position + 1);
                acknowledged.insert(position..position + 1);
            } else {
                self.state.account.lose(Reason::Full, &entry);
            }
        }
        acknowledged.subtract(&self.state.lost);
        self.state.acknowledged = acknowledged;
        self.learn_what_arrived()?;
        self.settle();
        self.save(now)
    }

    /// Finds the newest batch of each epoch that arrived, where the answer to it was missed.
    fn learn_what_arrived(&mut self) -> Result<(), SpoolError> {
        for epoch in self.state.account.epochs() {
            let ranges = self.runs.positions_in(epoch);
            let newest = ranges
                .filter_map(|r| self.state.acknowledged.highest_in(r))
                .max();
            let Some(position) = newest else {
                continue;
            };
            if position < self.state.account.delivered_through(epoch) {
                continue;
            }
            if let Some(header) = self.header_at(position)? {
                self.state.account.deliver(&header.entry());
            }
        }
        Ok(())
    }

    fn header_at(&self, position: u64) -> Result<Option<Header>, SpoolError> {
        let Some(segment) = self.segment_at(position) else {
            return Ok(None);
        };
        let reading = |error| SpoolError::file("read", &segment.path)(error);
        let mut walk = segment.walk().map_err(reading)?;
        while let Some(step) = walk.step(segment.end).map_err(reading)? {
            match step {
                Step::Record(_, header) if header.position == position => return Ok(Some(header)),
                _ if walk.at().position > position => break,
                _ => {}
            }
        }
        Ok(None)
    }
}
