//! What the spool lost, until a batch that arrives reports it.
//!
//! A batch's counters are totals of its epoch, so a lost batch's packets stay in the totals of
//! the batches after it, and only the loss itself has to be added. Where none of its epoch
//! arrives after it, nobody would ever hear of its frames, nor of the losses it reported: then
//! the present epoch reports both.

use std::collections::BTreeMap;

use noroshi_proto::id::Epoch;
use noroshi_proto::loss::{Counters, Loss};
use serde::{Deserialize, Serialize};

/// More than a sensor ever counts, be it batches or packets: a file that claims more is damaged,
/// and sums of what is believed do not overflow.
pub const COUNT_MAX: u64 = 1 << 56;

/// Losses since the spool was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Frames (all of them packets) of epochs that ended with lost batches.
    pub frames: u64,
    /// Packets given up for room.
    pub full: u64,
    /// Packets in records that could not be read.
    pub damaged: u64,
    /// Packets the collector refused.
    pub refused: u64,
}

impl Totals {
    /// As numbers, for a header.
    pub fn numbers(self) -> [u64; 4] {
        [self.frames, self.full, self.damaged, self.refused]
    }

    /// The reverse of [`Totals::numbers`].
    pub fn from_numbers([frames, full, damaged, refused]: [u64; 4]) -> Self {
        Self {
            frames,
            full,
            damaged,
            refused,
        }
    }

    /// Whether a sensor can have lost so much.
    pub fn is_sound(self) -> bool {
        self.numbers().iter().all(|number| *number <= COUNT_MAX)
    }

    /// What a batch has to add to its counters, where `reported` was told before.
    pub fn since(self, reported: Self) -> Counters {
        let missing = self.missing_in(reported);
        let mut counters = Counters {
            frames: missing.frames,
            packets: missing.frames,
            ..Counters::default()
        };
        counters.losses.add(Loss::SpoolFull, missing.full);
        counters.losses.add(Loss::SpoolDamaged, missing.damaged);
        counters.losses.add(Loss::Refused, missing.refused);
        counters
    }

    fn missing_in(self, reported: Self) -> Self {
        let (all, told) = (self.numbers(), reported.numbers());
        Self::from_numbers(std::array::from_fn(|at| all[at].saturating_sub(told[at])))
    }

    fn max(self, other: Self) -> Self {
        let (mine, theirs) = (self.numbers(), other.numbers());
        Self::from_numbers(std::array::from_fn(|at| mine[at].max(theirs[at])))
    }

    fn add(&mut self, other: Self) {
        let (mine, theirs) = (self.numbers(), other.numbers());
        *self = Self::from_numbers(std::array::from_fn(|at| {
            mine[at].saturating_add(theirs[at])
        }));
    }

    fn count(&mut self, reason: Reason, packets: u64) {
        let count = match reason {
            Reason::Full => &mut self.full,
            Reason::Damaged => &mut self.damaged,
            Reason::Refused => &mut self.refused,
        };
        *count = count.saturating_add(packets);
    }
}

/// Why a batch that was in the spool will never be in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It gave way to newer ones.
    Full,
    /// It could not be read.
    Damaged,
    /// The collector refused it for good.
    Refused,
}

/// A batch, as far as accounts are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its epoch.
    pub epoch: u64,
    /// Its number in the epoch.
    pub sequence: u64,
    /// Its place in the spool.
    pub position: u64,
    /// Its packets.
    pub packets: u64,
    /// What its counters include.
    pub totals: Totals,
}

impl Entry {
    /// Whether a sensor can have made it.
    pub fn is_sound(&self) -> bool {
        let counts = [self.sequence, self.position, self.packets];
        counts.iter().all(|count| *count <= COUNT_MAX) && self.totals.is_sound()
    }
}

/// All losses, and who told the centre of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    totals: Totals,
    epochs: BTreeMap<u64, Told>,
}

/// What the centre knows of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// The totals in the newest batch that arrived, or those the epoch began with.
    totals: Totals,
    /// Behind the newest batch that arrived.
    through: u64,
    /// Lost batches behind that: ranges without anything still to be sent in between.
    lost: Vec<Lost>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lost {
    first: u64,
    last: u64,
    packets: u64,
    totals: Totals,
    /// Nothing was kept at `last` when this was lost: what is kept there later is not in it, and
    /// may still have to be sent. Written only where it holds: what a sensor is rolled back to
    /// knows no such thing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unkept: bool,
}

