//! One source, seen over several sensors, many ports, or many days.

use super::*;

const NORTH: &str = "198.18.0.0/20";
const SOUTH: &str = "198.19.0.0/20";

/// A scanner at two sensors, so many hops farther from the second.
fn over_two(tool: Tool, farther: u8) -> Vec<Finding> {
    let telescopes = [net(NORTH), net(SOUTH)];
    let random = &mut Random::new(2);
    let mut packets = actors::scanner(
        random,
        span(400_000, 80),
        BOT,
        tool,
        (&telescopes, &[23, 80]),
    );
    for packet in &mut packets {
        if telescopes[1].contains(&packet.target) {
            packet.ttl -= farther;
        }
    }
    of_hosts(&telescopes, packets)
}

#[test]
fn sensors_that_count_other_hops_cost_confidence() {
    let support = |farther| {
        let found = over_two(Tool::Mirai, farther);
        found.last().expect("a finding").support
    };
    assert_eq!(support(0), Support::Steady);
    assert_eq!(support(3), Support::Steady);
    assert_eq!(support(4), Support::Torn);
    assert_eq!(support(20), Support::Torn);
}

#[test]
fn a_scanner_seen_over_two_sensors_is_one_event() {
    let found = over_two(Tool::Linux, 0);
    let packets: u64 = found.iter().map(|finding| finding.packets).sum();
    assert_eq!(packets, 80);
    let last = found.last().expect("a finding");
    assert_eq!(last.sensors.len(), 2);
    assert_eq!(last.first, Millis(NOON));
    let subjects: BTreeSet<String> = found.iter().map(|one| format!("{:?}", one.about)).collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}
