//! What was asked for or attacked, as formats of others name it.

use noroshi_store::alert::{Alert, Kind, Subject};

/// A transport, and its port where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Service {
    /// `tcp`, `udp`, `icmp`, `ipv6-icmp` or `ip` (the names of IANA's protocol numbers).
    transport: &'static str,
    port: Option<u16>,
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

    /// What the alert is about: the service it names, or else the one with the most packets.
    fn of(alert: &Alert) -> Option<Self> {
        match &alert.subject {
            Subject::Service { service, .. } => Self::read(service),
            _ => Self::read(alert.evidence.services.first()?),
        }
    }
}

/// Which ports stand on which side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) transport: Option<&'static str>,
    /// The source's, of the first packet.
    pub(crate) source: Option<u16>,
    pub(crate) destination: Option<u16>,
}

impl Ports {
    pub(crate) fn of(alert: &Alert) -> Self {
        let service = Service::of(alert);
        let port = service.and_then(|service| service.port);
        let (source, destination) = match alert.kind {
            // it is the source that serves there
            Kind::OpenReflector => (port, None),
            // the services are those of amplifiers, neither the victim's nor the forger's
            Kind::ReflectionVictim => (None, None),
            Kind::DdosVictim => (None, port),
            _ => (alert.evidence.source_port.filter(|_| port.is_some()), port),
        };
        Self {
            transport: service.map(|service| service.transport),
            source,
            destination,
        }
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
