//! Which addresses may be called: a name that a partner writes must not lead into the centre's own
//! network (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Whether an address is one of the public Internet, or in a network the operator allows.
pub fn may_be_called(address: IpAddr, allowed: &[IpNet]) -> bool {
    let address = address.to_canonical();
    allowed.iter().any(|network| network.contains(&address))
        || match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        }
}

/// What IANA's registry of special-purpose addresses (RFC 6890 and its updates) does not reserve.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b); // RFC 6598
    let protocol = a == 192 && b == 0 && c == 0; // RFC 6890
    let relays = a == 192 && b == 88 && c == 99; // RFC 7526
    let benchmarks = a == 198 && (b == 18 || b == 19); // RFC 2544
    !(a == 0
        || a >= 224
        || shared
        || protocol
        || relays
        || benchmarks
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// Global unicast that no rule sends elsewhere: neither documentation, nor what carries an IPv4
/// address inside (6to4, Teredo, NAT64), which would lead around the rules of that.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let global = segments[0] & 0xe000 == 0x2000; // 2000::/3
    let special = segments[0] == 0x2001 && segments[1] < 0x0200; // 2001::/23, with Teredo
    let documentation = (segments[0] == 0x2001 && segments[1] == 0x0db8) || segments[0] == 0x3fff;
    let six_to_four = segments[0] == 0x2002;
    global && !(special || documentation || six_to_four)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_called() {
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(may_be_called(public.parse().unwrap(), &[]), "{public}");
        }
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2001:0:4136:e378::",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!may_be_called(other.parse().unwrap(), &[]), "{other}");
        }
    }

    #[test]
    fn the_operator_may_allow_a_network_of_its_own() {
        let allowed = ["10.0.0.0/8".parse().unwrap()];
        assert!(may_be_called("10.1.2.3".parse().unwrap(), &allowed));
        assert!(may_be_called("::ffff:10.1.2.3".parse().unwrap(), &allowed));
        assert!(!may_be_called("192.168.1.1".parse().unwrap(), &allowed));
    }
}
