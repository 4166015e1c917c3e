//! Live capture, over a wire of its own: what is sent is counted, to the packet.
//!
//! Needs root and `ip`. Where they are missing each test says that it was not run, and the
//! test runner shows it (`.config/nextest.toml`).

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::loss::{Counters, Loss};
use noroshi_proto::time::IntervalLength;
use noroshi_sensor::capture::interface::Interface;
use noroshi_sensor::capture::{CaptureError, Progress};
use noroshi_sensor::config::size::ByteSize;
use noroshi_sensor::config::{self, KernelFilter, Method};
use noroshi_sensor::decode::Decoder;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::mask::{Mask, MaskKey};
use noroshi_sensor::sense::Sense;
use noroshi_sensor::summarise::{Cut, Memory, Settings, Summariser};
use noroshi_sensor::telescope::Telescope;

#[path = "live/wire.rs"]
mod wire;

#[path = "live/light.rs"]
mod light;

use self::wire::{Counted, FAR, NEAR};

/// In Ethernet, untagged.
const INSIDE_V4: &str = "0800 4500001c00074000 34110000 cb007107 c6120001 9c40003500080000";
const OUTSIDE_V4: &str = "0800 4500001c00074000 34110000 cb007107 c6121001 9c40003500080000";
const INSIDE_V6: &str = "86dd 600000000008113c 20010db8000000000000000000000007 \
                         20010db8000d00000000000000000001 9c40003500080000";
const OUTSIDE_V6: &str = "86dd 600000000008113c 20010db8000000000000000000000007 \
                          20010db8000e00000000000000000001 9c40003500080000";
/// An ICMP error to the telescope, which quotes what it never sent.
const QUOTING: &str = "0800 4500003800074000 34010000 cb007107 c6120002 0301000000000000 \
                       4500001c00074000 34110000 c6120002 c0000250 9c40003500080000";
const ARP: &str = "0806 0001080006040001 020000000002 cb007107 000000000000 c6120001";

/// None, one, and two, of which the kernel takes the outer off.
const TAGS: [&str; 3] = ["", "81002007", "88a82007 81002008"];

fn frame(tags: &str, rest: &str) -> Vec<u8> {
    let digits: String = ["020000000001 020000000002", tags, rest]
        .concat()
        .split_whitespace()
        .collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits"))
        .collect()
}

fn telescope() -> Telescope {
    let prefixes = ["198.18.0.0/20", "2001:db8:d::/48"];
    Telescope::new(&prefixes.map(|prefix| prefix.parse().expect("a prefix")))
}

fn settings(method: Method, kernel_filter: KernelFilter) -> config::Capture {
    config::Capture {
        interface: NEAR.into(),
        method,
        ring: ByteSize::mebibytes(16),
        snaplen: 256,
        kernel_filter,
    }
}

/// The wire, or the word that the test was not run.
fn wire() -> Option<()> {
    match wire::join() {
        Ok(()) => Some(()),
        Err(reason) => {
            not_run(&reason);
            None
        }
    }
}

/// Past the test harness, which keeps what successful tests print.
fn not_run(reason: &str) {
    writeln!(io::stderr(), "not run: {reason}").expect("standard error is open");
}

/// The far end, which sends what it is given.
struct Sender(pcap::Capture<pcap::Active>);

impl Sender {
    fn at(name: &str) -> Self {
        let capture = pcap::Capture::from_device(name).expect("a name");
        Self(capture.open().expect("the end of the wire opens"))
    }

    fn send(&mut self, frame: &[u8], times: usize) {
        for _ in 0..times {
            self.0.sendpacket(frame).expect("the wire takes it");
        }
    }
}

/// The sensor, from the interface to its counters.
struct Sensor {
    interface: Interface,
    sense: Sense,
}

impl Sensor {
    fn open(settings: &config::Capture) -> Self {
        Self::watching(settings, &telescope())
    }

    fn watching(settings: &config::Capture, telescope: &Telescope) -> Self {
        let interface = Interface::open(settings, telescope, Delivery::Direct).expect("it opens");
        let name = SensorId::new("live").expect("a name");
        let key = MaskKey::from_sensor_id(&name);
        let summariser = Summariser::new(
            Settings {
                sensor: name,
                epoch: Epoch(1),
                interval_length: IntervalLength::DEFAULT,
                cut: Cut::EveryInterval,
                memory: Memory::DEFAULT,
            },
            Mask::new(&key, telescope.clone()),
        );
        let decoder = Decoder::new(telescope.clone(), Delivery::Direct);
        Self {
            interface,
            sense: Sense::new(decoder, summariser),
        }
    }

    fn read(&mut self) -> Result<Progress, CaptureError> {
        self.sense.read(&mut self.interface)
    }

