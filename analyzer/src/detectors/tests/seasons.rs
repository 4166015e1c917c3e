//! Weeks of bins: rhythms, slow growth, countries, new services, and what only looks alike.

use noroshi_store::origin::{Country, Origin, PartnerId};
use noroshi_store::past::{PastBin, PastCount, PastPlace};

use super::bins::*;
use super::*;
use crate::finding::About;
use crate::settings::ScanSurge;

/// What the detector finds in bins of the sensors given, made one by one.
fn surges(bins: std::ops::Range<u64>, each: impl FnMut(u64) -> Vec<Crowd>) -> Vec<Finding> {
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    surges_of(&mut detector, bins, each)
}

fn surges_of(
    detector: &mut dyn Detector,
    bins: std::ops::Range<u64>,
    mut each: impl FnMut(u64) -> Vec<Crowd>,
) -> Vec<Finding> {
    let up = watches(&[512, 512]);
    let mut found = Vec::new();
    for index in bins {
        found.extend(findings(detector, &bin(index, &each(index), &up)));
    }
    found
}

fn bin_of(finding: &Finding) -> u64 {
    (finding.at - MONDAY) / BIN_SECONDS - 1
}

/// What is told: kind, reason, what about, and in which bins first and last.
fn told(found: &[Finding]) -> Vec<(Reason, String, u64, u64)> {
    let mut told: Vec<(Reason, String, u64, u64)> = Vec::new();
    for finding in found {
        let subject = format!("{:?}", finding.about.subject());
        let at = bin_of(finding);
        let known = told
            .iter_mut()
            .rev()
            .find(|one| (one.0, &one.1) == (finding.reason, &subject) && at <= one.3 + 3);
        match known {
            Some(one) => one.3 = at,
            None => told.push((finding.reason, subject, at, at)),
        }
    }
    told
}

#[test]
fn neither_hour_nor_weekday_is_a_surge() {
    let random = &mut Random::new(11);
    let found = surges(0..4 * WEEK_BINS, |index| {
        let (day, hour) = (index / DAY_BINS % 7, index % DAY_BINS / 6);
        // office hours are twice as busy, weekends three times
        let busy = if (8..18).contains(&hour) { 2 } else { 1 };
        let busy = if day >= 5 { 3 } else { busy };
        vec![
            crowd(23, about(60 * busy, 0, random), "TH"),
            crowd(80, about(20, 5_000, random), "TH"),
        ]
    });
    let later: Vec<_> = told(&found)
        .into_iter()
        .filter(|one| one.2 > WEEK_BINS + DAY_BINS)
        .collect();
    assert_eq!(later, [], "once the week is known");
}

/// From 60 sources up by a quarter a day: no bin stands out against the last day.
#[test]
fn slow_growth_is_found_within_two_days() {
    let start = 14 * DAY_BINS;
    let growing = |settings: &ScanSurge| {
        let random = &mut Random::new(12);
        let mut detector = scan_surge::ScanSurges::new(settings);
        surges_of(&mut detector, 0..start + 2 * DAY_BINS, |index| {
            let days = index.saturating_sub(start) as f64 / DAY_BINS as f64;
            let mean = (60.0 * (1.0 + 0.25 * days)) as u32;
            vec![crowd(23, about(mean, 0, random), "TH")]
        })
    };
    let found = told(&growing(&ScanSurge::default()));
    assert_eq!(found.len(), 1, "{found:?}");
    let (reason, _, first, _) = found[0];
    assert_eq!(reason, Reason::SlowSurge);
    assert!(
        (start..start + 2 * DAY_BINS).contains(&first),
        "after {} bins",
        first - start
    );
    let deaf = ScanSurge {
        growth_limit: f64::INFINITY,
        ..ScanSurge::default()
    };
    assert_eq!(told(&growing(&deaf)), [], "nothing else finds it");
}

