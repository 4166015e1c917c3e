//! Victims of floods and of reflection.

use std::net::Ipv4Addr;

use noroshi_proto::traffic::Traffic;

use super::*;
use crate::finding::About;
use crate::settings::DdosVictim;

const VICTIM: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);

fn of_victims(telescope: &str, packets: Vec<Sent>) -> Vec<Finding> {
    let mut detector = ddos_victim::DdosVictims::new(&DdosVictim::default());
    findings(&mut detector, &seen(&[net(telescope)], packets))
}

fn flood(telescope: &str, lasts: u64, packets: u64) -> Vec<Finding> {
    let telescopes = [net(telescope)];
    let random = &mut Random::new(1);
    let packets = actors::victim(random, span(lasts, packets), VICTIM, (&telescopes, 443));
    of_victims(telescope, packets)
}

/// (telescope, seconds, answers) → which rule, if any.
#[test]
fn floods_are_told_by_length_size_and_telescope() {
    let expected = [
        ("10.0.0.0/8", 25, 3_000, Some(Reason::BackscatterBurst)),
        ("10.0.0.0/8", 90, 3_000, Some(Reason::Backscatter)),
        ("10.0.0.0/8", 90, 30, None), // 20 a minute
        ("10.0.0.0/8", 25, 60, None), // short, and not overwhelming
        ("10.0.0.0/8", 300, 400, Some(Reason::Backscatter)),
        ("198.18.0.0/20", 120, 12, Some(Reason::Backscatter)), // small: the test alone
        ("198.18.0.0/20", 120, 8, None),
        ("198.18.0.0/20", 30, 300, Some(Reason::BackscatterBurst)),
        ("198.18.0.0/24", 240, 2_000, Some(Reason::Backscatter)), // every address hit often
    ];
    for (telescope, seconds, answers, reason) in expected {
        let found = flood(telescope, seconds * 1_000, answers);
        let last = found.last().map(|finding| finding.reason);
        assert_eq!(
            last, reason,
            "{answers} answers in {seconds} s at {telescope}"
        );
        let packets: u64 = found.iter().map(|finding| finding.packets).sum();
        assert!(
            packets == answers || reason.is_none(),
            "{packets} of {answers}"
        );
    }
}

#[test]
fn one_address_hit_by_anything_is_no_victims_echo() {
    let target = Ipv4Addr::new(198, 18, 3, 3);
    let reset = |index: u64, source: u32| Sent {
        at: Millis(NOON + index * 10),
        source: Ipv4Addr::from_bits(0x2000_0000 + source),
        target,
        ttl: 50,
        content: Content::Reset {
            port: 80,
            source_port: 5,
        },
        salt: 0,
    };
    let one_victim = (0..20_000).map(|index| reset(index, 1)).collect();
    assert!(of_victims("198.18.0.0/20", one_victim).is_empty());
    let crowd = (0..7_000)
        .map(|index| reset(index, index as u32 * 257))
        .collect();
    assert!(of_victims("198.18.0.0/20", crowd).is_empty());
    let alone = (0..20_000).map(|index| reset(index, 1)).collect();
    assert!(
        of_victims("198.18.3.3/32", alone).is_empty(),
        "even where it is all we have"
    );
}

#[test]
fn retransmitted_answers_do_not_make_an_attack_larger() {
    let telescope = [net("10.0.0.0/8")];
    let random = &mut Random::new(3);
    let once = actors::victim(random, span(60_000, 600), VICTIM, (&telescope, 8_443));
    let again = |packet: &Sent, delay| Sent {
        at: Millis(packet.at.0 + delay),
        ..*packet
    };
    let mut four_times = Vec::new();
    for packet in &once {
        four_times.extend([0, 1_000, 3_000, 7_000].map(|delay| again(packet, delay)));
    }
    let rate = |packets| {
        let found = of_victims("10.0.0.0/8", packets);
        found
            .last()
            .and_then(|finding| finding.rate)
            .expect("a rate")
    };
    let (single, retransmitted) = (rate(once), rate(four_times));
    let larger = retransmitted / single;
    assert!(
        (0.7..1.3).contains(&larger),
        "{single} against {retransmitted}"
    );
    // 600 answers a minute to 1/256 of all addresses
    assert!((2_560.0 * 0.7..2_560.0 * 1.3).contains(&single), "{single}");
}

#[test]
fn what_a_victim_usually_sends_is_no_attack() {
    let telescope = [net("198.18.0.0/16")];
    let random = &mut Random::new(3);
    let mut packets = Vec::new();
    for hour in 0..20 {
        // six stray answers within a minute, every hour: below every floor
        let stray = Span {
            from: Millis(NOON + hour * 3_600_000),
            ..span(55_000, 6)
        };
        packets.extend(actors::victim(random, stray, VICTIM, (&telescope, 443)));
    }
    assert!(of_victims("198.18.0.0/16", packets).is_empty());
}

