//! The month to be judged by, in the shape of October 2018.
//!
//! Eight sensors; 35 TCP ports in 13 groups of threats, on the days that are known of it
//! (NICT's labels, published with Dark-TRACER: Han, Takeuchi, Takahashi, Inoue, 2022).
//! The packets themselves are not public. How each campaign grew and how large it was are
//! inventions, fixed before any detector saw them: some are barely above the noise. They are
//! never changed to make detection pass.

use noroshi_proto::id::SensorId;

use super::act::{Act, Ramp, Scan, Scheduled, Whence};
use super::ports::Asked;
use super::region::{Nature, address, network};
use super::{Place, Scenario};
use crate::generate::packet::Tool;

/// 2018-10-01T00:00:00Z.
const OCTOBER: u64 = 1_538_352_000;
pub(super) const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 86_400;
/// Days before the month, so that it is known what is usual.
const HISTORY_DAYS: u64 = 3;
/// A month is as long as what is asked about it.
const MONTH_DAYS: u64 = 31;

/// The addresses of the eight sensors, A to H.
const SIZES: [u32; 8] = [29_182, 14_593, 4_098, 4_096, 8_188, 16_384, 2_044, 2_045];

/// What has just begun doubles within minutes.
const STEP: Ramp = Ramp::Step;
const FAST: Ramp = Ramp::Logistic { half: HOUR };
const WORM: Ramp = Ramp::Logistic { half: 6 * HOUR };
const SLOW: Ramp = Ramp::Logistic { half: DAY };
const CREEP: Ramp = Ramp::Steady { full: 6 * DAY };