/// A country's own sources rise from 3 to 25 among 300 of the region.
#[test]
fn a_national_surge_is_told_apart_from_the_region() {
    let start = 10 * DAY_BINS;
    let random = &mut Random::new(13);
    let found = surges(0..start + 12, |index| {
        let own = if index >= start { 25 } else { 3 };
        vec![
            crowd(445, about(300, 0, random), "ID"),
            crowd(445, about(own, 60_000, random), "TH"),
        ]
    });
    let found = told(&found);
    assert_eq!(found.len(), 1, "{found:?}");
    let (reason, subject, first, _) = &found[0];
    assert_eq!(*reason, Reason::NationalSurge);
    assert!(subject.contains("TH"), "{subject}");
    assert!(*first <= start + 3, "after {} bins", first - start);
}

#[test]
fn a_regional_surge_is_told_once_and_not_by_country() {
    let countries = ["TH", "ID", "MY", "PH", "SG", "LA", "MM", "JP"];
    let start = 10 * DAY_BINS;
    let random = &mut Random::new(14);
    let found = surges(0..start + 12, |index| {
        let mean = if index >= start { 40 } else { 6 };
        let each = countries.iter().zip(0..);
        each.map(|(country, number)| crowd(445, about(mean, number * 1_000, random), country))
            .collect()
    });
    let found = told(&found);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].2), (Reason::Surge, start + 1));
    assert!(found[0].1.contains("region"));
}

#[test]
fn a_partners_own_surge_is_its_own() {
    let start = 10 * DAY_BINS;
    let random = &mut Random::new(15);
    let found = surges(0..start + 6, |index| {
        let own = if index >= start { 20 } else { 0 };
        let mut theirs = crowd(445, about(own, 60_000, random), "TH");
        theirs.origin.partner = PartnerId::new("th-cert");
        let others = crowd(445, about(200, 0, random), "ID");
        let nationals = crowd(445, about(160, 90_000, random), "TH");
        vec![others, nationals, theirs]
    });
    let found = told(&found);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, Reason::PartnerSurge);
    assert!(found[0].1.contains("th-cert"));
}

/// Two sources a bin, each in another network: too few for a surge.
#[test]
fn a_new_service_is_told_once_when_a_week_is_known() {
    let run = |start: u64| {
        let random = &mut Random::new(16);
        surges(0..start + 3 * DAY_BINS, |index| {
            let mut crowds = vec![crowd(23, about(30, 0, random), "TH")];
            if (start..start + 12).contains(&index) || index > start + 2 * DAY_BINS {
                let from = 70_000 + (index as u32 % 8) * 2;
                crowds.push(crowd(5_431, from..from + 2, "ID"));
            }
            crowds
        })
    };
    assert_eq!(told(&run(3 * DAY_BINS)), [], "too young to know");
    let found = run(8 * DAY_BINS);
    assert!(found.iter().all(|finding| finding.kind == Kind::NewService));
    let found = told(&found);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("tcp/5431"));
    assert!(found[0].2 <= 8 * DAY_BINS + 5, "within the hour");
}

/// Half of the telescope is down for three hours, then for good.
#[test]
fn an_outage_of_a_sensor_is_no_surge_either_way() {
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    let random = &mut Random::new(17);
    let mut found = Vec::new();
    for index in 0..16 * DAY_BINS {
        let is_down = (1_500..1_518).contains(&index) || index > 2_000;
        // many scanners find both halves: half the addresses see two thirds of the sources
        let mean = if is_down { 40 } else { 60 };
        let up = if is_down {
            watches(&[512])
        } else {
            watches(&[512, 512])
        };
        let crowds = [
            crowd(23, about(mean, 0, random), "TH"),
            crowd(80, about(mean, 5_000, random), "ID"),
        ];
        found.extend(findings(&mut detector, &bin(index, &crowds, &up)));
    }
    assert_eq!(told(&found), []);
}

#[test]
fn a_geo_reload_is_no_surge() {
    let start = 10 * DAY_BINS;
    let random = &mut Random::new(18);
    let found = surges(0..start + DAY_BINS, |index| {
        let label = if index >= start { "TH" } else { "LA" };
        vec![
            crowd(445, about(300, 0, random), "ID"),
            crowd(445, about(20, 60_000, random), label),
            crowd(445, about(3, 70_000, random), "TH"),
        ]
    });
    assert_eq!(told(&found), []);
}

