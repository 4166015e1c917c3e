//! Programs of others that read the wire, on a processor of their own.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike as _;
use nix::unistd::Pid;

use super::wire::NEAR;

/// A program.
#[derive(Clone, Copy)]
pub enum Peer {
    /// Writes what it captures nowhere.
    Tcpdump,
    /// Keeps flows in memory, and writes them every minute.
    Nfpcapd,
}

/// One that captures.
pub struct Running {
    program: Child,
    before: u64,
    _flows: tempfile::TempDir,
}

/// What it says at its end, and what it took.
pub struct Ended {
    pub read: Option<u64>,
    pub dropped: u64,
    pub cpu_nanos: u64,
}

impl Peer {
    /// Captures when this returns; `None` where it is not installed.
    pub fn start(self) -> Option<Running> {
        /// Both say nothing when they begin; a second is long for what they do.
        const BEGINNING: Duration = Duration::from_secs(1);
        let flows = tempfile::tempdir().expect("a temporary directory");
        let before = children_nanos();
        let mut command = Command::new("taskset");
        command.args(["-c", "1"]);
        match self {
            Self::Tcpdump => {
                let line = "tcpdump -i NEAR -B 16384 -s 256 -n -w /dev/null dst net 198.18.0.0/20";
                command.args(
                    line.split(' ')
                        .map(|word| if word == "NEAR" { NEAR } else { word }),
                );
            }
            Self::Nfpcapd => {
                command.args([
                    "nfpcapd", "-i", NEAR, "-t", "60", "-e", "60,60", "-B", "2000000",
                ]);
                command.arg("-w").arg(flows.path());
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut program = command.stderr(Stdio::piped()).spawn().ok()?;
        sleep(BEGINNING);
        if program.try_wait().expect("a child of ours").is_some() {
            return None; // taskset does not find it
        }
        Some(Running {
            program,
            before,
            _flows: flows,
        })
    }
}

impl Running {
    /// By SIGINT, as people end them, once what was sent has been read.
    pub fn end(self) -> Ended {
        sleep(Duration::from_millis(500));
        let id = i32::try_from(self.program.id()).expect("a process id");
        kill(Pid::from_raw(id), Signal::SIGINT).expect("it lives");
        let output = self.program.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let number = |words: &str| {
            let before = said.split_once(words)?.0;
            before.split_whitespace().last()?.parse::<u64>().ok()
        };
        Ended {
            read: number(" packets captured"),
            dropped: number(" packets dropped by kernel").unwrap_or(0),
            cpu_nanos: children_nanos() - self.before,
        }
    }
}

/// Processor time of all children that have ended.
fn children_nanos() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("Linux");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    u64::try_from(micros).expect("it is not negative") * 1_000
}
