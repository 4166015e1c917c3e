//! The lab: sensor, collector and scanners as separate hosts, with real tools between them.
//!
//! Hosts are network namespaces. Where they are not allowed, or a tool is missing, what needs it is
//! reported as ignored, with the reason, and never as passed.

#[path = "../it/process.rs"]
mod process;

mod changes;
mod clocks;
mod disks;
mod faults;
mod host;
mod identities;
mod line;
mod random;
mod rounds;
mod scanner;
mod scans;
mod site;

use std::io::{Write as _, stderr};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};

/// A test, and the programs that it takes beside `ip`, `tc` and `ethtool`.
struct Test {
    name: &'static str,
    takes: &'static [&'static str],
    run: fn(),
}

const TESTS: &[&[Test]] = &[
    scans::TESTS,
    faults::TESTS,
    disks::TESTS,
    clocks::TESTS,
    changes::TESTS,
    identities::TESTS,
    rounds::TESTS,
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    host::sweep();
    let hosts = host::Host::make().and_then(|_| has(&["tc", "ethtool"]));
    let trials = TESTS.iter().copied().flatten().map(|test| {
        let missing = hosts.clone().and_then(|()| has(test.takes));
        if let Err(reason) = &missing {
            let _ = writeln!(stderr(), "not run: {}: {reason}", test.name);
        }
        let run = test.run;
        let trial = Trial::test(test.name, move || {
            run();
            Ok(())
        });
        trial.with_ignored_flag(missing.is_err())
    });
    let trials = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether these programs are installed.
fn has(programs: &[&str]) -> Result<(), String> {
    let starts = |program: &str| {
        let mut which = Command::new("which");
        which.arg(program).stdout(Stdio::null());
        which.status().is_ok_and(|status| status.success())
    };
    match programs.iter().find(|program| !starts(program)) {
        Some(missing) => Err(format!("{missing} is not installed: ./setup.sh test")),
        None => Ok(()),
    }
}
