//! What a packet means to a telescope, and which service it concerns.

use std::fmt;

/// What a packet is, decided at the sensor, packet by packet.
///
/// The order and numbers are the wire's and the store's: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Traffic {
    /// TCP with SYN alone.
    ScanSyn = 1,
    /// TCP flags no stack sends: FIN alone, none, FIN+PSH+URG, SYN+FIN.
    ScanStealth = 2,
    /// ICMP echo request.
    ScanEcho = 3,
    /// ICMP time-stamp, information or address-mask request.
    ScanIcmp = 4,
    /// UDP to a port that amplifies nothing.
    ScanUdp = 5,
    /// UDP to a port known to amplify.
    ScanAmp = 6,
    /// TCP with ACK alone: an ACK scan, or backscatter of an ACK flood.
    TcpAck = 7,
    /// Any other TCP.
    TcpOther = 8,
    /// TCP SYN-ACK or RST: an answer to a SYN forged with our address.
    BackscatterTcp = 9,
    /// ICMP replies (echo reply and the like).
    BackscatterIcmp = 10,
    /// ICMP errors: source, transport and service are those of the quoted victim.
    BackscatterIcmpError = 11,
    /// UDP from an amplifier port to a high port: a reflected answer, perhaps.
    BackscatterUdp = 12,
    /// A fragment other than the first: it carries no ports.
    Fragment = 13,
    /// IP that carries neither TCP, UDP nor ICMP.
    OtherProtocol = 14,
}

impl Traffic {
    /// Every class, in wire order.
    pub const ALL: [Self; 14] = [
        Self::ScanSyn,
        Self::ScanStealth,
        Self::ScanEcho,
        Self::ScanIcmp,
        Self::ScanUdp,
        Self::ScanAmp,
        Self::TcpAck,
        Self::TcpOther,
        Self::BackscatterTcp,
        Self::BackscatterIcmp,
        Self::BackscatterIcmpError,
        Self::BackscatterUdp,
        Self::Fragment,
        Self::OtherProtocol,
    ];

    /// The class with this wire number.
    pub fn from_wire(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The name in JSON and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScanSyn => "scan_syn",
            Self::ScanStealth => "scan_stealth",
            Self::ScanEcho => "scan_echo",
            Self::ScanIcmp => "scan_icmp",
            Self::ScanUdp => "scan_udp",
            Self::ScanAmp => "scan_amp",
            Self::TcpAck => "tcp_ack",
            Self::TcpOther => "tcp_other",
            Self::BackscatterTcp => "backscatter_tcp",
            Self::BackscatterIcmp => "backscatter_icmp",
            Self::BackscatterIcmpError => "backscatter_icmp_error",
            Self::BackscatterUdp => "backscatter_udp",
            Self::Fragment => "fragment",
            Self::OtherProtocol => "other_protocol",
        }
    }

    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Unsolicited packets that open a conversation.
    pub fn is_scan(self) -> bool {
        (self as u8) <= Self::ScanAmp as u8
    }

    /// Replies to packets somebody forged with our addresses.
    pub fn is_backscatter(self) -> bool {
        (Self::BackscatterTcp as u8..=Self::BackscatterUdp as u8).contains(&(self as u8))
    }
}

/// What a packet carried above IP, as far as a telescope needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// The port asked for; of backscatter, the port that answered.
    Tcp {
        /// Target port of a scan, source port of backscatter.
        service_port: u16,
    },
    /// The port asked for; of backscatter, the port that answered.
    Udp {
        /// Target port of a scan, source port of backscatter.
        service_port: u16,
    },
    /// ICMP for IPv4.
    Icmp {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
    },
    /// ICMP for IPv6.
    Icmp6 {
        /// ICMPv6 type.
        kind: u8,
        /// ICMPv6 code.
        code: u8,
    },
    /// Anything else, by IP protocol number. TCP and UDP without ports
    /// (later fragments) stand here too, as 6 and 17.
    Other {
        /// IANA protocol number.
        protocol: u8,
    },
}

