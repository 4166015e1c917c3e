//! The line between sensor and collectors: every frame passes through here, and some do not.
//!
//! Where the kernel has netem, netem is the weather; elsewhere this is.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Direction};

use super::host::{Host, said};
use super::random::Random;

/// How often the line looks for frames.
const PACE: Duration = Duration::from_micros(500);
/// Frames that are late at a time; what comes then is lost, as in any queue.
const LATE_MAX: usize = 4_096;

/// What happens to frames, in percent; delay in milliseconds, more or less by a half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    pub loss: u64,
    pub duplication: u64,
    /// Of so many the delay is left out: they overtake.
    pub reordering: u64,
    pub delay_ms: u64,
}

impl Weather {
    /// As `tc` wants it.
    fn netem(self) -> String {
        let Self {
            loss,
            duplication,
            reordering,
            delay_ms,
        } = self;
        let mut netem = format!("loss {loss}% duplicate {duplication}%");
        if delay_ms > 0 {
            netem += &format!(" delay {delay_ms}ms {}ms", delay_ms / 2);
        }
        if delay_ms > 0 && reordering > 0 {
            netem += &format!(" reorder {reordering}%");
        }
        netem
    }
}

/// A hub with an interface for each host that is joined.
pub struct Line {
    weather: Arc<Mutex<Weather>>,
    stop: Arc<AtomicBool>,
    carrying: Option<JoinHandle<()>>,
    ports: Vec<&'static str>,
    host: Host,
}

/// Interfaces of the hub: the sensor's, and one for each collector's host.
pub const PORTS: [&str; 3] = ["sensor", "first", "second"];

impl Line {
    /// Lays it once all are joined; the seed decides which frames are hit.
    pub fn lay(host: Host, seed: u64) -> Self {
        for port in PORTS {
            // Frames come as they would on a wire: whole, and with their checksums.
            plain(&host, port);
            host.ip(&["link", "set", port, "up"]).expect("it is there");
        }
        let open = || PORTS.map(opened).into_iter().collect::<Vec<_>>();
        let ports = host.inside(open);
        let weather = Arc::new(Mutex::new(Weather::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut hub = Hub {
            ports,
            weather: Arc::clone(&weather),
            random: Random(seed),
            late: BTreeMap::new(),
            number: 0,
        };
        let told = Arc::clone(&stop);
        let carrying = thread::spawn(move || {
            while !told.load(Ordering::Acquire) {
                hub.carry();
                sleep(PACE);
            }
        });
        Self {
            weather,
            stop,
            carrying: Some(carrying),
            ports: PORTS.to_vec(),
            host,
        }
    }

    /// From now on.
    pub fn set(&self, weather: Weather) {
        if !self.by_kernel(weather) {
            *self.weather.lock().expect("nobody panicked") = weather;
        }
    }

    /// Whether netem does it.
    fn by_kernel(&self, weather: Weather) -> bool {
        self.ports.iter().all(|port| {
            let netem = weather.netem();
            let mut tc = Command::new("tc");
            tc.args(["qdisc", "replace", "dev", port, "root", "netem"]);
            tc.args(netem.split(' '));
            match said(&mut self.host.command(&tc)) {
                Ok(_) => true,
                Err(error) if error.contains("kind is unknown") => false,
                Err(error) => panic!("{error}"),
            }
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(carrying) = self.carrying.take() {
            let _ = carrying.join(); // a panic must not hide the first
        }
    }
}

/// Switches off what a kernel saves itself on a wire that is none.
pub fn plain(host: &Host, interface: &str) {
    let mut ethtool = Command::new("ethtool");
    ethtool.args(["-K", interface, "tx", "off", "tso", "off", "gso", "off"]);
    said(&mut host.command(&ethtool)).expect("veth has these");
}

fn opened(port: &str) -> Capture<Active> {
    let capture = Capture::from_device(port).expect("a name");
    let capture = capture.immediate_mode(true).promisc(true).open();
    let capture = capture.expect("it opens").setnonblock();
    let capture = capture.expect("it does not block");
    capture.direction(Direction::In).expect("Linux knows it");
    capture
}

struct Hub {
    ports: Vec<Capture<Active>>,
    weather: Arc<Mutex<Weather>>,
    random: Random,
    /// By the time at which they go on, and a number; where they came from.
    late: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    number: u64,
}

impl Hub {
    fn carry(&mut self) {
        let now = now();
        let weather = *self.weather.lock().expect("nobody panicked");
        for from in 0..self.ports.len() {
            // No frame, or the other end is down: both are looked at again.
            while let Ok(packet) = self.ports[from].next_packet() {
                let frame = packet.data.to_vec();
                self.judge(weather, now, (from, frame));
            }
        }
        while let Some(due) = self.late.first_entry().filter(|due| due.key().0 <= now) {
            let (from, frame) = due.remove();
            for (to, port) in self.ports.iter_mut().enumerate() {
                if to != from {
                    let _ = port.sendpacket(frame.as_slice()); // that end may be down
                }
            }
        }
    }

    fn judge(&mut self, weather: Weather, now: Instant, frame: (usize, Vec<u8>)) {
        let mut happens = |percent| self.random.below(100) < percent;
        let is_lost = happens(weather.loss);
        let copies = 1 + usize::from(happens(weather.duplication));
        let overtakes = happens(weather.reordering);
        if is_lost || self.late.len() + copies > LATE_MAX {
            return;
        }
        for _ in 0..copies {
            let spread = weather.delay_ms / 2 + self.random.below(weather.delay_ms + 1);
            let delay = Duration::from_millis(if overtakes { 0 } else { spread });
            self.number += 1;
            self.late.insert((now + delay, self.number), frame.clone());
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "delay is made by the clock")]
fn now() -> Instant {
    Instant::now()
}
