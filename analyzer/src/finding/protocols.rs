//! Which protocols something uses.

use noroshi_proto::traffic::Protocol;

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols(u8);

/// Each with its name in alerts; both kinds of ICMP are one.
const NAMES: [(&str, &[Protocol]); 4] = [
    ("tcp", &[Protocol::Tcp]),
    ("udp", &[Protocol::Udp]),
    ("icmp", &[Protocol::Icmp, Protocol::Icmp6]),
    ("ip", &[Protocol::Ip]),
];

impl Protocols {
    /// Adds one.
    pub fn insert(&mut self, protocol: Protocol) {
        for (bit, (_, protocols)) in NAMES.iter().enumerate() {
            if protocols.contains(&protocol) {
                self.0 |= 1 << bit;
            }
        }
    }

    /// Their names, always in the same order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = NAMES.iter().enumerate();
        all.filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, (name, _))| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_once_in_one_order() {
        let mut protocols = Protocols::default();
        assert_eq!(protocols.names().count(), 0);
        for one in [Protocol::Icmp6, Protocol::Tcp, Protocol::Icmp] {
            protocols.insert(one);
        }
        assert_eq!(protocols.names().collect::<Vec<_>>(), ["tcp", "icmp"]);
        protocols.insert(Protocol::Udp);
        protocols.insert(Protocol::Ip);
        let all: Vec<_> = protocols.names().collect();
        assert_eq!(all, ["tcp", "udp", "icmp", "ip"]);
    }
}