    /// Reads until the wire is silent, and counts what was lost.
    fn counters(&mut self) -> Counters {
        let until = now() + Duration::from_secs(60);
        let mut silent = 0;
        while silent < 2 {
            assert!(now() < until, "the wire does not fall silent");
            let progress = self.read().expect("it reads");
            silent += u32::from(progress == Progress::Idle);
            self.sense.take();
        }
        for (reason, count) in self.interface.losses().expect("it counts").iter() {
            self.sense.lose(reason, count);
        }
        self.sense.counters()
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test that waits for the kernel"
)]
fn now() -> Instant {
    Instant::now()
}

/// Sends a mixture, and answers how many frames of it were to the telescope, to elsewhere, and
/// no IP.
fn send_mixture(sender: &mut Sender) -> [u64; 3] {
    const ROUNDS: usize = 300;
    let inside = [INSIDE_V4, INSIDE_V6, QUOTING];
    let outside = [OUTSIDE_V4, OUTSIDE_V6];
    for _ in 0..ROUNDS {
        for tags in TAGS {
            for rest in inside.iter().chain(&outside).chain([&ARP]) {
                sender.send(&frame(tags, rest), 1);
            }
        }
    }
    [inside.len(), outside.len(), 1].map(|kinds| (kinds * ROUNDS * TAGS.len()) as u64)
}

#[test]
fn the_ring_counts_what_is_addressed_to_the_telescope_and_nothing_else() {
    let Some(()) = wire() else { return };
    let mut sensor = Sensor::open(&settings(Method::Ring, KernelFilter::On));
    let [inside, outside, not_ip] = send_mixture(&mut Sender::at(FAR));
    let counters = sensor.counters();
    assert_eq!(counters.packets, inside);
    assert_eq!(counters.frames, inside);
    assert_eq!(counters.losses.iter().next(), None);
    let received = inside + outside + not_ip;
    assert_eq!(wire::counted(NEAR), Ok(Counted { received, sent: 0 }));
}

#[test]
fn without_the_kernel_s_filter_every_frame_is_counted_by_either_method() {
    for method in [Method::Ring, Method::Pcap] {
        let Some(()) = wire() else { return };
        let mut sensor = Sensor::open(&settings(method, KernelFilter::Off));
        let [inside, outside, not_ip] = send_mixture(&mut Sender::at(FAR));
        let counters = sensor.counters();
        let received = inside + outside + not_ip;
        let losses: Vec<_> = counters.losses.iter().collect();
        assert_eq!(counters.packets, inside, "{method:?} {losses:?}");
        assert_eq!(counters.losses.of(Loss::OutsideTelescope), outside);
        assert_eq!(counters.losses.of(Loss::NotIp), not_ip, "{method:?}");
        assert_eq!(counters.frames, received, "{method:?}");
        assert_eq!(wire::counted(NEAR), Ok(Counted { received, sent: 0 }));
    }
}

/// A ring of 1 MiB has room for some 6,000 frames.
#[test]
fn what_the_ring_has_no_room_for_is_counted_and_then_it_goes_on() {
    const FLOOD: usize = 20_000;
    let Some(()) = wire() else { return };
    let mut sensor = Sensor::open(&config::Capture {
        ring: ByteSize::mebibytes(1),
        ..settings(Method::Ring, KernelFilter::On)
    });
    let mut sender = Sender::at(FAR);
    let mut sent = 0;
    let mut dropped_before = 0;
    for _ in 0..3 {
        sender.send(&frame("81002007", INSIDE_V4), FLOOD);
        sender.send(&frame("", OUTSIDE_V4), FLOOD);
        sent += FLOOD as u64;
        let counters = sensor.counters();
        let dropped = counters.losses.of(Loss::KernelDropped);
        assert!(dropped > dropped_before, "the ring was too large for this");
        assert_eq!(counters.packets + dropped, sent);
        assert_eq!(counters.losses.iter().count(), 1, "{:?}", counters.losses);
        dropped_before = dropped;
    }
    assert_eq!(wire::counted(NEAR).unwrap().sent, 0);
}

/// A block that is not full is handed over after a while, too: a stalled reader of a slow
/// wire runs out of blocks, not of bytes. However long the pauses are, the sum holds.
#[test]
fn what_a_stalled_reader_of_a_slow_wire_loses_is_counted() {
    const SENT: u64 = 16;
    for method in [Method::Ring, Method::Pcap] {
        let Some(()) = wire() else { return };
        let mut sensor = Sensor::open(&config::Capture {
            ring: ByteSize::mebibytes(1),
            ..settings(method, KernelFilter::Off)
        });
        let mut sender = Sender::at(FAR);
        for _ in 0..SENT {
            sender.send(&frame("", INSIDE_V4), 1);
            std::thread::sleep(Duration::from_millis(150));
        }
        let counters = sensor.counters();
        let dropped = counters.losses.of(Loss::KernelDropped);
        assert_eq!(counters.packets + dropped, SENT, "{method:?}");
        assert_eq!(wire::counted(NEAR).expect("it counts").received, SENT);
        println!("{method:?}: {} read, {dropped} dropped", counters.packets);
    }
}

