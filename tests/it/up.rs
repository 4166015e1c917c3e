//! `noroshi up` as a process: where its parts are served, and what it is asked there.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::centre::Centre;
use crate::corpus::noroshi;

/// How long something may take to be so: the engine starts meanwhile.
const LOOKS: u32 = 600;
const LOOK: Duration = Duration::from_millis(100);

/// A program, killed with the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill(); // a panic must not hide the first
        let _ = self.0.wait();
    }
}

/// Looks until there is something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return found;
        }
        sleep(LOOK);
    }
    panic!("in vain: {what}");
}

/// All roles in one process.
pub struct Up {
    centre: Centre,
    running: Running,
}

impl Drop for Up {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.log());
        }
    }
}

impl Up {
    /// Starts all roles on what `centre` has.
    pub fn start(centre: Centre) -> Self {
        Self::start_with(centre, &[])
    }

    /// The same, in this environment.
    pub fn start_with(centre: Centre, environment: &[(&str, &str)]) -> Self {
        let log = File::create(centre.beside("log")).expect("writable");
        let mut command = noroshi();
        command.args(["-v", "up", "--config"]).arg(centre.config());
        command.env("NO_COLOR", "1").stderr(log);
        command.envs(environment.iter().copied());
        let running = Running(command.spawn().expect("it starts"));
        Self { centre, running }
    }

    /// Ends it as a service manager does; its whole log.
    pub fn end(mut self) -> String {
        let id = Pid::from_raw(self.running.0.id().cast_signed());
        kill(id, Signal::SIGTERM).expect("it runs");
        let child = &mut self.running.0;
        let status = until("its end", || {
            child.try_wait().expect("it can be waited for")
        });
        assert!(status.success(), "{status}: {}", self.log());
        self.log()
    }

    /// The log as far as it is written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.centre.beside("log")).expect("readable")
    }

    /// The addresses in log lines with these words, once there are so many.
    pub fn addresses(&self, words: &str, count: usize) -> Vec<SocketAddr> {
        until(words, || {
            let log = self.log();
            let lines = log.lines().filter(|line| line.contains(words));
            let addresses: Vec<SocketAddr> = lines.filter_map(address).collect();
            (addresses.len() >= count).then_some(addresses)
        })
    }

    /// Where the one with these words is.
    pub fn address(&self, words: &str) -> SocketAddr {
        self.addresses(words, 1)[0]
    }
}

fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("address=")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// What is answered to `GET path`, with its head, once it is.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    ask(
        address,
        &format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n"),
        "",
    )
}

/// What is answered to a request of these lines and this body, with its head.
pub fn ask(address: SocketAddr, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Writes a file that nobody else may read.
pub fn write_secret(centre: &Centre, name: &str, text: &str) {
    let mut options = File::options();
    let options = options.create(true).write(true).mode(0o600);
    let mut file = options.open(centre.beside(name)).expect("writable");
    file.write_all(text.as_bytes()).expect("writable");
}