impl Lost {
    /// Behind the last batch in it.
    fn end(&self) -> u64 {
        self.last + u64::from(!self.unkept)
    }

    fn is_sound(&self) -> bool {
        self.first <= self.last
            && self.last <= COUNT_MAX
            && self.packets <= COUNT_MAX
            && self.totals.is_sound()
    }
}

impl Account {
    /// False where a file holds what cannot have come about.
    pub fn is_sound(&self) -> bool {
        let told = |told: &Told| {
            told.totals.is_sound()
                && told.through <= COUNT_MAX
                && told.lost.iter().all(Lost::is_sound)
        };
        self.totals.is_sound() && self.epochs.values().all(told)
    }

    /// An epoch begins, when batches in the spool have reported (or will report) `reported`.
    pub fn begin(&mut self, epoch: Epoch, reported: Totals) {
        self.totals = self.totals.max(reported); // which is more only when the state was lost
        self.epochs.insert(
            epoch.0,
            Told {
                totals: reported,
                ..Told::default()
            },
        );
    }

    /// What the next batch has to include.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Counts a batch that is in the spool and will never be sent.
    pub fn lose(&mut self, reason: Reason, entry: &Entry) {
        self.lose_range(reason, entry.position..entry.position + 1, entry);
    }

    /// The same for neighbouring batches; `entry` says what they were together.
    pub fn lose_range(&mut self, reason: Reason, positions: std::ops::Range<u64>, entry: &Entry) {
        let lost = Lost {
            first: positions.start,
            last: positions.end - 1,
            packets: entry.packets,
            totals: entry.totals,
            unkept: false,
        };
        self.count(reason, entry.epoch, lost);
    }

    /// Counts a batch that there was no room for, in the place of the next one that is kept. What
    /// it would have reported is still to be reported.
    pub fn lose_unkept(&mut self, epoch: Epoch, position: u64, packets: u64) {
        let lost = Lost {
            first: position,
            last: position,
            packets,
            totals: Totals::default(),
            unkept: true,
        };
        self.count(Reason::Full, epoch.0, lost);
    }

    fn count(&mut self, reason: Reason, epoch: u64, lost: Lost) {
        self.totals.count(reason, lost.packets);
        let told = self.epochs.entry(epoch).or_default();
        if lost.last < told.through {
            return; // the totals of what arrived cover it
        }
        let at = told.lost.partition_point(|other| other.first <= lost.first);
        match at
            .checked_sub(1)
            .and_then(|before| told.lost.get_mut(before))
        {
            Some(before) if before.end() >= lost.first => {
                if lost.last >= before.last {
                    (before.last, before.unkept) = (lost.last, lost.unkept);
                }
                before.packets = before.packets.saturating_add(lost.packets);
                before.totals = before.totals.max(lost.totals);
            }
            _ => told.lost.insert(at, lost),
        }
    }

    /// A batch arrived: its totals cover what its epoch lost before it.
    pub fn deliver(&mut self, entry: &Entry) {
        let begun = Told {
            totals: entry.totals,
            ..Told::default()
        };
        let told = self.epochs.entry(entry.epoch).or_insert(begun);
        if entry.position >= told.through {
            told.through = entry.position + 1;
            told.totals = entry.totals;
            told.lost.retain(|lost| lost.last > entry.position);
        }
    }

    /// Behind the newest batch of `epoch` that arrived.
    pub fn delivered_through(&self, epoch: Epoch) -> u64 {
        self.epochs.get(&epoch.0).map_or(0, |told| told.through)
    }

    /// Whether `epoch` has begun and is not settled.
    pub fn is_open(&self, epoch: Epoch) -> bool {
        self.epochs.contains_key(&epoch.0)
    }

    /// Epochs that are not settled.
    pub fn epochs(&self) -> Vec<Epoch> {
        self.epochs.keys().copied().map(Epoch).collect()
    }

