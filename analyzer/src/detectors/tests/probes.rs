//! In which order a scanner's packets met a telescope within a window is lost in what is said of it.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// A scan of a whole /24, a packet every 39 ms, each with a source port of its own for its target;
/// all but the first and the last in an order that is his code.
fn coded(order: &[Index]) -> Vec<Finding> {
    let telescope = net("198.18.0.0/24");
    let mut targets: Vec<Ipv4Addr> = telescope.hosts().collect();
    let last = targets.len() - 1;
    for (place, with) in order.iter().enumerate() {
        targets.swap(1 + place, 1 + with.index(last - 1));
    }
    let packets = targets.iter().enumerate().map(|(place, target)| Sent {
        at: Millis(NOON + place as u64 * 39),
        source: BOT,
        target: *target,
        ttl: 50,
        content: Content::Syn {
            tool: Tool::Mirai,
            port: 23,
            source_port: 40_000 + u16::from(target.octets()[3]),
        },
        salt: 7,
    });
    of_hosts(&[telescope], packets.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_targets_is_not_told(order in prop::collection::vec(any::<Index>(), 250)) {
        let found = coded(&order);
        prop_assert!(!found.is_empty());
        prop_assert_eq!(found, coded(&[]));
    }
}
