//! Anybody scans while anything breaks.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::Test;
use super::faults::STORM;
use super::line::Weather;
use super::random::Random;
use super::scanner::Scanner;
use super::site::{Site, Wishes};

const ROUNDS: u32 = 20;
/// The seed of an earlier run, to have it again.
const SEED: &str = "NOROSHI_LAB_SEED";

pub const TESTS: &[Test] = &[Test {
    name: "rounds::twenty_rounds_of_anything_keep_the_law",
    takes: &["zmap", "masscan", "nmap", "hping3"],
    run,
}];

/// What happens around a scan.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Nothing,
    Storm,
    LineDownWhileScanned,
    LineDownAfterwards,
    CollectorKilledBefore,
    CollectorKilledAfterwards,
    CollectorMoved,
    SensorStartedAgain,
    SensorRevoked,
}

const FAULTS: [Fault; 9] = [
    Fault::Nothing,
    Fault::Storm,
    Fault::LineDownWhileScanned,
    Fault::LineDownAfterwards,
    Fault::CollectorKilledBefore,
    Fault::CollectorKilledAfterwards,
    Fault::CollectorMoved,
    Fault::SensorStartedAgain,
    Fault::SensorRevoked,
];

fn run() {
    let seed = seed();
    println!("seed {seed}: {SEED}={seed} has it again");
    let mut random = Random(seed);
    let wishes = Wishes {
        seed,
        ..Wishes::default()
    };
    let mut site = Site::start_with(tempfile::tempdir().expect("a directory"), wishes);
    let mut sent = 0;
    for round in 0..ROUNDS {
        let scanner = scanner(&mut random);
        let fault = FAULTS[random.below(FAULTS.len() as u64) as usize];
        println!("round {round}: {scanner:?}, {fault:?}");
        sent += disturbed(&mut site, scanner, fault);
        assert_eq!(site.settle().raw.packets, sent, "{scanner:?}, {fault:?}");
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "whoever wants a run again says so by the environment"
)]
fn seed() -> u64 {
    match std::env::var(SEED) {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => RandomState::new().build_hasher().finish(),
    }
}

fn scanner(random: &mut Random) -> Scanner {
    match random.below(6) {
        0 => Scanner::Zmap,
        1 => Scanner::ZmapEcho,
        2 => Scanner::Masscan,
        3 => Scanner::Nmap,
        4 => Scanner::Hping3(1 + random.below(1_000)),
        _ => Scanner::Flood(1 + random.below(4_000)),
    }
}

/// Scans with the fault, and mends it: how many packets were sent.
fn disturbed(site: &mut Site, scanner: Scanner, fault: Fault) -> u64 {
    match fault {
        Fault::Nothing => site.scan(scanner),
        Fault::Storm => {
            site.line.set(STORM);
            let sent = site.scan(scanner);
            site.settle(); // in it
            site.line.set(Weather::default());
            sent
        }
        Fault::LineDownWhileScanned => {
            site.uplink("down");
            let sent = site.scan(scanner);
            site.uplink("up");
            sent
        }
        Fault::LineDownAfterwards => {
            let sent = site.scan(scanner);
            site.uplink("down");
            let sent = sent + site.scan(Scanner::Hping3(100));
            site.uplink("up");
            sent
        }
        Fault::CollectorKilledBefore => {
            site.kill_collector();
            let sent = site.scan(scanner);
            site.start_collector();
            sent
        }
        Fault::CollectorKilledAfterwards => {
            let sent = site.scan(scanner);
            site.kill_collector();
            site.start_collector();
            sent
        }
        Fault::CollectorMoved => {
            let sent = site.scan(scanner);
            site.move_collector();
            sent
        }
        Fault::SensorStartedAgain => {
            site.end_sensor();
            site.start_sensor();
            site.scan(scanner)
        }
        Fault::SensorRevoked => {
            site.sensor_command("revoke");
            site.sensor_ends();
            site.enrol();
            site.start_sensor();
            site.scan(scanner)
        }
    }
}
