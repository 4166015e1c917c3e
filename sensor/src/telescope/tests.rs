use proptest::collection::vec;
use proptest::prelude::*;

use noroshi_proto::time::Millis;

use super::*;

fn telescope(prefixes: &[&str]) -> Telescope {
    let prefixes: Vec<_> = prefixes
        .iter()
        .map(|prefix| prefix.parse().unwrap())
        .collect();
    Telescope::new(&prefixes)
}

fn offset(telescope: &Telescope, address: &str) -> Option<u64> {
    telescope.offset(address.parse().unwrap())
}

#[test]
fn offsets_count_through_the_prefixes_in_order() {
    let telescope = telescope(&["203.0.113.0/24", "198.18.0.0/30", "2001:db8::/126"]);
    assert_eq!(telescope.addresses(), 260);
    assert_eq!(offset(&telescope, "198.18.0.0"), Some(0));
    assert_eq!(offset(&telescope, "198.18.0.3"), Some(3));
    assert_eq!(offset(&telescope, "198.18.0.4"), None);
    assert_eq!(offset(&telescope, "203.0.113.0"), Some(4));
    assert_eq!(offset(&telescope, "203.0.113.255"), Some(259));
    assert_eq!(offset(&telescope, "2001:db8::"), Some(260));
    assert_eq!(offset(&telescope, "2001:db8::3"), Some(263));
    assert_eq!(offset(&telescope, "2001:db8::4"), None);
    assert_eq!(offset(&telescope, "0.0.0.0"), None);
    assert_eq!(offset(&telescope, "255.255.255.255"), None);
}

#[test]
fn overlapping_prefixes_count_once() {
    let telescope = telescope(&["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8", "10.1.0.0/16"]);
    assert_eq!(telescope.addresses(), 1 << 25);
    assert_eq!(offset(&telescope, "11.0.0.0"), Some(1 << 24));
    assert_eq!(telescope.prefixes().len(), 3);
}

#[test]
fn everything_may_be_watched() {
    let telescope = telescope(&["0.0.0.0/0", "::/0"]);
    assert_eq!(telescope.addresses(), 1 << 32);
    assert_eq!(
        offset(&telescope, "255.255.255.255"),
        Some(u64::from(u32::MAX))
    );
    assert!(telescope.contains("ffff::1".parse().unwrap()));
    assert_eq!(offset(&telescope, "ffff::1"), Some(u64::MAX));
}

#[test]
fn nothing_is_watched_without_prefixes() {
    let telescope = Telescope::new(&[]);
    assert_eq!(telescope.addresses(), 0);
    assert!(!telescope.contains("198.18.0.1".parse().unwrap()));
    assert!(!telescope.contains("::1".parse().unwrap()));
}

proptest! {
    /// Membership is membership in a prefix; offsets ascend by one within and between them.
    #[test]
    fn it_watches_what_its_prefixes_hold(
        prefixes in vec((0..1024_u32, 24..=32_u8), 1..12),
    ) {
        let prefixes: Vec<IpNet> = prefixes
            .into_iter()
            .map(|(low, length)| IpNet::new(Ipv4Addr::from(low).into(), length).unwrap().trunc())
            .collect();
        let telescope = Telescope::new(&prefixes);
        let mut expected = 0;
        for low in 0..2048 {
            let address = IpAddr::V4(Ipv4Addr::from(low));
            let is_watched = prefixes.iter().any(|prefix| prefix.contains(&address));
            prop_assert_eq!(telescope.contains(address), is_watched);
            prop_assert_eq!(telescope.offset(address), is_watched.then_some(expected));
            expected += u64::from(is_watched);
        }
        prop_assert_eq!(telescope.addresses(), expected);
    }
}

#[test]
fn prefixes_come_and_go_at_their_times() {
    let watched = |prefix: &str, from, until| Watched {
        prefix: prefix.parse().unwrap(),
        from: Millis(from),
        until: Millis(until),
    };
    let timetable = Timetable::new(vec![
        watched("198.18.0.0/24", 0, u64::MAX),
        watched("198.18.1.0/24", 100, u64::MAX),
        watched("203.0.113.0/25", 0, 200),
    ]);
    let addresses = |time| timetable.at(Millis(time)).addresses();
    assert_eq!([99, 100, 199, 200].map(addresses), [384, 640, 640, 512]);
    assert_eq!(timetable.ever().addresses(), 640);
    let changes = [0, 99, 100, 199, 200].map(|time| timetable.next_change(Millis(time)));
    let expected = [Some(100), Some(100), Some(200), Some(200), None];
    assert_eq!(changes, expected.map(|at| at.map(Millis)));
}
