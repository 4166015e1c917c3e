//! Hosts: network namespaces of this test, gone with it. Nothing of theirs leads to the machine's
//! own networks.

use std::fs::{self, File};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Names begin so, and go on with the process that made them.
const PREFIX: &str = "noroshi-lab-";
/// Numbers hosts of one process.
static MADE: AtomicU64 = AtomicU64::new(0);

/// What an interface counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub received: u64,
    pub sent: u64,
}

/// A host with no interface but its own loopback.
pub struct Host {
    name: String,
}

impl Host {
    /// # Errors
    /// Why there are no namespaces here.
    pub fn make() -> Result<Self, String> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        ip(&["netns", "add", &name])?;
        let host = Self { name };
        // Interfaces announce themselves by IPv6, which would be counted.
        for of in ["all", "default"] {
            let path = format!("/proc/sys/net/ipv6/conf/{of}/disable_ipv6");
            let off = || match fs::exists(&path) {
                Ok(true) => fs::write(&path, "1").map_err(|error| format!("{path}: {error}")),
                _ => Ok(()),
            };
            host.inside(off)?;
        }
        host.ip(&["link", "set", "lo", "up"])?;
        Ok(host)
    }

    pub fn new() -> Self {
        Self::make().expect("looked for before the test began")
    }

    /// Runs `ip` here, and answers what it says.
    ///
    /// # Errors
    /// It fails.
    pub fn ip(&self, arguments: &[&str]) -> Result<String, String> {
        ip(&[&["-n", self.name.as_str()], arguments].concat())
    }

    /// A wire from this host's interface to another's.
    pub fn join(&self, own: &str, other: &Self, its: &str) {
        let joined = self.ip(&[
            "link",
            "add",
            own,
            "type",
            "veth",
            "peer",
            "name",
            its,
            "netns",
            &other.name,
        ]);
        joined.expect("a wire");
    }

    /// A program that will run here.
    pub fn command(&self, program: &Command) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]);
        command.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.stdin(Stdio::null());
        command
    }

    /// Does something on a thread that is here.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.name)).expect("it was made");
        let done = thread::scope(|scope| {
            let thread = scope.spawn(move || {
                setns(&namespace, CloneFlags::CLONE_NEWNET).expect("root may enter");
                work()
            });
            thread.join()
        });
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// What an interface counted so far.
    pub fn counted(&self, interface: &str) -> Counted {
        let text = self.ip(&["-json", "-statistics", "link", "show", interface]);
        let text = text.expect("it is there");
        let shown: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let packets = |way| shown[0]["stats64"][way]["packets"].as_u64();
        Counted {
            received: packets("rx").expect("a counter"),
            sent: packets("tx").expect("a counter"),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = ip(&["netns", "delete", &self.name]); // a panic must not hide the first
    }
}

/// Takes away what processes left that were killed.
pub fn sweep() {
    let names = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let Some((process, _)) = name.strip_prefix(PREFIX).and_then(|n| n.split_once('-')) else {
            continue;
        };
        if !fs::exists(format!("/proc/{process}")).unwrap_or(true) {
            let _ = ip(&["netns", "delete", &name]);
        }
    }
}

/// Runs a program that takes no time, and answers what it says.
///
/// # Errors
/// It is not installed, or fails.
pub fn said(command: &mut Command) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !status.success() {
        let error = String::from_utf8_lossy(&stderr);
        return Err(format!("{command:?}: {}", error.trim()));
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

fn ip(arguments: &[&str]) -> Result<String, String> {
    said(Command::new("ip").args(arguments))
}

/// A program that runs on a host until it is told otherwise; killed with the test.
pub struct Program(pub Child);

impl Program {
    /// SIGKILL.
    pub fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).expect("a process id"))
    }

    pub fn kill(&mut self) {
        self.0.kill().expect("it can be killed");
        self.0.wait().expect("it can be waited for");
    }

    /// SIGTERM, and the end.
    pub fn end(&mut self) {
        kill(self.id(), Signal::SIGTERM).expect("it lives");
        let status = self.0.wait().expect("it can be waited for");
        assert!(status.success(), "it ends with {status}");
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("it can be waited for").is_some()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it may have ended
        let _ = self.0.wait();
    }
}
