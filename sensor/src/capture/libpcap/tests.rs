use std::net::UdpSocket;
use std::time::{Duration, Instant};

use noroshi_proto::traffic::Transport;

use super::*;
use crate::config::size::ByteSize;
use crate::decode::Decoder;

fn telescope(prefixes: &[&str]) -> Telescope {
    let prefixes: Vec<_> = prefixes
        .iter()
        .map(|prefix| prefix.parse().unwrap())
        .collect();
    Telescope::new(&prefixes)
}

fn loopback() -> config::Capture {
    config::Capture {
        interface: "lo".into(),
        method: config::Method::Pcap,
        ring: ByteSize::mebibytes(1),
        snaplen: 128,
        kernel_filter: KernelFilter::On,
    }
}

#[test]
fn the_kernel_filter_compiles_for_every_size_of_telescope() {
    let dead = pcap::Capture::dead(Linktype(1)).expect("a handle to compile with");
    let many: Vec<_> = (0..=255).map(|n| format!("10.{n}.2.0/24")).collect();
    for count in [1, 2, FILTERED_PREFIXES_MAX, 256] {
        let prefixes: Vec<_> = many[..count].iter().map(String::as_str).collect();
        let program = filter(&telescope(&prefixes), Linktype(1));
        assert!(dead.compile(&program, true).is_ok(), "{program}");
    }
    let both = filter(&telescope(&["198.18.0.0/20", "2001:db8::/32"]), Linktype(1));
    assert!(dead.compile(&both, true).is_ok(), "{both}");
}

/// Frames that the filter lets through must be those that decode to packets.
#[test]
fn the_kernel_filter_agrees_with_decoding_about_tags() {
    let dead = pcap::Capture::dead(Linktype(1)).expect("a handle to compile with");
    let telescope = telescope(&["198.18.0.0/20"]);
    let program = dead
        .compile(&filter(&telescope, Linktype(1)), true)
        .expect("it compiles");
    let decoder = Decoder::new(telescope, Delivery::Direct);
    for target in [[198, 18, 0, 1], [198, 18, 16, 1]] {
        for tags in [
            &[][..],
            &[0x81, 0, 0, 1],
            &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2],
        ] {
            let bytes = crate::decode::tests::echo_request(target, tags);
            let frame = Frame {
                seen_at: Millis(0),
                link: LinkType(1),
                bytes: &bytes,
                wire_bytes: bytes.len() as u32,
            };
            let is_packet = decoder.decode(&frame).is_ok();
            assert!(
                !is_packet || program.filter(&bytes),
                "{target:?} {tags:02x?}"
            );
            assert!(is_packet == (target[2] == 0), "{target:?} {tags:02x?}");
            assert!(program.filter(&bytes) || tags.is_empty(), "tags pass");
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test that waits for the kernel"
)]
fn now() -> Instant {
    Instant::now()
}

/// Needs the right to capture; where it is missing that is said.
#[test]
fn loopback_is_captured_and_its_silence_reported() {
    let watched = telescope(&["127.0.0.2/32"]);
    let mut interface = match Libpcap::open(&loopback(), &watched, Delivery::Direct) {
        Ok(interface) => interface,
        Err(error) => return eprintln!("skipped: no right to capture here: {error}"),
    };
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a loopback socket");
    for _ in 0..20 {
        sender
            .send_to(b"", "127.0.0.2:9")
            .expect("loopback takes it");
    }
    let decoder = Decoder::new(watched, Delivery::Direct);
    let (mut packets, mut idle) = (0, 0);
    let until = now() + Duration::from_secs(10);
    while (packets < 20 || idle < 2) && now() < until {
        let progress = interface.read(|frame| {
            // Loopback shows each frame as it leaves and as it arrives, Linux only the latter;
            // the answers go to the sender.
            if let Ok(packet) = decoder.decode(&frame) {
                let Transport::Udp { service_port: 9 } = packet.tuple.transport else {
                    panic!("not ours: {packet:?}");
                };
                packets += 1;
            }
        });
        idle += u32::from(progress.expect("it reads") == Progress::Idle);
    }
    assert!(
        packets >= 20 && idle >= 2,
        "{packets} packets, {idle} times idle"
    );
    assert_eq!(interface.losses().expect("it counts").iter().count(), 0);
}
