//! Crowds of hosts: outbreaks, forged ones, and telescopes inside.

use super::*;
use crate::alerts::text::Ground;
use crate::settings::Language;

const DAY: u64 = 86_400;

fn jumps(outcomes: &[Outcome]) -> Vec<&Alert> {
    let mut alerts = opened(outcomes);
    alerts.retain(|alert| matches!(alert.subject, Subject::Network { .. }));
    alerts
}

/// So many new bots in the window that ends at `at`.
fn outbreak(alerts: &mut Alerts, hosts: u8, at: u64) -> Vec<Outcome> {
    let bots = (0..hosts).map(|host| bot(&format!("203.0.113.{host}"), at));
    merge(alerts, bots.collect(), at)
}

/// Quiet windows, one an hour.
fn watch(alerts: &mut Alerts, hours: std::ops::Range<u64>) {
    for hour in hours {
        merge(alerts, Vec::new(), START + hour * 3_600);
    }
}

#[test]
fn an_outbreak_is_one_urgent_case_that_lists_its_hosts() {
    let mut alerts = alerts();
    watch(&mut alerts, 0..72);
    let outcomes = outbreak(&mut alerts, 40, START + 3 * DAY);
    let [jump] = jumps(&outcomes)[..] else {
        panic!("one jump: {outcomes:?}");
    };
    assert_eq!(jump.kind, Kind::InfectedHost);
    assert_eq!(jump.severity, Severity::High);
    assert_eq!(jump.reason_code, "infection_jump");
    assert_eq!(jump.partner.as_deref(), Some("th-cert"));
    assert_eq!(jump.evidence.hosts.len(), 40);
    assert_eq!(jump.evidence.sources, Some(40));
    assert!(jump.explanation.contains("th-cert"), "{}", jump.explanation);
    assert_eq!(opened(&outcomes).len(), 41, "and each host has its own");
}

#[test]
fn a_few_hosts_or_the_first_days_are_no_jump() {
    let mut few = alerts();
    watch(&mut few, 0..72);
    assert!(jumps(&outbreak(&mut few, 9, START + 3 * DAY)).is_empty());
    let mut early = alerts();
    watch(&mut early, 0..22);
    assert!(jumps(&outbreak(&mut early, 100, START + DAY - 7_200)).is_empty());
    let mut usual = alerts();
    for hour in 0..60_u64 {
        // 40 cases an hour, each time of hosts whose cases have closed
        watch(&mut usual, hour..hour + 1);
        for _ in 0..40 {
            usual.jumps.remember("th-cert", None, START + hour * 3_600);
        }
    }
    assert!(jumps(&outbreak(&mut usual, 45, START + 60 * 3_600)).is_empty());
}

/// Whoever was infected in a month in which nobody watched turns up at once afterwards.
#[test]
fn the_end_of_a_long_pause_is_no_jump() {
    let mut alerts = alerts();
    watch(&mut alerts, 0..72);
    let back = START + 33 * DAY;
    assert!(jumps(&outbreak(&mut alerts, 100, back)).is_empty());
    watch(&mut alerts, 33 * 24 + 1..36 * 24);
    let bots = (100..140).map(|host| bot(&format!("203.0.113.{host}"), back + 3 * DAY));
    let later = merge(&mut alerts, bots.collect(), back + 3 * DAY);
    assert_eq!(jumps(&later).len(), 1, "it is known again what is usual");
}

/// At first every infected host is new: 300 in the first hour, then fewer and fewer.
#[test]
fn on_the_second_day_an_outbreak_exceeds_the_busiest_hour() {
    let settled = |hosts: u64, hour: u64| {
        let mut alerts = alerts();
        merge(&mut alerts, Vec::new(), START);
        for past in 0..hour {
            for _ in 0..300 / (past + 1) {
                let asn = Some(64_500);
                alerts.jumps.remember("th-cert", asn, START + past * 3_600);
            }
        }
        let at = START + hour * 3_600;
        let address = |host| format!("45.80.{}.{}", host / 256, host % 256);
        let bots = (0..hosts).map(|host| bot_of(64_500, &address(host), at));
        let outcomes = merge(&mut alerts, bots.collect(), at);
        let jumps = jumps(&outcomes);
        jumps.first().map(|one| one.evidence.usual)
    };
    assert_eq!(settled(250, 30), None, "a settling hour was as busy");
    assert_eq!(settled(420, 30), Some(Some(300.0)));
    assert_eq!(settled(420, 20), None, "the first day asks for 500");
}

/// A bot in this AS.
fn bot_of(asn: u32, address: &str, at: u64) -> Finding {
    let origin = Origin {
        asn,
        ..Origin::default()
    };
    let address = address.parse().expect("an address");
    Finding {
        about: About::Source(address, Arc::new(origin)),
        ..bot("203.0.113.1", at)
    }
}

/// New bots of one AS, from this host on.
fn bots_of(asn: u32, (first, hosts): (u64, u64), at: u64) -> Vec<Finding> {
    let bots = first..first + hosts;
    bots.map(|host| bot_of(asn, &format!("203.0.113.{host}"), at))
        .collect()
}

