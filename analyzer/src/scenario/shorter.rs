//! A week for tests, a day of seventy million spoofed sources, two days of infections.

use noroshi_proto::id::SensorId;

use super::act::{Act, Ramp, Scan, Scheduled, Whence};
use super::october::{DAY, HOUR, at, carpet, eight, flood, outage, recon, slow};
use super::ports::Asked;
use super::region::{Nature, address};
use super::{Place, Scenario};
use crate::generate::packet::Tool;

/// 2019-03-04T00:00:00Z, a Monday.
const MONDAY: u64 = 1_551_657_600;

/// A week at two small sensors: quick enough for a test.
pub fn week() -> Scenario {
    let sensors = [("sensor-a", 4_096), ("sensor-b", 8_188)];
    let place = |(name, addresses)| {
        Some(Place {
            sensor: SensorId::new(name)?,
            addresses,
        })
    };
    let script = [surges(), attacks(), nulls()];
    Scenario {
        name: "week",
        summary: "two small sensors for a week: one campaign of each kind, and the nulls",
        from: MONDAY,
        until: MONDAY + 7 * DAY,
        sensors: sensors.into_iter().filter_map(place).collect(),
        rate: 0.001,
        sources: 3_000,
        burst: 3.0,
        script: script.concat(),
    }
}

/// When day (from 0) and hour of the week begin.
fn hour(day: u64, hour: u64) -> u64 {
    MONDAY + day * DAY + hour * HOUR
}

fn surges() -> Vec<Scheduled> {
    let surge = |port: u16, size: f64, ramp: Ramp, tool: Tool| {
        Act::Scan(Scan {
            asked: Asked::tcp(port),
            size,
            ramp,
            whence: Whence::World,
            tool,
            packets: 1.6,
        })
    };
    let worm = surge(37_215, 12.0, Ramp::Logistic { half: 3 * HOUR }, Tool::Mirai);
    let new = surge(23_023, 8.0, Ramp::Step, Tool::Linux);
    let small = surge(8_443, 3.0, Ramp::Step, Tool::Linux);
    let slowly = surge(5_984, 8.0, Ramp::Steady { full: 2 * DAY }, Tool::Linux);
    vec![
        at("a worm", "worm", worm, (hour(2, 3), DAY)),
        at("a new port", "new port", new, (hour(3, 5), DAY)),
        at("a small surge", "surge", small, (hour(4, 8), DAY)),
        at("slow growth", "surge", slowly, (hour(4, 0), 3 * DAY)),
    ]
}

fn attacks() -> Vec<Scheduled> {
    let group = "attacks";
    vec![
        at(
            "ddos of a web server",
            group,
            flood(0),
            (hour(2, 15), 2 * HOUR),
        ),
        at(
            "carpet bombing of a /24",
            group,
            carpet(3),
            (hour(3, 9), HOUR),
        ),
        at(
            "search for NTP servers",
            group,
            recon(2),
            (hour(3, 20), 2 * HOUR),
        ),
        at("many slow sources", group, slow(), (hour(2, 0), 2 * DAY)),
        at(
            "outage of China",
            group,
            outage("CN"),
            (hour(5, 6), 6 * HOUR),
        ),
    ]
}

fn nulls() -> Vec<Scheduled> {
    let sensor = Act::SensorOutage { sensor: 0 };
    let storm = Act::Storm {
        sources: 100_000,
        port: 80,
    };
    let burst = Act::Burst {
        source: address(13, Nature::Scanner, 4_242),
        port: 4_786,
        rate: 20.0,
    };
    let skew = Act::ClockSkew {
        sensor: 1,
        ahead: 300,
    };
    let group = "nulls";
    vec![
        at("outage of a sensor", group, sensor, (hour(2, 10), 4 * HOUR)),
        at(
            "reload of the geo database",
            group,
            Act::GeoReload,
            (hour(3, 0), DAY),
        ),
        at(
            "storm of spoofed SYN-ACKs",
            group,
            storm,
            (hour(4, 1), HOUR),
        ),
        at("one loud source", group, burst, (hour(5, 15), 2 * HOUR)),
        at(
            "a clock five minutes ahead",
            group,
            skew,
            (hour(6, 3), 4 * HOUR),
        ),
    ]
}

/// A day with a storm of spoofed sources, as nicter saw on 2020-03-11.
pub fn storm() -> Scenario {
    let storm = Act::Storm {
        sources: 70_000_000,
        port: 443,
    };
    Scenario {
        name: "storm",
        summary: "a day in which seventy million spoofed sources answer",
        from: MONDAY,
        until: MONDAY + DAY,
        sensors: eight(),
        rate: 0.001,
        sources: 20_000,
        burst: 4.0,
        script: vec![at(
            "storm of spoofed SYN-ACKs",
            "nulls",
            storm,
            (MONDAY, DAY),
        )],
    }
}

/// Two days; on the second, five thousand hosts of one country are infected.
pub fn infected() -> Scenario {
    let outbreak = Act::Infection {
        land: 2,
        hosts: 5_000,
        port: 23,
        per_day: 40.0,
    };
    Scenario {
        name: "infected",
        summary: "two days; on the second, 5,000 hosts of one partner are infected",
        from: MONDAY,
        until: MONDAY + 2 * DAY,
        sensors: eight(),
        rate: 0.001,
        sources: 10_000,
        burst: 4.0,
        script: vec![at(
            "infection of one country",
            "worm",
            outbreak,
            (MONDAY + DAY, DAY),
        )],
    }
}