#[test]
fn a_bombed_prefix_is_one_finding_that_lists_its_addresses() {
    let telescope = [net("10.0.0.0/8")];
    let random = &mut Random::new(7);
    let mut packets = Vec::new();
    for host in 0..40 {
        let victim = Ipv4Addr::new(198, 51, 100, host);
        packets.extend(actors::victim(
            random,
            span(120_000, 60),
            victim,
            (&telescope, 53),
        ));
    }
    let found = of_victims("10.0.0.0/8", packets);
    let last = found.last().expect("a finding");
    assert_eq!(last.reason, Reason::CarpetBombing);
    assert_eq!(last.victims.len(), 40);
    assert!(
        found
            .iter()
            .all(|finding| finding.reason == Reason::CarpetBombing)
    );
    assert!(
        matches!(&last.about, About::Prefix(prefix, _) if prefix.to_string() == "198.51.100.0/24")
    );
}

#[test]
fn forged_quotes_frame_nobody() {
    let telescope = [net("10.0.0.0/8")];
    let packets = actors::victim(
        &mut Random::new(1),
        span(90_000, 900),
        VICTIM,
        (&telescope, 80),
    );
    let mut windows = seen(&telescope, packets);
    for sighting in windows.iter_mut().flat_map(|window| &mut window.flows) {
        sighting.flow.tuple.traffic = Traffic::BackscatterIcmpError;
        sighting.flow.tally.marks.mismatched = sighting.flow.tally.packets as u32;
    }
    let mut detector = ddos_victim::DdosVictims::new(&DdosVictim::default());
    assert!(findings(&mut detector, &windows).is_empty());
}

fn of_reflection(packets: Vec<Sent>) -> Option<(Kind, Reason)> {
    let mut detector = reflection::Reflections::new(&Settings::default());
    let found = findings(&mut detector, &seen(&[net("198.18.0.0/20")], packets));
    found.last().map(|finding| (finding.kind, finding.reason))
}

fn requests(count: u64, each: Draw) -> Vec<Sent> {
    let random = &mut Random::new(11);
    (0..count)
        .map(|index| {
            let (target, ttl, source_port) = each(index, random);
            Sent {
                at: Millis(NOON + index * 9_000 / count),
                source: BOT,
                target: Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + target),
                ttl,
                content: Content::Datagram {
                    port: 53,
                    source_port,
                },
                salt: index as u32,
            }
        })
        .collect()
}

/// One request: which target, its time-to-live, its source port.
type Draw = fn(u64, &mut Random) -> (u32, u8, u16);

#[test]
fn a_search_for_amplifiers_is_called_one() {
    let expected: [(&str, u64, Draw, Option<Reason>); 5] = [
        (
            "each once",
            900,
            |index, random| (index as u32 * 4, 55, random.client_port()),
            Some(Reason::AmplifierScan),
        ),
        (
            "nmap, time-to-live at random",
            900,
            |index, random| (index as u32 * 2, 36 + random.below(23) as u8, 54_000),
            Some(Reason::AmplifierScan),
        ),
        (
            "two systems behind one address",
            900,
            |index, random| (index as u32 * 4, [52, 116][random.below(2) as usize], 5_000),
            Some(Reason::AmplifierScan),
        ),
        (
            "each three times",
            900,
            |index, random| (index as u32 / 3, 55, random.client_port()),
            Some(Reason::AmplifierDoubt),
        ),
        (
            "two wrong name servers",
            60,
            |index, random| (index as u32 % 2, 55, random.client_port()),
            None,
        ),
    ];
    for (name, count, draw, reason) in expected {
        let said = reason.map(|reason| (Kind::ReflectionRecon, reason));
        assert_eq!(of_reflection(requests(count, draw)), said, "{name}");
    }
}

#[test]
fn a_victim_of_reflection_is_named_on_evidence() {
    let expected: [(&str, u64, Draw, Reason); 3] = [
        (
            "several paths",
            900,
            |_, random| {
                (
                    random.below(4_096) as u32,
                    237 + random.below(10) as u8,
                    5_000,
                )
            },
            Reason::ForgedPaths,
        ),
        (
            "again and again",
            900,
            |index, random| (index as u32 % 20, 55, random.client_port()),
            Reason::ForgedRepeats,
        ),
        (
            "answers would hit a server",
            100,
            |index, _| (index as u32, 55, 443),
            Reason::ForgedPort,
        ),
    ];
    for (name, count, draw, reason) in expected {
        let said = Some((Kind::ReflectionVictim, reason));
        assert_eq!(of_reflection(requests(count, draw)), said, "{name}");
    }
}