/// Hosts that turn up after a reload, in networks that were another country's.
#[test]
fn new_hosts_of_networks_that_moved_are_no_growth() {
    let start = 14 * DAY_BINS;
    let random = &mut Random::new(24);
    let found = surges(0..start + 9 * DAY_BINS, |index| {
        let days = index.saturating_sub(start) as u32 / DAY_BINS as u32;
        let label = if index >= start { "VN" } else { "LA" };
        vec![
            crowd(445, about(300, 0, random), "ID"),
            crowd(445, about(20 - 2 * days, 59_904, random), label),
            crowd(445, about(2 * days, 60_000, random), label), // in the same /16
        ]
    });
    assert_eq!(told(&found), []);
}

/// Sixteen scanners of eight ports come for hours, and pause for hours: now and then many of
/// them are there for half a day, on every port.
#[test]
fn sources_that_come_in_sessions_are_no_growth() {
    let scanners = |index: u64, port: u16| {
        let random = &mut Random::new(index << 16 | u64::from(port));
        let is_there = |number: u32| {
            let phase = index / (9 + u64::from(number) % 10);
            Random::new(phase << 8 | u64::from(number)).below(2) == 0
        };
        let asks = |number: &u32| is_there(*number) && random.below(2) == 0;
        (0..16).filter(asks).collect::<Vec<u32>>()
    };
    let found = surges(0..4 * WEEK_BINS, |index| {
        let ports = 6_000..6_008;
        let each = ports.map(|port| crowd(port, scanners(index, port), "TH"));
        each.collect()
    });
    assert_eq!(told(&found), []);
}

#[test]
fn a_flood_of_forged_sources_is_no_surge_and_has_its_room() {
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    let up = watches(&[4_096]);
    let random = &mut Random::new(19);
    let mut found = Vec::new();
    let start = 2 * DAY_BINS;
    for index in 0..start + 4 {
        let mut crowds = vec![crowd(443, about(50, 0, random), "TH")];
        if index >= start {
            let forged = || (0..20_000).map(|n| n * 16 + 3);
            crowds.push(crowd(443, forged().filter(|n| n % 7 != 0), "US"));
            let mut impossible = crowd(443, forged().filter(|n| n % 7 == 0), "");
            impossible.origin.bogon = Some("multicast");
            crowds.push(impossible);
        }
        found.extend(findings(&mut detector, &bin(index, &crowds, &up)));
    }
    assert_eq!(told(&found), []);
}

#[test]
fn what_flickers_is_told_once_and_what_is_worse_at_once() {
    let start = 10 * DAY_BINS;
    let random = &mut Random::new(20);
    let found = surges(0..start + 40, |index| {
        // three bursts of half an hour, the third twice as large
        let mean = match index.checked_sub(start) {
            Some(0..3 | 12..15) => 60,
            Some(24..27) => 140,
            _ => 5,
        };
        vec![
            crowd(5_900, about(mean, 0, random), "TH"),
            crowd(23, about(60, 9_000, random), "ID"),
        ]
    });
    let bins: Vec<u64> = told(&found).iter().map(|one| one.2 - start).collect();
    assert_eq!(bins, [1, 25]);
}

/// Were the gap walked through bin by bin, this would not end.
#[test]
fn a_gap_of_any_length_costs_nothing() {
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    let gap = 3_000 * 365 * DAY_BINS;
    let mut each = |index| vec![crowd(23, 0..40 + (index % 3) as u32, "TH")];
    let mut found = surges_of(&mut detector, 0..2 * DAY_BINS, &mut each);
    found.extend(surges_of(&mut detector, gap..gap + 2 * DAY_BINS, &mut each));
    assert_eq!(told(&found), []);
}

#[test]
fn after_a_month_in_which_nobody_watched_nothing_is_new() {
    let mut detector = scan_surge::ScanSurges::new(&ScanSurge::default());
    let back = 40 * DAY_BINS;
    let mut each = |index| vec![crowd(23, 0..40 + (index % 3) as u32, "TH")];
    let mut found = surges_of(&mut detector, 0..10 * DAY_BINS, &mut each);
    found.extend(surges_of(
        &mut detector,
        back..back + 2 * DAY_BINS,
        &mut each,
    ));
    assert_eq!(told(&found), []);
}

