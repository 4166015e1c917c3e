//! What each stage of the sensor costs, against libpcap reading the same file and doing
//! nothing: CPU time of one thread, stages in turn, the best of several rounds. Then the
//! whole program, against tcpdump and nfpcapd where they are installed.
//!
//! ```text
//! cargo bench -p noroshi-sensor --bench pipeline
//! NOROSHI_REFERENCE_CAPTURE=large.pcap cargo bench -p noroshi-sensor --bench pipeline
//! ```
//! Without a reference capture, one of a million packets is made first. Its telescope is
//! 44.1.0.0/16. Only the ratios mean anything on a shared machine.

#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads its environment and measures time"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};

use noroshi_proto::batch::Batch;
use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::time::IntervalLength;
use noroshi_proto::v1;
use noroshi_sensor::capture::file::CaptureFile;
use noroshi_sensor::capture::{Capture, Progress};
use noroshi_sensor::decode::Decoder;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::mask::{Mask, MaskKey};
use noroshi_sensor::packet::{Frame, Packet};
use noroshi_sensor::sense::Sense;
use noroshi_sensor::summarise::{Cut, Memory, Settings, Summariser};
use noroshi_sensor::telescope::Telescope;

#[path = "pipeline/made.rs"]
mod made;
#[path = "pipeline/peers.rs"]
mod peers;

const ROUNDS: usize = 7;
/// Of whole programs, some of which take a minute.
const ROUNDS_OF_PEERS: usize = 2;
const PACKETS: usize = 1_000_000;
/// To show that it runs.
const PACKETS_OF_SMOKE: usize = 20_000;

fn main() {
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, packets) = match is_smoke {
        true => (1, PACKETS_OF_SMOKE),
        false => (ROUNDS, PACKETS),
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = match std::env::var_os("NOROSHI_REFERENCE_CAPTURE") {
        Some(path) => PathBuf::from(path),
        None => made::capture(directory.path(), packets).expect("a capture is made"),
    };
    let (packets, _) = null_loop(&path); // the file is in memory from now on
    let stages: [(&str, Stage); 4] = [
        ("libpcap, doing nothing", |path| null_loop(path).1),
        ("read", read),
        ("read, decode", decode),
        ("read, decode, summarise, encode, zstd", |path| {
            summarise(path).1
        }),
    ];
    let mut best = stages.map(|_| u64::MAX);
    for _ in 0..rounds {
        for (best, (_, stage)) in best.iter_mut().zip(&stages) {
            *best = stage(&path).min(*best);
        }
    }
    println!("{packets} packets, best of {rounds} rounds");
    for ((name, _), nanos) in stages.iter().zip(best) {
        let each = nanos as f64 / packets as f64;
        let ratio = nanos as f64 / best[0] as f64;
        println!("{name:40} {each:7.1} ns/packet  {ratio:5.2} x libpcap");
    }
    report_wire(&path);
    peers::report(&path, rounds.min(ROUNDS_OF_PEERS));
}

type Stage = fn(&Path) -> u64;

fn report_wire(path: &Path) {
    let (batches, _) = summarise(path);
    let sent: usize = batches.iter().map(prost::Message::encoded_len).sum();
    let before = cpu_nanos();
    let decoded: Vec<Batch> = batches
        .iter()
        .map(|batch| Batch::try_from(batch).expect("the sensor keeps the rules"))
        .collect();
    let nanos = cpu_nanos() - before;
    let packets: u64 = decoded.iter().map(Batch::packets).sum();
    let flows: usize = decoded.iter().map(|batch| batch.flows().count()).sum();
    println!(
        "{flows} flows ({:.2} packets each) in {} batches: {:.3} bytes per packet, {:.2} per flow",
        packets as f64 / flows as f64,
        batches.len(),
        sent as f64 / packets as f64,
        sent as f64 / flows as f64,
    );
    println!(
        "decoding at the centre: {:.0} ns per flow",
        nanos as f64 / flows as f64
    );
}

fn null_loop(path: &Path) -> (u64, u64) {
    let before = cpu_nanos();
    let mut capture = pcap::Capture::from_file(path).expect("the capture opens");
    let mut packets = 0;
    while let Ok(packet) = capture.next_packet() {
        packets += u64::from(black_box(packet.header.caplen) > 0);
    }
    (packets, cpu_nanos() - before)
}

fn read(path: &Path) -> u64 {
    let before = cpu_nanos();
    let mut capture = CaptureFile::open(path).expect("the capture opens");
    while capture
        .read(|frame| {
            black_box(frame);
        })
        .expect("the capture is whole")
        != Progress::End
    {}
    cpu_nanos() - before
}

fn decode(path: &Path) -> u64 {
    let before = cpu_nanos();
    each_packet(path, |packet| {
        black_box(packet);
    });
    cpu_nanos() - before
}

fn summarise(path: &Path) -> (Vec<v1::Batch>, u64) {
    let settings = Settings {
        sensor: SensorId::new("bench").expect("a name"),
        epoch: Epoch(1),
        interval_length: IntervalLength::DEFAULT,
        cut: Cut::WhenFull,
        memory: Memory::DEFAULT,
    };
    let key = MaskKey::from_sensor_id(&settings.sensor);
    let before = cpu_nanos();
    let summariser = Summariser::new(settings, Mask::new(&key, telescope()));
    let mut sense = Sense::new(Decoder::new(telescope(), Delivery::Direct), summariser);
    let mut capture = CaptureFile::open(path).expect("the capture opens");
    let mut batches = Vec::new();
    while sense.read(&mut capture).expect("the capture is whole") != Progress::End {
        batches.extend(sense.take());
    }
    batches.extend(sense.finish());
    (batches, cpu_nanos() - before)
}

fn each_packet(path: &Path, mut each: impl FnMut(&Packet)) {
    let decoder = Decoder::new(telescope(), Delivery::Direct);
    let mut capture = CaptureFile::open(path).expect("the capture opens");
    let mut take = |frame: Frame<'_>| {
        if let Ok(packet) = &decoder.decode(&frame) {
            each(packet);
        }
    };
    while capture.read(&mut take).expect("the capture is whole") != Progress::End {}
}

fn telescope() -> Telescope {
    Telescope::new(&["44.1.0.0/16".parse().expect("a prefix")])
}

/// CPU time of this thread so far.
fn cpu_nanos() -> u64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = statistics.split(' ').next().expect("a first field");
    nanos.parse().expect("a number")
}
