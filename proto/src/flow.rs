//! Flow tuples and what is counted for each.

use std::net::IpAddr;

use crate::sample::{TargetBits, TargetSample};
use crate::time::Millis;
use crate::traffic::{Traffic, Transport};

/// Packets equal in these belong together within one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowTuple {
    /// Who sent it; of an ICMP error, the quoted victim.
    pub source: IpAddr,
    /// What the packets mean.
    pub traffic: Traffic,
    /// Transport and service.
    pub transport: Transport,
}

/// What was counted for one flow tuple in one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes of IP, headers included, as the headers declare them.
    pub bytes: u64,
    /// When the first packet was seen.
    pub first: Millis,
    /// When the last packet was seen.
    pub last: Millis,
    /// Distinct telescope addresses hit, exact within the interval.
    pub targets: u32,
    /// A mergeable sample of them, masked.
    pub sample: TargetSample,
    /// Source port of the first packet (of backscatter: the port it was sent to);
    /// 0 where the transport has none.
    pub source_port: u16,
    /// Lowest time-to-live (hop limit) seen.
    pub ttl_min: u8,
    /// Highest time-to-live (hop limit) seen.
    pub ttl_max: u8,
    /// TCP window of the first packet, 0 for others.
    pub window: u16,
    /// Option layout of the first SYN.
    pub options: OptionLayout,
    /// Fingerprint matches.
    pub marks: Marks,
}

impl Tally {
    /// Both tallies as if one had counted everything; `most` is
    /// [`sample_max`](crate::sample::sample_max) of their class.
    ///
    /// Sums saturate. The first packet is the one seen first; of several within one
    /// millisecond, the one with the smallest source port, window and option layout. Targets
    /// stay exact while both samples hold all of them; else they are estimated from the merged
    /// sample, between the larger of the two counts and their sum.
    pub fn merge(&mut self, other: &Self, most: usize, bits: TargetBits) {
        self.targets = self.targets_with(other, most, bits);
        self.sample.merge(&other.sample, most);
        if other.first_packet() < self.first_packet() {
            self.source_port = other.source_port;
            self.window = other.window;
            self.options = other.options;
        }
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.ttl_min = self.ttl_min.min(other.ttl_min);
        self.ttl_max = self.ttl_max.max(other.ttl_max);
        self.marks.merge(&other.marks);
    }

    fn targets_with(&self, other: &Self, most: usize, bits: TargetBits) -> u32 {
        let mut both = self.sample.clone();
        both.merge(&other.sample, usize::MAX);
        if self.sample_is_complete() && other.sample_is_complete() {
            return both.len() as u32;
        }
        both.merge(&TargetSample::default(), most);
        let estimate = u32::try_from(both.distinct(most, bits)).unwrap_or(u32::MAX);
        let least = self.targets.max(other.targets);
        estimate.clamp(least, self.targets.saturating_add(other.targets))
    }

    /// Whether the sample holds every target.
    fn sample_is_complete(&self) -> bool {
        self.sample.len() == self.targets as usize
    }

    /// What tells which of two tallies began earlier, whichever way they are merged.
    fn first_packet(&self) -> (Millis, u16, u16, OptionLayout) {
        (self.first, self.source_port, self.window, self.options)
    }
}

/// How many packets of a flow matched each fingerprint.
///
/// Counted per packet at the sensor, because sequence numbers and IP ids never
/// leave it; judged per source at the centre (at least 3 packets, 90 % agreement).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// TCP SYNs: what the SYN fingerprints are measured against.
    pub syns: u32,
    /// `tcp.seq == ip.dst`: Mirai (bot/scanner.c of the leaked source).
    pub mirai: u32,
    /// `ip.id == 54321`: ZMap before 4.1.0.
    pub zmap: u32,
    /// Windows option layout, window 65535, DF clear and TTL at most 64: ZMap from 4.1.1.
    pub zmap_modern: u32,
    /// `ip.id == (ip.dst ^ tcp.dstport ^ tcp.seq) & 0xffff`: masscan, every version.
    pub masscan: u32,
    /// Window 1024, MSS alone, TTL at most 64, and not masscan: nmap -sS.
    pub nmap: u32,
    /// TTL over 200 or no TCP options: a stateless sender (Spoki, "irregular" SYNs).
    pub irregular: u32,
    /// ICMP errors whose quoted source is not the target they came to.
    pub mismatched: u32,
}

impl Marks {
    /// Adds another flow's counts, saturating.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts_mut().into_iter().zip(other.counts()) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// All eight, in wire order.
    pub fn counts(&self) -> [u32; 8] {
        [
            self.syns,
            self.mirai,
            self.zmap,
            self.zmap_modern,
            self.masscan,
            self.nmap,
            self.irregular,
            self.mismatched,
        ]
    }

    /// All eight, in wire order.
    pub fn counts_mut(&mut self) -> [&mut u32; 8] {
        [
            &mut self.syns,
            &mut self.mirai,
            &mut self.zmap,
            &mut self.zmap_modern,
            &mut self.masscan,
            &mut self.nmap,
            &mut self.irregular,
            &mut self.mismatched,
        ]
    }
}

/// The order of options in a SYN: the sender's operating system, or its tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum OptionLayout {
    /// Not a SYN, or the options were not captured.
    #[default]
    Unknown = 0,
    /// A SYN without options.
    None = 1,
    /// MSS alone.
    Mss = 2,
    /// MSS, SACK permitted, time-stamps, NOP, window scale.
    Linux = 3,
    /// MSS, NOP, window scale, NOP, NOP, SACK permitted.
    Windows = 4,
    /// MSS, NOP, window scale, (NOP, NOP,) time-stamps, SACK permitted: BSD and macOS.
    Bsd = 5,
    /// Options in another order.
    Other = 6,
    /// Options that do not parse.
    Malformed = 7,
}

impl OptionLayout {
    /// Every layout, by number.
    pub const ALL: [Self; 8] = [
        Self::Unknown,
        Self::None,
        Self::Mss,
        Self::Linux,
        Self::Windows,
        Self::Bsd,
        Self::Other,
        Self::Malformed,
    ];

    /// The layout with this number.
    pub fn from_wire(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One flow tuple with what was counted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Which packets.
    pub tuple: FlowTuple,
    /// What they added up to.
    pub tally: Tally,
}