/// The bins of the past, as the store's rollups give them back.
fn past(index: u64, crowds: &[Crowd]) -> PastBin {
    let mut counts: Vec<PastCount> = Vec::new();
    let mut add = |port: u16, place: PastPlace, sources: u64| {
        let service = noroshi_proto::traffic::Transport::Tcp { service_port: port }.service();
        let known = counts
            .iter_mut()
            .find(|one| one.service == service && one.place == place);
        match known {
            Some(one) => {
                (one.sources, one.networks) = (one.sources + sources, one.networks + sources)
            }
            None => counts.push(PastCount {
                service,
                place,
                sources,
                networks: sources,
            }),
        }
    };
    for crowd in crowds {
        let sources = crowd.sources.len() as u64;
        add(crowd.port, PastPlace::Region, sources);
        if let Some(country) = crowd.origin.country {
            add(crowd.port, PastPlace::Country(country), sources);
        }
    }
    counts.retain(|one| one.sources >= 2 || (one.place == PastPlace::Region && one.sources > 0));
    PastBin {
        start: MONDAY + index * BIN_SECONDS,
        seconds: BIN_SECONDS,
        addresses: 1_024,
        watched: 100,
        counts,
        countries: Vec::new(),
    }
}

/// Four weeks by windows or by rollups, the same two days after.
#[test]
fn what_is_recalled_is_as_good_as_what_was_seen() {
    let bins = 4 * WEEK_BINS;
    let crowds = |index: u64| {
        let random = &mut Random::new(index);
        let ill = if index > bins - 2 { 30 } else { 4 };
        let grown = 50 + index.saturating_sub(bins - DAY_BINS) as u32 / 10;
        vec![
            crowd(23, about(60, 0, random), "TH"),
            crowd(23, about(grown, 1_000, random), "ID"),
            crowd(445, about(ill, 8_000, random), "TH"),
            crowd(445, about(250, 20_000, random), "ID"),
        ]
    };
    let later = bins..bins + DAY_BINS;
    let mut seen = scan_surge::ScanSurges::new(&ScanSurge::default());
    surges_of(&mut seen, 0..bins, crowds);
    let by_windows = surges_of(&mut seen, later.clone(), crowds);
    let mut recalled = scan_surge::ScanSurges::new(&ScanSurge::default());
    for index in 0..bins - 1 {
        recalled.recall(&past(index, &crowds(index)));
    }
    let mut by_rollups = surges_of(&mut recalled, bins - 1..later.end, crowds);
    by_rollups.retain(|finding| finding.at > MONDAY + bins * BIN_SECONDS);
    assert!(!by_windows.is_empty());
    assert_eq!(by_windows.len(), by_rollups.len());
    for (one, other) in by_windows.iter().zip(&by_rollups) {
        assert_eq!(one, other);
    }
}

#[test]
fn a_service_of_one_country_is_named_by_its_excess() {
    let start = 10 * DAY_BINS;
    let random = &mut Random::new(22);
    let found = surges(0..start + 4, |index| {
        let more = if index >= start { 80 } else { 2 };
        vec![
            crowd(22, about(60, 0, random), "ID"),
            crowd(22, about(more, 60_000, random), "TH"),
        ]
    });
    assert!(!found.is_empty());
    let thailand = Country::new("TH");
    for finding in &found {
        assert_eq!(finding.reason, Reason::Surge);
        assert!(matches!(finding.about, About::Service(_, scope) if scope == thailand));
    }
}

#[test]
fn published_scanners_are_no_surge_however_many() {
    let start = 3 * DAY_BINS;
    let random = &mut Random::new(23);
    let found = surges(0..start + 6, |index| {
        let mut listed = crowd(
            22,
            about(if index >= start { 200 } else { 2 }, 60_000, random),
            "US",
        );
        listed.origin = Origin {
            scanner: Some("a list".into()),
            ..listed.origin
        };
        vec![crowd(22, about(60, 0, random), "ID"), listed]
    });
    assert_eq!(told(&found), []);
}
