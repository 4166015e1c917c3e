//! Whole programs over the same file: ours, and those that are installed of its peers.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What a program's run took.
#[derive(Clone, Copy)]
struct Cost {
    cpu_micros: i64,
    resident_kib: u64,
}

/// Prints the processor time and memory of each program, least of `rounds` rounds in turn.
pub fn report(capture: &Path, rounds: usize) {
    let programs = [
        ("noroshi-sensor replay", ours as fn(&Path, &Path) -> Command),
        ("tcpdump -r … -w /dev/null", tcpdump),
        ("nfpcapd -r …", nfpcapd),
    ];
    let mut least = [None::<Cost>; 3];
    for _ in 0..rounds {
        for (least, (_, program)) in least.iter_mut().zip(programs) {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let Some(cost) = run(program(capture, directory.path())) else {
                continue;
            };
            let better = least.is_none_or(|least| cost.cpu_micros < least.cpu_micros);
            *least = if better { Some(cost) } else { *least };
        }
    }
    let ours = least[0].expect("cargo built our own program");
    for ((name, _), cost) in programs.iter().zip(least) {
        match cost {
            Some(cost) => println!(
                "{name:40} {:7.3} s CPU, {:6.2} x ours, {} MiB resident at most",
                cost.cpu_micros as f64 / 1e6,
                cost.cpu_micros as f64 / ours.cpu_micros as f64,
                cost.resident_kib / 1024,
            ),
            None => println!("{name:40} is not installed: not compared"),
        }
    }
}

fn ours(capture: &Path, _: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_noroshi-sensor"));
    command.arg("replay").arg(capture);
    command.args(["--telescope", "44.1.0.0/16"]);
    command
}

fn tcpdump(capture: &Path, _: &Path) -> Command {
    let mut command = Command::new("tcpdump");
    command.arg("-r").arg(capture).args(["-w", "/dev/null"]);
    command
}

/// Flows of a minute, as many of them as there are packets.
fn nfpcapd(capture: &Path, flows: &Path) -> Command {
    let mut command = Command::new("nfpcapd");
    command.arg("-r").arg(capture).arg("-w").arg(flows);
    command.args(["-t", "60", "-e", "60,60", "-B", "2000000"]);
    command
}

/// `None` where the program is not installed.
fn run(mut command: Command) -> Option<Cost> {
    let before = children_micros();
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().ok()?;
    let resident_kib = wait(child);
    Some(Cost {
        cpu_micros: children_micros() - before,
        resident_kib,
    })
}

/// Waits for the end, and says how much memory it had at most.
fn wait(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("a child of ours").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high_water = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = high_water.and_then(|rest| rest.trim().strip_suffix(" kB"));
        most = most.max(kib.and_then(|kib| kib.parse().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

/// Processor time of all children that have ended.
fn children_micros() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("Linux");
    usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
}