    /// No batch of `epoch` will ever come again.
    pub fn settle(&mut self, epoch: Epoch) {
        let Some(told) = self.epochs.remove(&epoch.0) else {
            return;
        };
        // What a batch reports, the batches behind it report as well.
        let mut reported = told.totals;
        for lost in told.lost {
            reported = reported.max(lost.totals);
            self.totals.frames = self.totals.frames.saturating_add(lost.packets);
        }
        self.totals.add(reported.missing_in(told.totals));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch(1);

    fn entry(position: u64, packets: u64) -> Entry {
        Entry {
            epoch: EPOCH.0,
            sequence: 0,
            position,
            packets,
            totals: Totals::default(),
        }
    }

    /// Three batches on a full disk, all in the place of the next one that is kept.
    fn unkept() -> Account {
        let mut account = Account::default();
        account.begin(EPOCH, Totals::default());
        for packets in [10, 20, 30] {
            account.lose_unkept(EPOCH, 5, packets);
        }
        account
    }

    fn frames_when_settled(mut account: Account) -> u64 {
        account.settle(EPOCH);
        account.totals().frames
    }

    #[test]
    fn what_was_never_kept_is_told_by_the_next_batch_of_its_epoch() {
        let mut account = unkept();
        assert_eq!((account.totals().full, account.totals().frames), (60, 0));
        account.deliver(&entry(5, 1));
        account.settle(EPOCH);
        assert_eq!((account.totals().full, account.totals().frames), (60, 0));
    }

    #[test]
    fn or_by_the_next_epoch_where_none_comes_any_more() {
        let mut account = unkept();
        account.deliver(&entry(4, 1)); // of before
        account.lose(Reason::Full, &entry(5, 40)); // the next, kept and then given up
        account.settle(EPOCH);
        assert_eq!((account.totals().full, account.totals().frames), (100, 100));
    }

    #[test]
    fn what_is_lost_behind_a_batch_that_arrives_is_told_apart_from_what_it_tells() {
        let mut account = unkept();
        account.lose(Reason::Full, &entry(6, 7)); // and 5 is still on its way
        account.deliver(&entry(5, 1));
        assert_eq!(frames_when_settled(account), 7);
    }

    #[test]
    fn losses_on_both_sides_of_what_was_never_kept_are_counted_once() {
        let mut account = Account::default();
        account.begin(EPOCH, Totals::default());
        account.lose(Reason::Full, &entry(4, 3));
        account.lose_unkept(EPOCH, 5, 10);
        account.lose(Reason::Full, &entry(6, 7));
        let mut first = account.clone();
        first.lose(Reason::Full, &entry(5, 1));
        assert_eq!(frames_when_settled(first), 3 + 10 + 1 + 7);
        account.deliver(&entry(5, 1));
        assert_eq!(frames_when_settled(account), 7);
    }

    #[test]
    fn neighbours_are_one_range_also_behind_what_was_never_kept() {
        let mut account = unkept();
        for position in 5..1_000 {
            account.lose(Reason::Full, &entry(position, 1));
        }
        assert_eq!(account.epochs[&EPOCH.0].lost.len(), 1);
        assert_eq!(frames_when_settled(account), 60 + 995);
    }

    #[test]
    fn what_was_never_kept_reported_nothing() {
        let mut account = unkept(); // the second and third of which would have reported the first
        account.settle(EPOCH);
        assert_eq!((account.totals().full, account.totals().frames), (60, 60));
    }

    #[test]
    fn what_a_lost_batch_reported_is_told_also_where_others_that_reported_nothing_follow() {
        let totals = Totals {
            full: 60,
            ..Totals::default()
        };
        for unkept in [6, 8] {
            let mut account = Account::default();
            account.begin(EPOCH, Totals::default());
            let reporting = Entry {
                totals,
                ..entry(5, 1)
            };
            account.lose(Reason::Refused, &reporting);
            account.lose_unkept(EPOCH, unkept, 2);
            account.settle(EPOCH);
            assert_eq!((account.totals().full, account.totals().frames), (62, 3));
        }
    }

    #[test]
    fn the_file_says_nothing_new_where_all_was_kept_so_that_any_version_reads_it() {
        let mut account = Account::default();
        account.begin(EPOCH, Totals::default());
        account.lose(Reason::Full, &entry(4, 3));
        let zero = r#"{"frames":0,"full":0,"damaged":0,"refused":0}"#;
        let text = format!(
            r#"{{"totals":{{"frames":0,"full":3,"damaged":0,"refused":0}},"epochs":{{"1":{{"totals":{zero},"through":0,"lost":[{{"first":4,"last":4,"packets":3,"totals":{zero}}}]}}}}}}"#
        );
        assert_eq!(serde_json::to_string(&account).unwrap(), text);
        assert_eq!(serde_json::from_str::<Account>(&text).unwrap(), account);
        let unkept = unkept();
        let text = serde_json::to_string(&unkept).unwrap();
        assert_eq!(serde_json::from_str::<Account>(&text).unwrap(), unkept);
    }
}
