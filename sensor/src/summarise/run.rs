//! Records of one interval: appended in any order, given back as sorted flows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use noroshi_proto::sample::TargetBits;
use noroshi_proto::wire::columns::Row;

use crate::mask::Mask;
use crate::summarise::flow::Folder;
use crate::summarise::memory::Memory;
use crate::summarise::record::Record;

/// Records of one partition that lie together.
const CHUNK: usize = 128;
/// By the first octet of the source.
const PARTITIONS: usize = 256;
const NO_CHUNK: u32 = u32::MAX;

/// An IPv6 packet: its source beside its record.
#[derive(Clone, Copy, Debug)]
struct Record6 {
    source: [u64; 2],
    record: Record,
}

/// The records of an interval, or of a part of it.
pub(super) struct Run {
    /// Chunks of all partitions, in the order they were needed.
    records: Vec<Record>,
    /// The chunk before each, of the same partition.
    earlier: Vec<u32>,
    /// Where the next record of each partition goes; a multiple of [`CHUNK`]: nowhere yet.
    next: [u32; PARTITIONS],
    records6: Vec<Record6>,
    packets: u64,
    /// One partition, sorted.
    sorted: Vec<Record>,
    folder: Folder,
    chunks_max: usize,
    /// Half of the memory, should IPv4 fill the other half.
    records6_max: usize,
}

impl Run {
    pub(super) fn new(bits: TargetBits, memory: Memory) -> Self {
        let bytes = memory.of_packets();
        Self {
            records: Vec::new(),
            earlier: Vec::new(),
            next: [0; PARTITIONS],
            records6: Vec::new(),
            packets: 0,
            sorted: Vec::new(),
            folder: Folder::new(bits),
            chunks_max: bytes / size_of::<[Record; CHUNK]>(),
            records6_max: bytes / 2 / size_of::<Record6>(),
        }
    }

