//! Live capture by our ring and by libpcap, in turn, over the same wire and against the same
//! sender, who sends as fast as he can: what each takes of one core, and what it loses.
//!
//! ```text
//! cargo bench -p noroshi-sensor --bench live        needs root and `ip`
//! ```
//! The sender does what the kernel does on arrival, too, so the rate he reaches is not the
//! reader's limit: that is what the reader's own time allows. Only ratios mean anything on a
//! shared machine.

#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads its environment and measures time"
)]

use std::hint::black_box;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use noroshi_proto::loss::Loss;
use noroshi_sensor::capture::interface::Interface;
use noroshi_sensor::capture::{Capture, Progress};
use noroshi_sensor::config::size::ByteSize;
use noroshi_sensor::config::{self, KernelFilter, Method};
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::telescope::Telescope;

#[path = "../tests/live/wire.rs"]
mod wire;

use self::wire::{FAR, NEAR};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
/// To show that it runs.
const ROUND_OF_SMOKE: Duration = Duration::from_millis(200);
const METHODS: [(&str, Method); 2] = [("ring", Method::Ring), ("libpcap", Method::Pcap)];

/// What one method made of one round.
#[derive(Clone, Copy)]
struct Made {
    arrived: u64,
    read: u64,
    dropped: u64,
    cpu_nanos: u64,
    elapsed: Duration,
}

impl Made {
    fn nanos_per_frame(&self) -> f64 {
        self.cpu_nanos as f64 / self.read as f64
    }
}

fn main() {
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, length) = match is_smoke {
        true => (1, ROUND_OF_SMOKE),
        false => (ROUNDS, ROUND),
    };
    if let Err(reason) = wire::join().and_then(|()| address()) {
        println!("not run: {reason}");
        return;
    }
    let mut made = METHODS.map(|_| Vec::new());
    for _ in 0..rounds {
        for (made, (_, method)) in made.iter_mut().zip(METHODS) {
            made.push(round(method, length));
        }
    }
    println!("{rounds} rounds of {} ms in turn", length.as_millis());
    for ((name, _), rounds) in METHODS.iter().zip(&made) {
        report(name, rounds);
    }
    let [ring, libpcap] = made.map(|rounds| median(&rounds));
    println!(
        "of one core libpcap takes {:.2} x what the ring takes",
        libpcap / ring
    );
}

/// The far end sends to the telescope, in the smallest frames that IPv4 allows.
fn address() -> Result<(), String> {
    wire::ip(&["link", "set", FAR, "mtu", "68"])?;
    wire::ip(&["address", "add", "203.0.113.7/32", "dev", FAR])?;
    wire::ip(&["route", "add", "198.18.0.0/20", "dev", FAR])?;
    Ok(())
}

fn round(method: Method, length: Duration) -> Made {
    let settings = config::Capture {
        interface: NEAR.into(),
        method,
        ring: ByteSize::mebibytes(16),
        snaplen: 256,
        kernel_filter: KernelFilter::On,
    };
    let telescope = Telescope::new(&["198.18.0.0/20".parse().expect("a prefix")]);
    let mut interface =
        Interface::open(&settings, &telescope, Delivery::Direct).expect("the wire opens");
    let before = wire::counted(NEAR).expect("it counts").received;
    let ended = AtomicBool::new(false);
    let (read, cpu_nanos, elapsed) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            stay_on(1);
            let before = cpu_nanos();
            (read(&mut interface, &ended), cpu_nanos() - before)
        });
        let sender = scope.spawn(|| {
            stay_on(0);
            send(length)
        });
        let elapsed = sender.join().expect("the sender ends");
        ended.store(true, Ordering::Release);
        let (read, nanos) = reader.join().expect("the reader ends");
        (read, nanos, elapsed)
    });
    Made {
        arrived: wire::counted(NEAR).expect("it counts").received - before,
        read,
        dropped: interface
            .losses()
            .expect("it counts")
            .of(Loss::KernelDropped),
        cpu_nanos,
        elapsed,
    }
}

fn read(interface: &mut Interface, ended: &AtomicBool) -> u64 {
    let mut frames = 0;
    loop {
        let was_last = ended.load(Ordering::Acquire);
        let progress =
            interface.read(|frame| frames += u64::from(!black_box(frame.bytes).is_empty()));
        if progress.expect("it reads") == Progress::Idle && was_last {
            return frames;
        }
    }
}

/// One call sends a datagram, which the kernel makes some 300 fragments of, each a frame.
fn send(length: Duration) -> Duration {
    let datagram = [0x55; 16 * 1024];
    let socket = UdpSocket::bind("203.0.113.7:0").expect("the far end's address");
    socket
        .connect("198.18.0.1:9")
        .expect("the route leads to the wire");
    let from = Instant::now();
    while from.elapsed() < length {
        // What the kernel has no room for is not sent, and not counted as arrived.
        let _ = socket.send(&datagram);
    }
    from.elapsed()
}

/// Sender and reader on different processors, where there are two.
fn stay_on(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor).expect("a small number");
    if let Err(error) = sched_setaffinity(Pid::from_raw(0), &set) {
        println!("not on processor {processor}: {error}");
    }
}

fn report(name: &str, rounds: &[Made]) {
    let rate = |made: &Made| made.arrived as f64 / made.elapsed.as_secs_f64() / 1e6;
    let nanos = median(rounds);
    let sum = |of: fn(&Made) -> u64| rounds.iter().map(of).sum::<u64>();
    let (arrived, read, dropped) = (sum(|m| m.arrived), sum(|m| m.read), sum(|m| m.dropped));
    println!(
        "{name:8} {nanos:6.1} ns/frame, so {:5.1} M frames/s on a core; sent at up to {:.2} M/s: \
         {arrived} arrived, {read} read, {dropped} dropped, {} unaccounted for",
        1e3 / nanos,
        rounds.iter().map(rate).fold(0.0, f64::max),
        arrived as i64 - (read + dropped) as i64,
    );
}

/// Of the rounds' times per frame.
fn median(rounds: &[Made]) -> f64 {
    let mut nanos: Vec<f64> = rounds.iter().map(Made::nanos_per_frame).collect();
    nanos.sort_by(f64::total_cmp);
    nanos[nanos.len() / 2]
}

/// Processor time of this thread so far.
fn cpu_nanos() -> u64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = statistics.split(' ').next().expect("a first field");
    nanos.parse().expect("a number")
}
