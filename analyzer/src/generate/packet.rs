//! One packet, as somebody sends it.

use std::net::Ipv4Addr;

use noroshi_proto::time::Millis;

/// A packet on its way to a telescope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// When it arrives.
    pub at: Millis,
    /// Who sent it, or in whose name.
    pub source: Ipv4Addr,
    /// The telescope address it hits.
    pub target: Ipv4Addr,
    /// Time-to-live at arrival.
    pub ttl: u8,
    /// What it carries.
    pub content: Content,
    /// 32 bits of chance, for sequence numbers and the like.
    pub salt: u32,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// A TCP SYN.
    Syn {
        /// Who wrote it.
        tool: Tool,
        /// The port asked for.
        port: u16,
        /// The port sent from.
        source_port: u16,
    },
    /// A TCP RST with ACK, in answer to a SYN in our name.
    Reset {
        /// The port that answers.
        port: u16,
        /// The port it was asked from.
        source_port: u16,
    },
    /// A UDP datagram.
    Datagram {
        /// The port asked for.
        port: u16,
        /// The port sent from.
        source_port: u16,
    },
    /// An ICMP echo request.
    Echo,
}

/// Who writes a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// An ordinary Linux stack.
    Linux,
    /// An ordinary Windows stack.
    Windows,
    /// The Mirai family.
    Mirai,
    /// ZMap before 4.1.
    Zmap,
    /// masscan.
    Masscan,
    /// nmap -sS.
    Nmap,
}

impl Tool {
    /// Its time-to-live at the start.
    pub fn initial_ttl(self) -> u8 {
        match self {
            Self::Linux | Self::Mirai => 64,
            Self::Windows => 128,
            Self::Zmap | Self::Masscan => 255,
            Self::Nmap => 56,
        }
    }
}
