//! What we know we did not see or keep, by reason.

/// Why a frame did not become a packet in the store.
///
/// Numbers are the wire's: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Loss {
    /// The target is not watched; dropped at once.
    OutsideTelescope = 0,
    /// The frame carries no IP (ARP, spanning tree, …).
    NotIp = 1,
    /// The frame ends before the headers needed.
    Truncated = 2,
    /// A header contradicts itself: wrong version, impossible length.
    BadHeader = 3,
    /// The capture's link type is not one we read.
    UnknownLinkType = 4,
    /// Encapsulated deeper than any telescope is delivered.
    TooDeep = 5,
    /// A time before 1970 or beyond the year 9999.
    BadTime = 6,
    /// An ICMP error that quotes too little to name a victim.
    NoQuotedHeader = 7,
    /// The target is watched no more: it is in use.
    Lit = 8,
    /// Decoded, but the interval had no room for more flow tuples.
    TuplesOverLimit = 16,
    /// The oldest batches gave way when the spool was full.
    SpoolFull = 17,
    /// The spool's record was damaged.
    SpoolDamaged = 18,
    /// The collector refused the batch for good.
    Refused = 19,
    /// The kernel had no room in its ring (not part of frames).
    KernelDropped = 32,
    /// The interface dropped it (not part of frames).
    InterfaceDropped = 33,
}

impl Loss {
    /// Every reason.
    pub const ALL: [Self; 15] = [
        Self::OutsideTelescope,
        Self::NotIp,
        Self::Truncated,
        Self::BadHeader,
        Self::UnknownLinkType,
        Self::TooDeep,
        Self::BadTime,
        Self::NoQuotedHeader,
        Self::Lit,
        Self::TuplesOverLimit,
        Self::SpoolFull,
        Self::SpoolDamaged,
        Self::Refused,
        Self::KernelDropped,
        Self::InterfaceDropped,
    ];

    /// The reason with this wire number.
    pub fn from_wire(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| *loss as u32 == number)
    }

    /// The name in JSON, metrics and the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::OutsideTelescope => "outside_telescope",
            Self::NotIp => "not_ip",
            Self::Truncated => "truncated",
            Self::BadHeader => "bad_header",
            Self::UnknownLinkType => "unknown_link_type",
            Self::TooDeep => "too_deep",
            Self::BadTime => "bad_time",
            Self::NoQuotedHeader => "no_quoted_header",
            Self::Lit => "lit",
            Self::TuplesOverLimit => "tuples_over_limit",
            Self::SpoolFull => "spool_full",
            Self::SpoolDamaged => "spool_damaged",
            Self::Refused => "refused",
            Self::KernelDropped => "kernel_dropped",
            Self::InterfaceDropped => "interface_dropped",
        }
    }

    /// Frames that could not be read: the `undecodable` of a replay's summary.
    pub fn is_undecodable(self) -> bool {
        (Self::NotIp as u8..=Self::NoQuotedHeader as u8).contains(&(self as u8))
    }

    fn index(self) -> usize {
        match self {
            Self::OutsideTelescope => 0,
            Self::NotIp => 1,
            Self::Truncated => 2,
            Self::BadHeader => 3,
            Self::UnknownLinkType => 4,
            Self::TooDeep => 5,
            Self::BadTime => 6,
            Self::NoQuotedHeader => 7,
            Self::Lit => 8,
            Self::TuplesOverLimit => 9,
            Self::SpoolFull => 10,
            Self::SpoolDamaged => 11,
            Self::Refused => 12,
            Self::KernelDropped => 13,
            Self::InterfaceDropped => 14,
        }
    }
}

/// One counter per reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses([u64; Loss::ALL.len()]);

impl Losses {
    /// Counts one frame.
    pub fn count(&mut self, reason: Loss) {
        self.add(reason, 1);
    }

    /// Counts several.
    pub fn add(&mut self, reason: Loss, count: u64) {
        self.0[reason.index()] += count;
    }

    /// How many went this way.
    pub fn of(&self, reason: Loss) -> u64 {
        self.0[reason.index()]
    }

    /// Those that are not zero.
    pub fn iter(&self) -> impl Iterator<Item = (Loss, u64)> + '_ {
        Loss::ALL
            .into_iter()
            .map(|reason| (reason, self.of(reason)))
            .filter(|(_, n)| *n > 0)
    }

    /// Everything lost of what was captured: `frames == packets + total()`.
    pub fn total(&self) -> u64 {
        self.iter()
            .filter(|(loss, _)| (*loss as u8) < 17)
            .map(|(_, count)| count)
            .sum()
    }
}

/// Totals of one epoch: `frames == packets + losses.total()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames captured.
    pub frames: u64,
    /// Packets summarised.
    pub packets: u64,
    /// The rest, by reason.
    pub losses: Losses,
}