#[test]
fn an_outbreak_in_one_as_is_told_where_the_partner_is_used_to_as_many() {
    let mut alerts = alerts();
    merge(&mut alerts, Vec::new(), START);
    for hour in 0..60 {
        for _ in 0..40 {
            let asn = Some(64_501);
            alerts.jumps.remember("th-cert", asn, START + hour * 3_600);
        }
    }
    let now = START + 60 * 3_600;
    let outcomes = merge(&mut alerts, bots_of(64_502, (0, 30), now), now);
    let [jump] = jumps(&outcomes)[..] else {
        panic!("one jump: {outcomes:?}");
    };
    let subject = Subject::Network {
        network: "AS64502".to_owned(),
    };
    assert_eq!(jump.subject, subject);
    assert_eq!(jump.severity, Severity::High);
    assert_eq!(jump.partner.as_deref(), Some("th-cert"));
    assert_eq!(jump.evidence.hosts.len(), 30);
    assert_eq!(jump.evidence.usual, Some(0.0));
}

#[test]
fn an_outbreak_of_a_partner_is_not_told_again_for_its_as() {
    let mut alerts = alerts();
    watch(&mut alerts, 0..72);
    let now = START + 3 * DAY;
    let outcomes = merge(&mut alerts, bots_of(64_502, (0, 40), now), now);
    let [jump] = jumps(&outcomes)[..] else {
        panic!("one jump: {outcomes:?}");
    };
    assert!(jump.explanation.contains("th-cert"), "{}", jump.explanation);
}

#[test]
fn what_is_usual_in_an_as_is_known_after_a_restart() {
    let mut before = alerts();
    merge(&mut before, Vec::new(), START);
    let mut stored = Vec::new();
    for hour in 0..60 {
        let at = START + hour * 3_600 + 600;
        let mut hosts = bots_of(64_502, (hour * 3, 3), at);
        // by its number the partner's too: enough to hide an outbreak of the other
        hosts.extend((0..30).map(|host| bot_of(64_500, &format!("45.80.{hour}.{host}"), at)));
        stored.extend(merge(&mut before, hosts, at));
    }
    let mut after = alerts();
    for outcome in stored {
        if let Outcome::Opened(Numbered { alert, version }) = outcome {
            after.resume(alert, version);
        }
    }
    let now = START + 60 * 3_600;
    let jumped = |alerts: &mut Alerts| {
        let outcomes = merge(alerts, bots_of(64_502, (200, 20), now), now);
        let jumps = jumps(&outcomes).into_iter();
        jumps
            .map(|one| (one.subject.clone(), one.evidence.usual))
            .collect::<Vec<_>>()
    };
    let subject = Subject::Network {
        network: "AS64502".to_owned(),
    };
    let expected = [(subject, Some(3.0))];
    assert_eq!(jumped(&mut before), expected);
    assert_eq!(jumped(&mut after), expected);
}

#[test]
fn forged_hosts_named_too_early_are_withdrawn() {
    let mut alerts = alerts();
    let mut known = bot("203.0.113.200", START - 60);
    known.first = Millis((START - 7_200) * 1_000);
    merge(&mut alerts, vec![known], START - 60);
    outbreak(&mut alerts, 5, START);
    let prefix = "203.0.113.0/24".parse().expect("a prefix");
    let framing = Finding {
        kind: Kind::SpoofSuspect,
        about: About::Prefix(prefix, Arc::default()),
        first: Millis((START - 600) * 1_000),
        reason: Reason::Framing,
        sources: Some(200),
        ..bot("203.0.113.9", START + 10)
    };
    let outcomes = merge(&mut alerts, vec![framing], START + 10);
    let withdrawn = |one: &&Outcome| matches!(one, Outcome::Withdrawn(_));
    assert_eq!(outcomes.iter().filter(withdrawn).count(), 5);
    let [suspect] = opened(&outcomes)[..] else {
        panic!("one alert: {outcomes:?}");
    };
    assert_eq!(suspect.kind, Kind::SpoofSuspect);
    assert_eq!(suspect.severity, Severity::Low);
    assert_eq!(alerts.open(), 2, "the suspect, and the host known before");
}

#[test]
fn what_scans_inside_is_infected() {
    let inside = |source: &str| Finding {
        kind: Kind::ScanningHost,
        reason: Reason::Scan,
        fingerprint: None,
        sensors: vec![SensorId::new("th-1").expect("an id")],
        ..bot(source, START)
    };
    let findings = vec![inside("203.0.113.7"), inside("203.0.113.99")];
    let outcomes = merge(&mut alerts(), findings, START);
    let kinds: Vec<Kind> = opened(&outcomes).iter().map(|alert| alert.kind).collect();
    assert_eq!(
        kinds,
        [Kind::InfectedHost, Kind::ScanningHost],
        "but for the partner's own scanner"
    );
    assert!(opened(&outcomes)[0].evidence.internal);
}