impl Transport {
    /// Which service this asks for or answers from.
    pub fn service(self) -> Service {
        let (protocol, port) = match self {
            Self::Tcp { service_port } => (Protocol::Tcp, service_port),
            Self::Udp { service_port } => (Protocol::Udp, service_port),
            Self::Icmp { kind, .. } => (Protocol::Icmp, kind.into()),
            Self::Icmp6 { kind, .. } => (Protocol::Icmp6, kind.into()),
            Self::Other { protocol } => (Protocol::Ip, protocol.into()),
        };
        Service { protocol, port }
    }

    /// The five cases as a number (the wire's and the store's) and 16 bits of detail:
    /// a port, `type << 8 | code`, or a protocol number.
    pub fn to_wire(self) -> (u8, u16) {
        match self {
            Self::Tcp { service_port } => (1, service_port),
            Self::Udp { service_port } => (2, service_port),
            Self::Icmp { kind, code } => (3, u16::from_be_bytes([kind, code])),
            Self::Icmp6 { kind, code } => (4, u16::from_be_bytes([kind, code])),
            Self::Other { protocol } => (5, protocol.into()),
        }
    }

    /// The reverse of [`Transport::to_wire`]; `None` for what it never makes.
    pub fn from_wire(case: u8, detail: u16) -> Option<Self> {
        let [kind, code] = detail.to_be_bytes();
        Some(match case {
            1 => Self::Tcp {
                service_port: detail,
            },
            2 => Self::Udp {
                service_port: detail,
            },
            3 => Self::Icmp { kind, code },
            4 => Self::Icmp6 { kind, code },
            5 => Self::Other {
                protocol: u8::try_from(detail).ok()?,
            },
            _ => return None,
        })
    }
}

/// The protocol half of a [`Service`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP for IPv4; the service's "port" is the ICMP type.
    Icmp,
    /// ICMP for IPv6; the service's "port" is the ICMPv6 type.
    Icmp6,
    /// Any other IP protocol; the service's "port" is its number.
    Ip,
}

/// What scanners ask for and attackers hit: `tcp/23`, `udp/53`, `icmp/8`, `ip/47`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    /// Which protocol.
    pub protocol: Protocol,
    /// Port, ICMP type or protocol number.
    pub port: u16,
}

impl Protocol {
    /// In the order of their wire numbers.
    const ALL: [Self; 5] = [Self::Tcp, Self::Udp, Self::Icmp, Self::Icmp6, Self::Ip];

    /// The number of its transports on the wire and in the store, see [`Transport::to_wire`].
    pub fn to_wire(self) -> u8 {
        self as u8 + 1
    }

    /// The reverse of [`Protocol::to_wire`].
    pub fn from_wire(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The name in JSON and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmp6 => "icmp6",
            Self::Ip => "ip",
        }
    }
}

impl Service {
    /// The service of this name, such as `tcp/23`.
    pub fn from_name(name: &str) -> Option<Self> {
        let (protocol, port) = name.split_once('/')?;
        let protocol = Protocol::ALL
            .into_iter()
            .find(|one| one.name() == protocol)?;
        let port = port.parse().ok()?;
        Some(Self { protocol, port })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.protocol.name(), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_read_as_they_are_written() {
        for number in 1..=5 {
            let protocol = Protocol::from_wire(number).unwrap();
            assert_eq!(protocol.to_wire(), number);
            let service = Service { protocol, port: 47 };
            assert_eq!(Service::from_name(&service.to_string()), Some(service));
        }
        assert_eq!(Protocol::from_wire(0), None);
        assert_eq!(Protocol::from_wire(6), None);
        for wrong in [
            "",
            "tcp",
            "tcp/",
            "tcp/65536",
            "tcp/-1",
            "TCP/23",
            "sctp/9",
            "tcp/23/2",
        ] {
            assert_eq!(Service::from_name(wrong), None, "{wrong}");
        }
    }
}
