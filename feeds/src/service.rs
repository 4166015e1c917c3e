//! What was asked for or attacked, as formats of others name it.

use noroshi_store::alert::Alert;

/// A transport, and its port where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// `tcp`, `udp`, `icmp`, `ipv6-icmp` or `ip` (the names of IANA's protocol numbers).
    pub(crate) transport: &'static str,
    pub(crate) port: Option<u16>,
}

impl Service {
    /// Reads `tcp/23`. The number behind other protocols is a type, not a port.
    fn read(text: &str) -> Option<Self> {
        let (protocol, number) = text.split_once('/')?;
        let transport = match protocol {
            "tcp" => "tcp",
            "udp" => "udp",
            "icmp" => "icmp",
            "icmp6" => "ipv6-icmp",
            "ip" => "ip",
            _ => return None,
        };
        let port = matches!(transport, "tcp" | "udp").then(|| number.parse().ok());
        Some(Self {
            transport,
            port: port.flatten(),
        })
    }

    /// The service with the most packets.
    pub(crate) fn first_of(alert: &Alert) -> Option<Self> {
        Self::read(alert.evidence.services.first()?)
    }

    /// Every service that can be read, the most packets first.
    pub(crate) fn all_of(alert: &Alert) -> impl Iterator<Item = Self> {
        alert
            .evidence
            .services
            .iter()
            .filter_map(|one| Self::read(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ports_are_ports() {
        let read = |text| Service::read(text).map(|one| (one.transport, one.port));
        assert_eq!(read("tcp/23"), Some(("tcp", Some(23))));
        assert_eq!(read("udp/65535"), Some(("udp", Some(65535))));
        assert_eq!(read("udp/65536"), Some(("udp", None)));
        assert_eq!(read("icmp/8"), Some(("icmp", None)));
        assert_eq!(read("icmp6/128"), Some(("ipv6-icmp", None)));
        assert_eq!(read("ip/47"), Some(("ip", None)));
        assert_eq!(read("sctp/1"), None);
        assert_eq!(read("tcp"), None);
    }
}