#[test]
fn what_this_machine_sends_there_is_not_read() {
    let Some(()) = wire() else { return };
    let mut sensor = Sensor::open(&settings(Method::Ring, KernelFilter::Off));
    Sender::at(NEAR).send(&frame("", INSIDE_V4), 50);
    Sender::at(FAR).send(&frame("", INSIDE_V4), 7);
    assert_eq!(sensor.counters().frames, 7);
    assert_eq!(wire::counted(NEAR).unwrap().sent, 50, "they were sent");
}

/// Cut to what the filter returns, but as long on the wire as they were.
#[test]
fn no_more_of_a_frame_is_captured_than_was_asked_for() {
    use noroshi_sensor::capture::Capture;
    let Some(()) = wire() else { return };
    let mut long = frame("81002007", INSIDE_V4);
    long.resize(1_000, 0x55);
    for filter in [KernelFilter::On, KernelFilter::Off] {
        let mut sensor = Sensor::open(&settings(Method::Ring, filter));
        Sender::at(FAR).send(&long, 1);
        let mut seen = Vec::new();
        let until = now() + Duration::from_secs(60);
        while seen.is_empty() && now() < until {
            let take = |frame: noroshi_sensor::packet::Frame<'_>| {
                seen.push((frame.bytes.len(), frame.wire_bytes));
            };
            sensor.interface.read(take).expect("it reads");
        }
        assert_eq!(seen, [(256, 1_000)]);
    }
}

/// Where log lines of this thread go.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let lines = self.0.lock().expect("nobody panicked");
        String::from_utf8_lossy(&lines).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_interface_that_goes_down_is_waited_for_and_one_that_is_gone_ends_it() {
    let Some(()) = wire() else { return };
    let log = Log::default();
    let to_log = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || to_log.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let mut sensor = Sensor::open(&settings(Method::Ring, KernelFilter::On));
    let mut sender = Sender::at(FAR);
    sender.send(&frame("", INSIDE_V4), 10);
    wire::ip(&["link", "set", NEAR, "down"]).unwrap();
    assert_eq!(sensor.counters().packets, 10, "what came before is read");
    assert!(
        log.text().contains("the interface is down"),
        "{}",
        log.text()
    );
    assert!(!log.text().contains("interface is up"), "{}", log.text());

    wire::ip(&["link", "set", NEAR, "up"]).unwrap();
    wire::until_it_carries().unwrap();
    sender.send(&frame("", INSIDE_V4), 5);
    assert_eq!(sensor.counters().packets, 15, "and what comes after");
    assert!(
        log.text().contains("the interface is up again"),
        "{}",
        log.text()
    );

    wire::ip(&["link", "delete", FAR]).unwrap();
    let until = now() + Duration::from_secs(60);
    let gone = loop {
        assert!(now() < until, "nobody notices");
        if let Err(error) = sensor.read() {
            break error.to_string();
        }
    };
    assert_eq!(
        gone,
        format!(
            "{NEAR}: after 15 frames: the interface is gone: bring it back and start the sensor"
        )
    );
}

#[test]
fn an_interface_that_is_down_at_first_is_waited_for() {
    let Some(()) = wire() else { return };
    wire::ip(&["link", "set", NEAR, "down"]).unwrap();
    let mut sensor = Sensor::open(&settings(Method::Ring, KernelFilter::On));
    assert_eq!(sensor.counters().frames, 0);
    wire::ip(&["link", "set", NEAR, "up"]).unwrap();
    wire::until_it_carries().unwrap();
    Sender::at(FAR).send(&frame("", INSIDE_V4), 3);
    assert_eq!(sensor.counters().packets, 3);
}

#[test]
fn what_cannot_be_captured_from_is_refused_with_a_remedy() {
    let Some(()) = wire() else { return };
    let refused = |interface: &str| {
        let settings = config::Capture {
            interface: interface.into(),
            ..settings(Method::Ring, KernelFilter::On)
        };
        let opened = Interface::open(&settings, &telescope(), Delivery::Direct);
        opened.err().expect("it does not open").to_string()
    };
    assert_eq!(
        refused("absent"),
        "absent: No such device (os error 19): `ip link` lists interfaces"
    );
    if let Err(reason) = wire::ip(&["tuntap", "add", "noroshi-tun", "mode", "tun"]) {
        return not_run(&format!("with an interface that is no Ethernet: {reason}"));
    }
    assert_eq!(
        refused("noroshi-tun"),
        "noroshi-tun: its frames are no Ethernet (ARPHRD 65534): write capture.method = \"pcap\""
    );
}
