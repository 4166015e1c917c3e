use proptest::prelude::*;

use super::*;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn matched(map: &PrefixMap<u8>, address: &str) -> Vec<u8> {
    map.matches(address.parse().unwrap())
        .map(|(_, value)| *value)
        .collect()
}

#[test]
fn the_longest_match_comes_first_and_leads_outwards() {
    let map = PrefixMap::new(vec![
        (net("10.0.0.0/8"), 1),
        (net("10.1.0.0/16"), 2),
        (net("10.1.2.0/24"), 3),
        (net("2001:db8::/32"), 4),
        (net("0.0.0.0/0"), 5),
    ]);
    assert_eq!(matched(&map, "10.1.2.3"), [3, 2, 1, 5]);
    assert_eq!(matched(&map, "10.1.3.0"), [2, 1, 5]);
    assert_eq!(matched(&map, "10.255.255.255"), [1, 5]);
    assert_eq!(matched(&map, "255.255.255.255"), [5]);
    assert_eq!(matched(&map, "2001:db8:ffff::1"), [4]);
    assert_eq!(matched(&map, "2001:db9::1"), [0_u8; 0]);
    assert_eq!(
        matched(&map, "::ffff:10.1.2.3"),
        [3, 2, 1, 5],
        "a mapped address is its IPv4 one"
    );
}

#[test]
fn of_equal_prefixes_the_first_given_matches_first() {
    let map = PrefixMap::new(vec![(net("10.0.0.0/8"), 1), (net("10.9.9.9/8"), 2)]);
    assert_eq!(matched(&map, "10.1.1.1"), [1, 2]);
}

#[test]
fn an_empty_map_holds_nothing() {
    assert!(
        PrefixMap::<u8>::default()
            .longest("192.0.2.1".parse().unwrap())
            .is_none()
    );
}

/// Few distinct bits, so that prefixes nest and repeat often.
fn crowded_v4() -> impl Strategy<Value = IpNet> {
    (0_u32..16, 0_u8..=8).prop_map(|(bits, length)| {
        let address = std::net::Ipv4Addr::from(bits << 28 | bits << 24);
        IpNet::new(IpAddr::V4(address), length).unwrap()
    })
}

fn crowded_v6() -> impl Strategy<Value = IpNet> {
    (0_u128..16, 120_u8..=128).prop_map(|(bits, length)| {
        let address = std::net::Ipv6Addr::from(u128::MAX - bits);
        IpNet::new(IpAddr::V6(address), length).unwrap()
    })
}

proptest! {
    /// A lookup finds what looking at every prefix finds.
    #[test]
    fn lookup_equals_search(
        prefixes in proptest::collection::vec(prop_oneof![crowded_v4(), crowded_v6()], 0..40),
        v4 in 0_u32..256,
        v6 in 0_u128..256,
    ) {
        let map = PrefixMap::new(prefixes.iter().map(|prefix| (*prefix, ())).collect());
        let v4 = IpAddr::V4(std::net::Ipv4Addr::from(v4 << 24 | 7));
        let v6 = IpAddr::V6(std::net::Ipv6Addr::from(u128::MAX - v6));
        for address in [v4, v6] {
            let holding = prefixes.iter().filter(|prefix| prefix.contains(&address));
            let mut lengths: Vec<u8> = holding.map(IpNet::prefix_len).collect();
            lengths.sort_unstable_by(|one, other| other.cmp(one));
            let found: Vec<u8> = map.matches(address).map(|(prefix, _)| prefix.prefix_len()).collect();
            prop_assert_eq!(found, lengths);
        }
    }
}