/// A campaign: group, port, size, day and hour it begins, days it lasts, growth.
type Line = (&'static str, u16, f64, (u64, u64), u64, Ramp);

/// All 35. Sizes are sources in ten minutes at the height, in multiples of the usual.
const CAMPAIGNS: [Line; 35] = [
    ("Mirai I", 82, 8.0, (20, 2), 4, WORM),
    ("Mirai I", 83, 6.0, (20, 2), 4, WORM),
    ("Mirai I", 84, 5.0, (20, 3), 4, WORM),
    ("Mirai I", 85, 4.0, (20, 3), 4, FAST),
    ("Mirai I", 88, 3.0, (20, 4), 3, WORM),
    ("Mirai I", 8_000, 2.0, (20, 4), 3, FAST),
    ("Mirai I", 8_001, 10.0, (20, 5), 3, WORM),
    ("Mirai I", 8_088, 1.5, (20, 5), 3, FAST),
    ("Mirai I", 8_888, 1.0, (20, 6), 2, FAST),
    ("Mirai II", 8_443, 2.5, (20, 9), 3, STEP),
    ("Mirai III", 444, 12.0, (16, 7), 2, FAST),
    ("Mirai III", 7_547, 1.0, (16, 7), 4, SLOW),
    ("Mirai III", 8_010, 7.0, (19, 11), 3, WORM),
    ("Hajime", 5_358, 15.0, (5, 0), 10, CREEP),
    ("Hajime", 9_000, 3.0, (5, 0), 10, CREEP),
    ("HNS", 2_480, 20.0, (8, 13), 5, SLOW),
    ("HNS", 5_984, 6.0, (8, 13), 5, SLOW),
    ("MikroTik", 21, 0.7, (13, 1), 2, STEP),
    ("MikroTik", 25, 1.2, (13, 1), 2, FAST),
    ("MikroTik", 65_000, 9.0, (13, 4), 3, WORM),
    ("MikroTik", 110, 2.0, (16, 15), 2, FAST),
    ("MikroTik", 443, 0.5, (16, 15), 2, STEP),
    ("MikroTik", 8_291, 4.0, (19, 3), 3, WORM),
    ("MikroTik", 23_023, 30.0, (19, 3), 3, FAST),
    ("Huawei", 37_215, 3.0, (14, 5), 5, WORM),
    ("NUUO", 8_181, 4.0, (30, 2), 2, FAST),
    ("ASUS", 8_081, 1.5, (12, 6), 2, FAST),
    ("BroadcomUPnP", 5_431, 25.0, (3, 0), 12, CREEP),
    ("L2TP", 1_701, 5.0, (30, 8), 1, STEP),
    ("IPMI", 49_152, 8.0, (30, 6), 2, FAST),
    ("VNC", 5_900, 1.0, (12, 10), 2, WORM),
    ("WordPress", 2_004, 10.0, (14, 20), 2, FAST),
    ("Redis", 5_379, 12.0, (30, 1), 2, FAST),
    ("Redis", 6_379, 0.8, (30, 1), 2, WORM),
    ("Redis", 7_379, 6.0, (30, 1), 2, FAST),
];

/// The month.
pub fn month() -> Scenario {
    let from = OCTOBER - HISTORY_DAYS * DAY;
    let end = OCTOBER + MONTH_DAYS * DAY;
    let mut script: Vec<Scheduled> = CAMPAIGNS.iter().map(campaign).collect();
    script.extend(attacks());
    script.extend(nulls());
    script.push(Scheduled {
        name: "thirty days in which nobody watched".to_owned(),
        group: "nulls",
        act: Act::Gap,
        from: end,
        until: end + 30 * DAY,
    });
    Scenario {
        name: "month",
        summary: "eight sensors in October 2018: 35 ports in 13 groups, attacks, nulls",
        from,
        until: end + 31 * DAY,
        sensors: eight(),
        rate: 0.004,
        sources: 30_000,
        burst: 4.0,
        script,
    }
}

/// One day of it, at the full rate.
pub fn full_day() -> Scenario {
    let from = OCTOBER + 20 * DAY;
    Scenario {
        name: "day",
        summary: "eight sensors for a day at the full rate of 0.079 packets/s per address",
        from,
        until: from + DAY,
        sensors: eight(),
        rate: 0.079,
        sources: 100_000,
        burst: 16.0,
        script: vec![
            at(
                "ddos of a web server",
                "attacks",
                flood(0),
                (from + 3 * HOUR, 2 * HOUR),
            ),
            at(
                "carpet bombing of a /24",
                "attacks",
                carpet(3),
                (from + 9 * HOUR, HOUR),
            ),
            at(
                "search for NTP servers",
                "attacks",
                recon(2),
                (from + 14 * HOUR, HOUR),
            ),
        ],
    }
}

/// Sensors A to H.
pub fn eight() -> Vec<Place> {
    let names = ["sensor-a", "sensor-b", "sensor-c", "sensor-d"];
    let others = ["sensor-e", "sensor-f", "sensor-g", "sensor-h"];
    names
        .into_iter()
        .chain(others)
        .zip(SIZES)
        .filter_map(|(name, addresses)| {
            let sensor = SensorId::new(name)?;
            Some(Place { sensor, addresses })
        })
        .collect()
}

fn campaign((group, port, size, (day, hour), days, ramp): &Line) -> Scheduled {
    let mirai = group.starts_with("Mirai") || *group == "Huawei";
    let from = OCTOBER + (day - 1) * DAY + hour * HOUR;
    let scan = Scan {
        asked: Asked::tcp(*port),
        size: *size,
        ramp: *ramp,
        whence: Whence::World,
        tool: if mirai { Tool::Mirai } else { Tool::Linux },
        packets: 1.6,
    };
    let name = format!("{group} tcp/{port}");
    at(&name, group, Act::Scan(scan), (from, days * DAY))
}

fn attacks() -> Vec<Scheduled> {
    let day = |day: u64, hour: u64| OCTOBER + (day - 1) * DAY + hour * HOUR;
    vec![
        at(
            "ddos of a web server",
            "attacks",
            flood(0),
            (day(9, 3), 2 * HOUR),
        ),
        at(
            "ddos of a name server",
            "attacks",
            flood(4),
            (day(22, 17), HOUR),
        ),
        at(
            "carpet bombing of a /24",
            "attacks",
            carpet(3),
            (day(18, 9), HOUR),
        ),
        at(
            "search for NTP servers",
            "attacks",
            recon(2),
            (day(11, 14), HOUR),
        ),
        at(
            "many slow sources",
            "attacks",
            slow(),
            (day(23, 0), 3 * DAY),
        ),
        at(
            "outage of Iran",
            "attacks",
            outage("IR"),
            (day(26, 6), 12 * HOUR),
        ),
    ]
}

fn nulls() -> Vec<Scheduled> {
    let day = |day: u64, hour: u64| OCTOBER + (day - 1) * DAY + hour * HOUR;
    let storm = Act::Storm {
        sources: 3_000_000,
        port: 80,
    };
    let burst = Act::Burst {
        source: address(13, Nature::Scanner, 4_242),
        port: 4_786,
        rate: 400.0,
    };
    let skew = Act::ClockSkew {
        sensor: 4,
        ahead: 300,
    };
    let sensor = |sensor| Act::SensorOutage { sensor };
    vec![
        at(
            "outage of the largest sensor",
            "nulls",
            sensor(0),
            (day(7, 4), 7 * HOUR),
        ),
        at(
            "outage of a small sensor",
            "nulls",
            sensor(6),
            (day(25, 20), 2 * DAY),
        ),
        at(
            "reload of the geo database",
            "nulls",
            Act::GeoReload,
            (day(10, 12), DAY),
        ),
        at(
            "storm of spoofed SYN-ACKs",
            "nulls",
            storm,
            (day(15, 9), 2 * HOUR),
        ),
        at("one loud source", "nulls", burst, (day(17, 16), 3 * HOUR)),
        at(
            "a clock five minutes ahead",
            "nulls",
            skew,
            (day(28, 3), 9 * HOUR),
        ),
    ]
}

pub(super) fn at(
    name: &str,
    group: &'static str,
    act: Act,
    (from, seconds): (u64, u64),
) -> Scheduled {
    Scheduled {
        name: name.to_owned(),
        group,
        act,
        from,
        until: from + seconds,
    }
}

pub(super) fn flood(land: usize) -> Act {
    Act::Backscatter {
        victim: address(land, Nature::Bystander, 0x50_0050),
        port: 443,
        rate: 5e-5,
    }
}

pub(super) fn carpet(land: usize) -> Act {
    Act::Carpet {
        network: network(land) + 0x4200,
        rate: 5e-4,
    }
}

pub(super) fn recon(land: usize) -> Act {
    Act::Recon {
        source: address(land, Nature::Scanner, 0x77_0077),
        port: 123,
        rate: 2e-5,
    }
}

pub(super) fn slow() -> Act {
    Act::LowAndSlow {
        ports: vec![11_000, 11_001, 11_002, 11_003],
        sources: 48,
        per_hour: 1.0,
    }
}

pub(super) fn outage(country: &'static str) -> Act {
    Act::CountryOutage { country }
}
