//! What the sensor needs of memory, whatever arrives and however long.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use tempfile::TempDir;

use super::{SAMPLE, SIX, capture, record, text};

/// The budget unless told otherwise, and the smallest, in MiB.
const BUDGET: i64 = 64;
const BUDGET_MIN: i64 = 24;

/// 100,000 packets a second, for 100 seconds, from sources that `source` draws.
fn memory_for(budget: i64, source: impl Fn(u32) -> [u8; 4] + Send + 'static) -> i64 {
    const PACKETS: u32 = 10_000_000;
    const EACH_SECOND: u32 = 100_000;
    let (child, mut input, _config) = replaying(budget);
    let writer = std::thread::spawn(move || {
        input.write_all(&capture(&[]))?;
        let mut one = record(SIX, 7, [198, 18, 0, 1]);
        for number in 0..PACKETS {
            let at = SIX + number / EACH_SECOND;
            one[..4].copy_from_slice(&at.to_le_bytes());
            one[42..46].copy_from_slice(&source(number));
            input.write_all(&one)?;
        }
        input.flush()
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it ends").expect("all of it was read");
    let said = text(&output.stdout);
    let counted = format!("{PACKETS} packets of the telescope");
    assert!(said.contains(&counted), "{said}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel accounts for children");
    usage.max_rss() / 1024
}

/// Every packet from another address: no table of flows would hold them.
#[test]
fn a_forged_flood_stays_within_the_budget_of_memory() {
    for budget in [BUDGET_MIN, BUDGET] {
        let used = memory_for(budget, |number| {
            number.wrapping_mul(2_654_435_761).to_be_bytes()
        });
        assert!(used < budget, "{used} of {budget} MiB");
    }
}

/// The k-th source sends a k-th of what the first does.
#[test]
fn ordinary_traffic_stays_within_the_budget_of_memory() {
    let used = memory_for(BUDGET, |number| {
        let share = f64::from(number.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX);
        let rank = (share * 1e6_f64.ln()).exp() as u32; // Zipf, of a million sources
        (0x0500_0000 + rank).to_be_bytes()
    });
    assert!(used < BUDGET, "{used} MiB");
}

/// One that reads what it is given, and its configuration.
fn replaying(budget: i64) -> (Child, BufWriter<ChildStdin>, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("sensor.toml");
    let text = SAMPLE.replace("64 MiB", &format!("{budget} MiB"));
    fs::write(&config, text).expect("writable");
    let mut child = Command::new(env!("CARGO_BIN_EXE_noroshi-sensor"))
        .args(["replay", "-", "--config"])
        .arg(&config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let input = child.stdin.take().expect("it is piped");
    (child, BufWriter::new(input), directory)
}

/// One hour: 100 packets a second, and a flood of forged sources in one of its minutes.
fn hour(number: u32, input: &mut impl Write) -> io::Result<()> {
    const EACH_SECOND: u32 = 100;
    const FLOOD: u32 = 150_000;
    let mut one = record(SIX, 7, [198, 18, 0, 1]);
    let mut send = |second: u32, source: u32| {
        one[..4].copy_from_slice(&(SIX + number * 3_600 + second).to_le_bytes());
        one[42..46].copy_from_slice(&source.to_be_bytes());
        input.write_all(&one)
    };
    for second in 0..3_600 {
        for source in 0..EACH_SECOND {
            send(second, 0x0b00_0000 + source * 7_919)?;
        }
        if second == 1_800 {
            for source in 0..FLOOD {
                let forged = (number * FLOOD + source).wrapping_mul(2_654_435_761);
                send(second, forged)?;
            }
        }
    }
    input.flush()
}

/// A day of event time. What is read at one moment has a batch under way in it or not, so the least of
/// six hours is compared.
#[test]
fn a_day_of_traffic_leaves_memory_flat() {
    const GROWTH_MAX: u64 = 2 * 1024;
    let (child, mut input, _config) = replaying(BUDGET);
    input.write_all(&capture(&[])).expect("it reads");
    let resident: Vec<u64> = (0..24)
        .map(|number| {
            hour(number, &mut input).expect("it reads");
            resident_kib(child.id())
        })
        .collect();
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let packets = 24 * (3_600 * 100 + 150_000);
    let counted = format!("{packets} packets of the telescope");
    assert!(
        text(&output.stdout).contains(&counted),
        "{}",
        text(&output.stdout)
    );
    let least = |hours: &[u64]| hours.iter().copied().min().expect("some hours");
    let (first, last) = (least(&resident[..6]), least(&resident[18..]));
    assert!(last <= first + GROWTH_MAX, "{resident:?} KiB");
}

fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse().ok())
        .expect("a number of KiB")
}
