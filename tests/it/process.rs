//! Programs run with a bound on their time.

use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Runs a program to its end; `None` when it had to be killed after `limit`.
pub fn run_within(command: Command, limit: Duration) -> Option<Output> {
    run_reading(command, Stdio::null(), limit)
}

/// The same, with something to read.
#[allow(
    clippy::disallowed_methods,
    reason = "a hang can only be told by the clock"
)]
pub fn run_reading(mut command: Command, input: Stdio, limit: Duration) -> Option<Output> {
    command
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    let mut stdout = child.stdout.take().expect("piped above");
    let mut stderr = child.stderr.take().expect("piped above");
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout
            .read_to_end(&mut bytes)
            .expect("the pipe is readable");
        bytes
    });
    let errors = thread::spawn(move || {
        let mut bytes = Vec::new();
        stderr
            .read_to_end(&mut bytes)
            .expect("the pipe is readable");
        bytes
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            break status;
        }
        if start.elapsed() > limit {
            child.kill().expect("the child can be killed");
            child.wait().expect("the child can be waited for");
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let stdout = reader.join().expect("the reader ends with its pipe");
    let stderr = errors.join().expect("the reader ends with its pipe");
    Some(Output {
        status,
        stdout,
        stderr,
    })
}
