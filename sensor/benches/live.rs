//! Live capture on a wire whose sender sends as fast as he can: what each reader takes of one core,
//! and what it loses. Readers in turn, in one run: a null reader on our ring and one on libpcap, which
//! count frames and do nothing; the sensor's own thread from ring to compressed batches; tcpdump and
//! nfpcapd where they are installed.
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

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

#[path = "live/peer.rs"]
mod peer;
#[path = "live/reader.rs"]
mod reader;
#[path = "live/sender.rs"]
mod sender;
#[path = "../tests/live/wire.rs"]
mod wire;

use self::peer::Peer;
use self::reader::Reader;
use self::sender::Traffic;
use self::wire::NEAR;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
/// To show that it runs.
const ROUND_OF_SMOKE: Duration = Duration::from_millis(200);

/// What a reader made of one round.
#[derive(Clone, Copy)]
struct Made {
    arrived: u64,
    /// `None` where it does not say.
    read: Option<u64>,
    dropped: u64,
    cpu_nanos: u64,
    elapsed: Duration,
}

impl Made {
    /// Of what arrived: a peer that says nothing is believed to have read it all.
    fn nanos_per_frame(&self) -> f64 {
        self.cpu_nanos as f64 / self.read.unwrap_or(self.arrived) as f64
    }
}

/// Whoever reads.
#[derive(Clone, Copy)]
enum Contender {
    /// A thread of this program.
    Ours(Reader),
    /// A program.
    Peer(Peer),
}

const CONTENDERS: [(&str, Contender); 5] = [
    ("null reader, ring", Contender::Ours(Reader::Ring)),
    ("null reader, libpcap", Contender::Ours(Reader::Libpcap)),
    ("the sensor", Contender::Ours(Reader::Sensor)),
    ("tcpdump -w /dev/null", Contender::Peer(Peer::Tcpdump)),
    ("nfpcapd", Contender::Peer(Peer::Nfpcapd)),
];

fn main() {
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, length) = match is_smoke {
        true => (1, ROUND_OF_SMOKE),
        false => (ROUNDS, ROUND),
    };
    if let Err(reason) = wire::join().and_then(|()| sender::address()) {
        println!("not run: {reason}");
        return;
    }
    for traffic in [Traffic::Fragments, Traffic::Forged] {
        println!(
            "{traffic}: {rounds} rounds of {} ms in turn",
            length.as_millis()
        );
        let mut made = CONTENDERS.map(|_| Vec::new());
        for _ in 0..rounds {
            for (made, (_, contender)) in made.iter_mut().zip(CONTENDERS) {
                made.extend(round(contender, traffic, length));
            }
        }
        let null = median(&made[0]);
        for ((name, _), rounds) in CONTENDERS.iter().zip(&made) {
            report(name, rounds, null);
        }
    }
}

/// `None` where the contender is not installed.
fn round(contender: Contender, traffic: Traffic, length: Duration) -> Option<Made> {
    match contender {
        Contender::Ours(reader) => Some(ours(reader, traffic, length)),
        Contender::Peer(peer) => theirs(peer, traffic, length),
    }
}

fn ours(reader: Reader, traffic: Traffic, length: Duration) -> Made {
    let mut interface = reader.open();
    let before = arrived();
    let ended = AtomicBool::new(false);
    let (read, cpu_nanos, elapsed) = thread::scope(|scope| {
        let reading = scope.spawn(|| {
            stay_on(1);
            let before = cpu_nanos();
            (reader.read(&mut interface, &ended), cpu_nanos() - before)
        });
        let sending = scope.spawn(|| {
            stay_on(0);
            sender::send(traffic, length)
        });
        let elapsed = sending.join().expect("the sender ends");
        ended.store(true, Ordering::Release);
        let (read, nanos) = reading.join().expect("the reader ends");
        (read, nanos, elapsed)
    });
    Made {
        arrived: arrived() - before,
        read: Some(read),
        dropped: reader::dropped(&mut interface),
        cpu_nanos,
        elapsed,
    }
}

fn theirs(peer: Peer, traffic: Traffic, length: Duration) -> Option<Made> {
    let running = peer.start()?;
    let before = arrived();
    let sending = thread::scope(|scope| {
        let sending = scope.spawn(|| {
            stay_on(0);
            sender::send(traffic, length)
        });
        sending.join().expect("the sender ends")
    });
    let ended = running.end();
    Some(Made {
        arrived: arrived() - before,
        read: ended.read,
        dropped: ended.dropped,
        cpu_nanos: ended.cpu_nanos,
        elapsed: sending,
    })
}

fn arrived() -> u64 {
    wire::counted(NEAR).expect("it counts").received
}

/// Sender and reader on different processors, where there are two.
fn stay_on(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor).expect("a small number");
    if let Err(error) = sched_setaffinity(Pid::from_raw(0), &set) {
        println!("not on processor {processor}: {error}");
    }
}

fn report(name: &str, rounds: &[Made], null: f64) {
    if rounds.is_empty() {
        println!("  {name:21} is not installed: not compared");
        return;
    }
    let rate = |made: &Made| made.arrived as f64 / made.elapsed.as_secs_f64() / 1e6;
    let nanos = median(rounds);
    let sum = |of: fn(&Made) -> u64| rounds.iter().map(of).sum::<u64>();
    let (arrived, dropped) = (sum(|m| m.arrived), sum(|m| m.dropped));
    let read: Option<u64> = rounds.iter().map(|made| made.read).sum();
    let read = read.map_or("it does not say how many it read".to_owned(), |read| {
        let unaccounted = arrived as i64 - (read + dropped) as i64;
        format!("{read} read, {unaccounted} unaccounted for")
    });
    println!(
        "  {name:21} {nanos:7.1} ns/frame, {:5.2} x the null reader; sent at {:.2} M/s: \
         {arrived} arrived, {dropped} dropped, {read}",
        nanos / null,
        rounds.iter().map(rate).fold(0.0, f64::max),
    );
}

/// Of the rounds' times per frame.
fn median(rounds: &[Made]) -> f64 {
    let mut nanos: Vec<f64> = rounds.iter().map(Made::nanos_per_frame).collect();
    nanos.sort_by(f64::total_cmp);
    nanos.get(nanos.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Processor time of this thread so far.
fn cpu_nanos() -> u64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = statistics.split(' ').next().expect("a first field");
    nanos.parse().expect("a number")
}
