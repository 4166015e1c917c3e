//! Addresses that cannot be real sources on the Internet, and why.
//!
//! From IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890 and the
//! RFCs they name): what is not globally reachable there, multicast (RFC 5771, RFC 4291),
//! and IPv6 outside the space that is handed out (2000::/3).

use std::net::IpAddr;

use noroshi_store::prefix_map::PrefixMap;

/// Prefix, and why it is a bogon; without a reason it is none, inside one that is.
type Row = (&'static str, Option<&'static str>);

const ROWS: &[Row] = &[
    ("0.0.0.0/8", Some("this-network")),           // RFC 791
    ("10.0.0.0/8", Some("private")),               // RFC 1918
    ("100.64.0.0/10", Some("shared")),             // RFC 6598
    ("127.0.0.0/8", Some("loopback")),             // RFC 1122
    ("169.254.0.0/16", Some("link-local")),        // RFC 3927
    ("172.16.0.0/12", Some("private")),            // RFC 1918
    ("192.0.0.0/24", Some("protocol-assignment")), // RFC 6890
    ("192.0.0.9/32", None),                        // RFC 7723: port control anycast
    ("192.0.0.10/32", None),                       // RFC 8155: relays anycast
    ("192.0.2.0/24", Some("documentation")),       // RFC 5737
    ("192.168.0.0/16", Some("private")),           // RFC 1918
    ("198.18.0.0/15", Some("benchmarking")),       // RFC 2544
    ("198.51.100.0/24", Some("documentation")),    // RFC 5737
    ("203.0.113.0/24", Some("documentation")),     // RFC 5737
    ("224.0.0.0/4", Some("multicast")),            // RFC 5771
    ("240.0.0.0/4", Some("reserved")),             // RFC 1112
    ("255.255.255.255/32", Some("broadcast")),     // RFC 919
    ("::/0", Some("unallocated")),                 // RFC 4291
    ("::/128", Some("unspecified")),               // RFC 4291
    ("::1/128", Some("loopback")),                 // RFC 4291
    ("64:ff9b::/96", None),                        // RFC 6052: translated IPv4
    ("64:ff9b:1::/48", Some("translation")),       // RFC 8215
    ("100::/64", Some("discard")),                 // RFC 6666
    ("100:0:0:1::/64", Some("discard")),           // RFC 9780
    ("2000::/3", None),                            // RFC 3587: global unicast
    ("2001::/23", Some("protocol-assignment")),    // RFC 2928
    ("2001::/32", None),                           // RFC 4380: Teredo
    ("2001:1::1/128", None),                       // RFC 7723
    ("2001:1::2/128", None),                       // RFC 8155
    ("2001:1::3/128", None),                       // RFC 9665
    ("2001:2::/48", Some("benchmarking")),         // RFC 5180
    ("2001:3::/32", None),                         // RFC 7450: multicast tunnels
    ("2001:4:112::/48", None),                     // RFC 7535: AS112
    ("2001:10::/28", Some("protocol-assignment")), // RFC 4843: ended
    ("2001:20::/28", None),                        // RFC 7343: ORCHIDv2
    ("2001:30::/28", None),                        // RFC 9374: drone ids
    ("2001:db8::/32", Some("documentation")),      // RFC 3849
    ("3fff::/20", Some("documentation")),          // RFC 9637
    ("5f00::/16", Some("segment-routing")),        // RFC 9602
    ("fc00::/7", Some("unique-local")),            // RFC 4193
    ("fe80::/10", Some("link-local")),             // RFC 4291
    ("fec0::/10", Some("site-local")),             // RFC 3879
    ("ff00::/8", Some("multicast")),               // RFC 4291
];

/// An IPv4 address in IPv6 clothes must not travel (RFC 4291, section 2.5.5.2).
const MAPPED: &str = "ipv4-mapped";

/// Bogons by prefix.
#[derive(Debug)]
pub struct Bogons(PrefixMap<Option<&'static str>>);

impl Default for Bogons {
    fn default() -> Self {
        let row = |(prefix, label): &Row| {
            (
                prefix
                    .parse()
                    .expect("every row's prefix is one, which a test proves"),
                *label,
            )
        };
        Self(PrefixMap::new(ROWS.iter().map(row).collect()))
    }
}

impl Bogons {
    /// Why `source` cannot be real; `None` where it can.
    pub fn label(&self, source: IpAddr) -> Option<&'static str> {
        match source {
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some(MAPPED),
            _ => self.0.longest(source).and_then(|(_, label)| *label),
        }
    }
}

/// Every label there is, in alphabetical order.
pub fn labels() -> Vec<&'static str> {
    let mut labels: Vec<_> = ROWS.iter().filter_map(|(_, label)| *label).collect();
    labels.push(MAPPED);
    labels.sort_unstable();
    labels.dedup();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_purpose_addresses_are_labelled() {
        let bogons = Bogons::default();
        let cases = [
            ("0.1.2.3", Some("this-network")),
            ("10.255.255.255", Some("private")),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some("shared")),
            ("172.31.255.255", Some("private")),
            ("172.32.0.0", None),
            ("192.0.0.8", Some("protocol-assignment")),
            ("192.0.0.9", None),
            ("192.88.99.1", None),
            ("198.19.255.255", Some("benchmarking")),
            ("203.0.113.7", Some("documentation")),
            ("239.1.1.1", Some("multicast")),
            ("250.0.0.1", Some("reserved")),
            ("255.255.255.255", Some("broadcast")),
            ("8.8.8.8", None),
            ("::", Some("unspecified")),
            ("::1", Some("loopback")),
            ("::1.2.3.4", Some("unallocated")),
            ("::ffff:8.8.8.8", Some("ipv4-mapped")),
            ("64:ff9b::808:808", None),
            ("2001::1", None),
            ("2001:5::1", Some("protocol-assignment")),
            ("2001:db8::1", Some("documentation")),
            ("2400:cb00::1", None),
            ("2606:4700::1111", None),
            ("3fff:fff::1", Some("documentation")),
            ("4000::1", Some("unallocated")),
            ("fd00::1", Some("unique-local")),
            ("fe80::1", Some("link-local")),
            ("ff02::1", Some("multicast")),
        ];
        for (source, label) in cases {
            assert_eq!(bogons.label(source.parse().unwrap()), label, "{source}");
        }
    }
}