#[test]
fn what_can_wait_goes_to_the_digest() {
    let weak = Finding {
        support: Support::Weak,
        ..bot("203.0.113.7", START)
    };
    let outcomes = merge(&mut alerts(), vec![weak, bot("203.0.113.8", START)], START);
    let digest = opened(&outcomes);
    let digest: Vec<bool> = digest.iter().map(|alert| alert.is_for_digest()).collect();
    assert_eq!(digest, [true, false]);
}

#[test]
fn grounds_say_whether_sensors_agree_on_the_path() {
    let over_two = |support| {
        let finding = Finding {
            support,
            sensors: ["jp-1", "th-1"]
                .map(|id| SensorId::new(id).expect("an id"))
                .to_vec(),
            ..bot("203.0.113.7", START)
        };
        let outcomes = merge(&mut alerts(), vec![finding], START);
        let opened = opened(&outcomes)[0].clone();
        (opened.confidence, opened.evidence.reasons)
    };
    let texts = Language::En.texts();
    let (confidence, reasons) = over_two(Support::Steady);
    assert_eq!(confidence, Confidence::High);
    assert!(reasons.contains(&texts.ground(Ground::PathsAgree.name()).to_owned()));
    let (confidence, reasons) = over_two(Support::Torn);
    assert_eq!(confidence, Confidence::High, "their owners differ");
    assert!(reasons.contains(&texts.ground(Ground::PathsDiffer.name()).to_owned()));
    let torn = Finding {
        support: Support::Torn,
        ..bot("203.0.113.8", START)
    };
    let outcomes = merge(&mut alerts(), vec![torn], START);
    assert_eq!(opened(&outcomes)[0].confidence, Confidence::Medium);
}

/// A scan by the same address, without a mark.
fn scan(source: &str, at: u64) -> Finding {
    Finding {
        kind: Kind::ScanningHost,
        reason: Reason::Scan,
        fingerprint: None,
        ..bot(source, at)
    }
}

#[test]
fn a_scanner_that_turns_out_infected_is_one_open_case() {
    let mut alerts = alerts();
    merge(&mut alerts, vec![scan("203.0.113.7", START)], START);
    let outcomes = merge(
        &mut alerts,
        vec![bot("203.0.113.7", START + 10)],
        START + 10,
    );
    let [Outcome::Opened(opened), Outcome::Closed(closed)] = outcomes.as_slice() else {
        panic!("one opened, one closed: {outcomes:?}");
    };
    assert_eq!(opened.alert.kind, Kind::InfectedHost);
    assert_eq!(closed.alert.kind, Kind::ScanningHost);
    let later = vec![scan("203.0.113.7", START + 3_600)];
    assert!(merge(&mut alerts, later, START + 3_600).is_empty());
    assert_eq!(alerts.open(), 1);
    let [Outcome::Kept(continued)] = &alerts.checkpoint()[..] else {
        panic!("one case goes on");
    };
    assert_eq!(continued.alert.reason_code, "mirai_syn");
    assert_eq!(
        continued.alert.evidence.packets, 20,
        "what it scans is counted"
    );
}

/// One bot that gets another address of its access network every hour for three days, and
/// comes back to each on the next day.
#[test]
fn a_bot_with_changing_addresses_is_told_once_a_day_and_address() {
    let mut alerts = alerts();
    let mut told: BTreeMap<(u64, String), u32> = BTreeMap::new();
    for hour in 0..72_u64 {
        let address = format!("203.0.113.{}", 1 + hour % 24);
        // START is noon
        let at = START + 43_200 + hour * 3_600 + 10;
        for more in [0, 600, 1_800] {
            let outcomes = merge(&mut alerts, vec![bot(&address, at + more)], at + more);
            for alert in opened(&outcomes) {
                let day = alert.opened_at.seconds() / DAY;
                *told.entry((day, subject_of(alert))).or_default() += 1;
            }
        }
    }
    assert!(told.values().all(|cases| *cases == 1), "{told:?}");
    assert_eq!(
        told.len(),
        24,
        "an address that comes back is the same case"
    );
    assert_eq!(alerts.open(), 24);
}

#[test]
fn known_scanners_are_not_infected_for_the_ports_they_ask_for() {
    let by_ports = |source: &str| Finding {
        reason: Reason::BotPorts,
        fingerprint: Some(Fingerprint::Hns),
        support: Support::Steady,
        ..bot(source, START)
    };
    let findings = vec![by_ports("203.0.113.7"), by_ports("203.0.113.99")];
    let outcomes = merge(&mut alerts(), findings, START);
    let [infected, scanner] = opened(&outcomes)[..] else {
        panic!("two alerts: {outcomes:?}");
    };
    assert_eq!(infected.kind, Kind::InfectedHost);
    assert_eq!(infected.confidence, Confidence::Medium, "by ports alone");
    assert_eq!(infected.evidence.fingerprint.as_deref(), Some("hns"));
    assert_eq!(scanner.kind, Kind::ScanningHost);
    assert_eq!(scanner.severity, Severity::Info);
    assert_eq!(scanner.evidence.fingerprint, None);
}