    /// Packets added.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// Whether another packet might need more memory than allowed.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.earlier.len() >= self.chunks_max || self.records6.len() >= self.records6_max
    }

    /// An IPv4 packet; `record` has its target unmasked, and no source yet.
    #[inline]
    pub(super) fn add(&mut self, source: Ipv4Addr, record: Record) {
        self.packets += 1;
        let address = u32::from(source);
        let partition = (address >> 24) as usize;
        let mut at = self.next[partition] as usize;
        if at.is_multiple_of(CHUNK) {
            at = self.another_chunk(partition);
        }
        self.records[at] = record.with_source(address);
        self.next[partition] = at as u32 + 1;
    }

    /// An IPv6 packet; `record` has its target masked.
    pub(super) fn add6(&mut self, source: Ipv6Addr, record: Record) {
        self.packets += 1;
        let source = halves(source);
        self.records6.push(Record6 { source, record });
    }

    /// Takes back what came to `lit`, and tells how many packets that were. Targets of IPv6 are
    /// masked already: there it is what came from `source`, who showed the light.
    pub(super) fn forget(&mut self, lit: IpNet, source: IpAddr) -> u64 {
        let before = self.packets;
        match (lit, source) {
            (IpNet::V4(lit), _) => self.forget_v4(lit),
            (IpNet::V6(_), IpAddr::V6(source)) => {
                let (source, packets6) = (halves(source), self.records6.len());
                self.records6.retain(|record| record.source != source);
                self.packets -= (packets6 - self.records6.len()) as u64;
            }
            (IpNet::V6(_), IpAddr::V4(_)) => {}
        }
        before - self.packets
    }

    /// Lays the others out anew: rare enough to cost what it costs.
    fn forget_v4(&mut self, lit: Ipv4Net) {
        let mut kept: Vec<Record> = Vec::new();
        for partition in (0..PARTITIONS).filter(|partition| self.next[*partition] > 0) {
            self.each_chunk(partition, |chunk| {
                let others = chunk
                    .iter()
                    .filter(|record| !lit.contains(&Ipv4Addr::from(record.target())));
                kept.extend(others);
            });
        }
        self.earlier.clear();
        self.next = [0; PARTITIONS];
        self.packets = self.records6.len() as u64;
        for record in kept {
            self.add(record.source().into(), record);
        }
    }

    /// Gives every flow with its source, ascending, and is empty afterwards.
    pub(super) fn drain(&mut self, mask: &Mask, mut each: impl FnMut(IpAddr, &Row<'_>)) {
        for partition in 0..PARTITIONS {
            if self.next[partition] > 0 {
                let records = self.sort(partition, mask);
                self.folder.fold(&self.sorted[..records], |first, row| {
                    each(IpAddr::V4(first.source().into()), row);
                });
            }
        }
        self.drain6(&mut each);
        self.earlier.clear();
        self.next = [0; PARTITIONS];
        self.packets = 0;
    }

    fn drain6(&mut self, mut each: impl FnMut(IpAddr, &Row<'_>)) {
        self.records6
            .sort_unstable_by_key(|record| (record.source, record.record.key));
        for of_source in self
            .records6
            .chunk_by(|one, next| one.source == next.source)
        {
            let [high, low] = of_source[0].source.map(u128::from);
            let source = IpAddr::from(Ipv6Addr::from(high << 64 | low));
            self.sorted.clear();
            self.sorted
                .extend(of_source.iter().map(|record| record.record));
            self.folder.fold(&self.sorted, |_, row| each(source, row));
        }
        self.records6.clear();
    }

    /// Sorts a partition into `sorted`, targets masked, and tells how many records it has:
    /// dealt out by the second octet first, which leaves a handful in each place, mostly.
    ///
    /// Masking waits until here because the permutation would not stay in the cache beside
    /// the frames that are being read.
    fn sort(&mut self, partition: usize, mask: &Mask) -> usize {
        let mut ends = [0u32; 256];
        self.each_chunk(partition, |chunk| {
            for record in chunk {
                ends[second_octet(record)] += 1;
            }
        });
        let mut records = 0;
        for end in &mut ends {
            records += std::mem::replace(end, records);
        }
        let mut sorted = std::mem::take(&mut self.sorted);
        if sorted.len() < records as usize {
            sorted.resize(records as usize, Record::default());
        }
        self.each_chunk(partition, |chunk| {
            for record in chunk {
                let end = &mut ends[second_octet(record)];
                sorted[*end as usize] = record.masked(mask);
                *end += 1;
            }
        });
        let mut start = 0;
        for end in ends {
            let place = &mut sorted[start..end as usize];
            if place.len() > 1 {
                place.sort_unstable_by_key(|record| record.key);
            }
            start = end as usize;
        }
        self.sorted = sorted;
        records as usize
    }

    fn each_chunk(&self, partition: usize, mut each: impl FnMut(&[Record])) {
        let mut end = self.next[partition] as usize;
        loop {
            let chunk = (end - 1) / CHUNK;
            each(&self.records[chunk * CHUNK..end]);
            let earlier = self.earlier[chunk];
            if earlier == NO_CHUNK {
                return;
            }
            end = (earlier as usize + 1) * CHUNK;
        }
    }

    /// Makes room for a partition without any; the new chunk follows the one just filled.
    #[cold]
    fn another_chunk(&mut self, partition: usize) -> usize {
        let chunk = self.earlier.len();
        let filled = self.next[partition] as usize / CHUNK;
        let earlier = filled.checked_sub(1).map_or(NO_CHUNK, |chunk| chunk as u32);
        self.earlier.push(earlier);
        let end = (chunk + 1) * CHUNK;
        if self.records.len() < end {
            self.records.resize(end, Record::default());
        }
        chunk * CHUNK
    }
}

fn halves(address: Ipv6Addr) -> [u64; 2] {
    let number = u128::from(address);
    [(number >> 64) as u64, number as u64]
}

#[inline]
fn second_octet(record: &Record) -> usize {
    (record.key >> 48) as usize & 0xff
}
