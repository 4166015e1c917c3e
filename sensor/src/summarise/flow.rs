//! Runs of records with one tuple, folded into a flow.

use noroshi_proto::flow::Marks;
use noroshi_proto::sample::{SAMPLE_BACKSCATTER_MAX, SAMPLE_MAX, TargetBits};
use noroshi_proto::wire::columns::Row;

use crate::summarise::record::Record;

/// From so many packets of a flow, marking targets in a bitmap beats sorting them.
const BITMAP_FROM: usize = 64;

/// Folds records into flows. Its memory is used anew by each.
pub(super) struct Folder {
    targets: Vec<u32>,
    /// One bit per masked target; empty where there are too many.
    seen: Vec<u64>,
    marks: Marks,
}

impl Folder {
    pub(super) fn new(bits: TargetBits) -> Self {
        let words = match bits {
            TargetBits::Sixteen => (1 << 16) / 64,
            TargetBits::ThirtyTwo => 0,
        };
        Self {
            targets: Vec::new(),
            seen: vec![0; words],
            marks: Marks::default(),
        }
    }

    /// Gives each flow of `records`, which are sorted by key, with one record of it.
    #[inline]
    pub(super) fn fold(&mut self, records: &[Record], mut each: impl FnMut(&Record, &Row<'_>)) {
        let mut rest = records;
        while let [first, ..] = rest {
            let key = first.key;
            let packets = rest.iter().take_while(|record| record.key == key).count();
            let (flow, after) = rest.split_at(packets);
            rest = after;
            match flow {
                [record] => each(record, &single(record, &[record.target()])),
                _ => each(first, &self.several(flow)),
            }
        }
    }

    fn several(&mut self, flow: &[Record]) -> Row<'_> {
        let mut sum = Sum::of(flow[0]);
        for record in &flow[1..] {
            sum.add(*record);
        }
        let targets = self.targets(flow);
        let first = Record {
            first: sum.first,
            ..flow[0]
        };
        let is_partial = sum.marks_any != sum.marks_all;
        if is_partial {
            self.marks = count_marks(flow);
        }
        Row {
            shape: first.shape(sum.marks_all),
            service: first.service(),
            packets: flow.len() as u64,
            bytes: sum.bytes,
            first: first.offset(),
            last: sum.last,
            targets,
            sample: &self.targets,
            source_port: first.source_port(),
            ttl_min: sum.ttl_min,
            ttl_max: sum.ttl_max,
            window: first.window(),
            marks: is_partial.then_some(&self.marks),
        }
    }

    /// Counts distinct targets, and leaves the smallest of them in `self.targets`.
    fn targets(&mut self, flow: &[Record]) -> u32 {
        let most = if flow[0].is_backscatter() {
            SAMPLE_BACKSCATTER_MAX
        } else {
            SAMPLE_MAX
        };
        if flow.len() >= BITMAP_FROM && !self.seen.is_empty() {
            return self.mark_targets(flow, most);
        }
        self.targets.clear();
        self.targets
            .extend(flow.iter().map(|record| record.target()));
        self.targets.sort_unstable();
        self.targets.dedup();
        let distinct = self.targets.len();
        self.targets.truncate(most);
        distinct as u32
    }

    fn mark_targets(&mut self, flow: &[Record], most: usize) -> u32 {
        let mut distinct = 0;
        for record in flow {
            let target = record.target() as usize;
            let word = &mut self.seen[target / 64];
            let bit = 1 << (target % 64);
            distinct += u32::from(*word & bit == 0);
            *word |= bit;
        }
        self.targets.clear();
        'full: for (at, word) in self.seen.iter().enumerate() {
            let mut left = *word;
            while left > 0 {
                if self.targets.len() == most {
                    break 'full;
                }
                self.targets.push(at as u32 * 64 + left.trailing_zeros());
                left &= left - 1;
            }
        }
        self.seen.fill(0);
        distinct
    }
}

/// The flow of a packet that stayed alone, as most do.
#[inline]
fn single<'a>(record: &Record, target: &'a [u32; 1]) -> Row<'a> {
    Row {
        shape: record.shape(record.marks()),
        service: record.service(),
        packets: 1,
        bytes: record.bytes(),
        first: record.offset(),
        last: record.offset(),
        targets: 1,
        sample: target,
        source_port: record.source_port(),
        ttl_min: record.ttl(),
        ttl_max: record.ttl(),
        window: record.window(),
        marks: None,
    }
}

/// What several packets add up to, whatever their order.
struct Sum {
    bytes: u64,
    first: u64,
    last: u32,
    ttl_min: u8,
    ttl_max: u8,
    marks_all: u8,
    marks_any: u8,
}

impl Sum {
    #[inline]
    fn of(record: Record) -> Self {
        Self {
            bytes: record.bytes(),
            first: record.first,
            last: record.offset(),
            ttl_min: record.ttl(),
            ttl_max: record.ttl(),
            marks_all: record.marks(),
            marks_any: record.marks(),
        }
    }

    #[inline]
    fn add(&mut self, record: Record) {
        self.bytes += record.bytes();
        self.first = self.first.min(record.first);
        self.last = self.last.max(record.offset());
        self.ttl_min = self.ttl_min.min(record.ttl());
        self.ttl_max = self.ttl_max.max(record.ttl());
        self.marks_all &= record.marks();
        self.marks_any |= record.marks();
    }
}

#[cold]
fn count_marks(flow: &[Record]) -> Marks {
    let mut marks = Marks::default();
    for record in flow {
        for (bit, count) in marks.counts_mut().into_iter().enumerate() {
            *count += u32::from(record.marks() >> bit & 1);
        }
    }
    marks
}
