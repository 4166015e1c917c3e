//! Every capture of the corpus, also the hostile ones: never a panic, every frame counted,
//! and what the index knows about a capture is what decoding finds.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use noroshi_proto::loss::{Loss, Losses};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_sensor::capture::file::CaptureFile;
use noroshi_sensor::capture::{Capture, Progress};
use noroshi_sensor::decode::Decoder;
use noroshi_sensor::decode::tunnel::Delivery;
use noroshi_sensor::packet::{MarkBits, Packet};
use noroshi_sensor::telescope::Telescope;
use serde_json::Value;

/// What decoding one capture came to.
#[derive(Default)]
struct Seen {
    frames: u64,
    packets: Vec<Packet>,
    losses: Losses,
    error: Option<String>,
}

fn see(path: &Path, telescope: &[&str], delivery: Delivery) -> Seen {
    let prefixes: Vec<_> = telescope
        .iter()
        .map(|prefix| prefix.parse().expect("a prefix"))
        .collect();
    let decoder = Decoder::new(Telescope::new(&prefixes), delivery);
    let mut seen = Seen::default();
    let mut file = match CaptureFile::open(path) {
        Ok(file) => file,
        Err(error) => {
            return Seen {
                error: Some(error.to_string()),
                ..seen
            };
        }
    };
    loop {
        let progress = file.read(|frame| {
            seen.frames += 1;
            match decoder.decode(&frame) {
                Ok(packet) => seen.packets.push(packet),
                Err(reason) => seen.losses.count(reason),
            }
        });
        match progress {
            Ok(Progress::End) => return seen,
            Ok(_) => {}
            Err(error) => {
                return Seen {
                    error: Some(error.to_string()),
                    ..seen
                };
            }
        }
    }
}

const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

#[test]
fn every_frame_of_every_capture_is_counted() {
    let Some(corpus) = corpus() else { return };
    let deliveries = [
        Delivery::Direct,
        Delivery::Gre,
        Delivery::Ipip,
        Delivery::Vxlan,
        Delivery::Geneve,
    ];
    for entry in index(&corpus) {
        let frames = deliveries.map(|delivery| {
            let seen = see(&corpus.join(&entry.file), &EVERYWHERE, delivery);
            assert_eq!(
                seen.frames,
                seen.packets.len() as u64 + seen.losses.total(),
                "{} by {delivery:?}",
                entry.file
            );
            assert_eq!(seen.losses.of(Loss::OutsideTelescope), 0, "{}", entry.file);
            seen.frames
        });
        assert!(
            frames.iter().all(|count| *count == frames[0]),
            "{}",
            entry.file
        );
    }
}

/// tshark reads as many, but for a few files: those it could not read, a compressed one, and
/// pcapng files whose custom blocks it shows as packets.
#[test]
fn as_many_frames_are_read_as_other_parsers_read() {
    let Some(corpus) = corpus() else { return };
    for entry in index(&corpus) {
        let seen = see(&corpus.join(&entry.file), &EVERYWHERE, Delivery::Direct);
        let error = seen.error.unwrap_or_default();
        if error.contains("decompress it first") {
            assert!(entry.file.ends_with(".gz"), "{error}");
            continue;
        }
        let custom = custom_blocks(&corpus.join(&entry.file));
        if let Some(known) = entry.packets.filter(|packets| *packets > 0) {
            assert_eq!(seen.frames + custom, known, "{}: {error}", entry.file);
        }
        let names_the_defect = error.is_empty() || error.contains(": at byte ");
        assert!(names_the_defect, "{error}");
    }
}

#[test]
fn what_is_known_about_captures_is_what_decoding_finds() {
    let Some(corpus) = corpus() else { return };
    let mut checked = 0;
    for entry in index(&corpus) {
        let name = entry.file.trim_start_matches("captures/");
        let is_judged = ["scan_", "real_", "day_"]
            .iter()
            .any(|kind| name.starts_with(kind));
        if !is_judged || name.contains("_gre") {
            continue;
        }
        let seen = see(&corpus.join(&entry.file), &EVERYWHERE, Delivery::Direct);
        assert_eq!(
            Some(seen.packets.len() as u64),
            entry.packets,
            "{name}: {:?}",
            seen.losses
        );
        assert_eq!(seen.error, None);
        check_facts(name, &seen.packets, &entry.facts);
        checked += 1;
    }
    assert!(checked >= 40, "only {checked} captures were judged");
}

#[test]
fn a_telescope_behind_a_tunnel_is_unwrapped_only_when_configured() {
    let Some(corpus) = corpus() else { return };
    let path = corpus.join("captures/scan_var_derived_gre.pcap");
    let wrapped = see(&path, &["198.18.0.0/20"], Delivery::Direct);
    assert_eq!(wrapped.losses.of(Loss::OutsideTelescope), 300);
    let unwrapped = see(&path, &["198.18.0.0/20"], Delivery::Gre);
    assert_eq!(unwrapped.packets.len(), 300);
    assert_eq!(
        count(&unwrapped.packets, |packet| has(packet, MarkBits::ZMAP)),
        300
    );
    let targets: HashSet<IpAddr> = unwrapped
        .packets
        .iter()
        .map(|packet| packet.target)
        .collect();
    assert_eq!(targets.len(), 300);
}

/// What the wrapped packets of the decoding captures are, once unwrapped.
#[test]
fn tunnels_of_other_makers_are_unwrapped() {
    let Some(corpus) = corpus() else { return };
    let cases = [
        ("zeek_tunnels_4in4", Delivery::Ipip, "udp/13000", 1),
        ("zeek_tunnels_6in4", Delivery::Ipip, "udp/13000", 1),
        ("zeek_tunnels_6in6in6", Delivery::Ipip, "ip/41", 1), // one layer, not two
        ("zeek_tunnels_ping6-in-ipv4", Delivery::Ipip, "icmp6/128", 5),
        ("zeek_tunnels_gre-sample", Delivery::Gre, "udp/123", 6),
        ("zeek_tunnels_geneve", Delivery::Geneve, "icmp/8", 3),
        ("zeek_erspanII", Delivery::Gre, "icmp/8", 2),
        (
            "sv_decode-erspan-typeI-02_input",
            Delivery::Gre,
            "icmp/8",
            21,
        ),
        ("sv_vxlan-decoder-02_vxlan", Delivery::Vxlan, "icmp/8", 4),
        ("sv_geneve-decoder_input", Delivery::Geneve, "icmp/8", 4),
    ];
    for (name, delivery, service, packets) in cases {
        let path = corpus.join(format!("captures/decode_{name}.pcap"));
        let seen = see(&path, &EVERYWHERE, delivery);
        let services = tally(&seen.packets, |packet| {
            packet.tuple.transport.service().to_string()
        });
        assert_eq!(
            services.get(service),
            Some(&packets),
            "{name}: {services:?} {:?}",
            seen.losses
        );
    }
}

fn check_facts(name: &str, packets: &[Packet], facts: &Value) {
    let is_error = |packet: &Packet| packet.tuple.traffic == Traffic::BackscatterIcmpError;
    let errors = count(packets, is_error);
    let same = |what: &str, found: u64, key: &str| {
        if let Some(expected) = facts.get(key).and_then(Value::as_u64) {
            assert_eq!(found, expected, "{name}: {what}");
        }
    };
    let targets: HashSet<IpAddr> = packets.iter().map(|packet| packet.target).collect();
    same("targets", targets.len() as u64, "dests");
    same(
        "Mirai",
        count(packets, |packet| has(packet, MarkBits::MIRAI)),
        "seq_eq_dst",
    );
    same(
        "masscan",
        count(packets, |packet| has(packet, MarkBits::MASSCAN)),
        "masscan_rel",
    );
    if errors == 0 {
        let sources: HashSet<IpAddr> = packets.iter().map(|packet| packet.tuple.source).collect();
        same("sources", sources.len() as u64, "sources");
        check_tally(name, facts, "top_dports", &tally(packets, target_service));
    }
    // Of what is not a scan ZMap is not told.
    let zmap = count(packets, |packet| has(packet, MarkBits::ZMAP));
    let known = facts["ipid_54321"].as_u64().unwrap_or_default();
    assert!(
        zmap <= known && (zmap == known || name.starts_with("real_")),
        "{name}: {zmap} ZMap"
    );
    // The facts count the protocol that an ICMP error quotes, and so do our tuples.
    // They also look into tunnels that nobody configured.
    let protocols = tally(packets, |packet| protocol(packet.tuple.transport));
    if !protocols.contains_key("ipproto47") {
        check_tally(name, facts, "proto", &protocols);
    }
    check_classes(name, packets, facts);
}

fn check_classes(name: &str, packets: &[Packet], facts: &Value) {
    let mut expected: BTreeMap<Traffic, u64> = BTreeMap::new();
    let listed = |key: &str| facts[key].as_object().cloned().unwrap_or_default();
    for (flags, packets) in listed("tcp_flags") {
        let class = match flags.as_str() {
            "S" => Traffic::ScanSyn,
            "SA" | "R" | "RA" => Traffic::BackscatterTcp,
            "A" => Traffic::TcpAck,
            "FPU" => Traffic::ScanStealth,
            _ => Traffic::TcpOther,
        };
        *expected.entry(class).or_default() += packets.as_u64().expect("a count");
    }
    for (kind, packets) in listed("icmp") {
        let class = match kind.split('/').next().expect("a type") {
            "8" => Traffic::ScanEcho,
            "0" => Traffic::BackscatterIcmp,
            "13" => Traffic::ScanIcmp,
            _ => Traffic::BackscatterIcmpError,
        };
        *expected.entry(class).or_default() += packets.as_u64().expect("a count");
    }
    let found = tally(packets, |packet| packet.tuple.traffic);
    // The facts about flags and ICMP types say nothing of these.
    let others = [
        Traffic::OtherProtocol,
        Traffic::ScanUdp,
        Traffic::ScanAmp,
        Traffic::BackscatterUdp,
        Traffic::Fragment,
    ];
    for (class, packets) in found
        .into_iter()
        .filter(|(class, _)| !others.contains(class))
    {
        assert_eq!(expected.remove(&class), Some(packets), "{name}: {class:?}");
    }
    assert!(expected.is_empty(), "{name}: {expected:?} not found");
}

/// Every key the facts have must have been counted as often.
fn check_tally(name: &str, facts: &Value, key: &str, found: &BTreeMap<String, u64>) {
    for (what, expected) in facts[key].as_object().into_iter().flatten() {
        assert_eq!(
            found.get(what).copied(),
            expected.as_u64(),
            "{name}: {what}"
        );
    }
}

fn has(packet: &Packet, mark: u8) -> bool {
    packet.marks.0 & mark != 0
}

fn count(packets: &[Packet], is: impl Fn(&Packet) -> bool) -> u64 {
    packets.iter().filter(|packet| is(packet)).count() as u64
}

fn tally<K: Ord>(packets: &[Packet], key: impl Fn(&Packet) -> K) -> BTreeMap<K, u64> {
    let mut tally = BTreeMap::new();
    for packet in packets {
        *tally.entry(key(packet)).or_default() += 1;
    }
    tally
}

/// The port it was sent to, as the facts write it.
fn target_service(packet: &Packet) -> String {
    let backscatter = packet.tuple.traffic.is_backscatter();
    match packet.tuple.transport {
        Transport::Tcp { .. } if backscatter => format!("tcp/{}", packet.source_port),
        Transport::Udp { .. } if backscatter => format!("udp/{}", packet.source_port),
        transport => transport.service().to_string(),
    }
}

fn protocol(transport: Transport) -> String {
    match transport {
        Transport::Tcp { .. } => "tcp".into(),
        Transport::Udp { .. } => "udp".into(),
        Transport::Icmp { .. } => "icmp".into(),
        Transport::Icmp6 { .. } => "ipproto58".into(),
        Transport::Other { protocol } => format!("ipproto{protocol}"),
    }
}

/// Custom blocks of a pcapng file, which tshark shows as packets.
fn custom_blocks(path: &Path) -> u64 {
    let bytes = std::fs::read(path).expect("the corpus is readable");
    if !bytes.starts_with(SECTION) {
        return 0;
    }
    let (mut at, mut count, mut is_little) = (0, 0, true);
    while let Some(header) = bytes.get(at..at + 12) {
        if header.starts_with(SECTION) {
            is_little = header[8] == 0x4d;
        }
        let number = |at: usize| {
            let four = header[at..at + 4].try_into().expect("four bytes");
            if is_little {
                u32::from_le_bytes(four)
            } else {
                u32::from_be_bytes(four)
            }
        };
        count += u64::from(matches!(number(0), 0xbad | 0x4000_0bad));
        at += (number(4) as usize).max(12);
    }
    count
}

const SECTION: &[u8] = &[0x0a, 0x0d, 0x0d, 0x0a];

struct Entry {
    file: String,
    /// As counted by other parsers, where they could read it.
    packets: Option<u64>,
    facts: Value,
}

fn index(corpus: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(corpus.join("INDEX.tsv")).expect("INDEX.tsv is readable");
    let rows = text
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0].starts_with("captures/") || row[0].starts_with("malformed/"))
        .map(|row| Entry {
            file: row[0].into(),
            packets: row[6].parse().ok(),
            facts: row[8]
                .find("{\"")
                .map(|at| serde_json::from_str(&row[8][at..]).expect("facts are JSON"))
                .unwrap_or_default(),
        })
        .collect()
}

/// Where the captures are; `None`, and said so, where there are none.
fn corpus() -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "a test's shell")]
    let named = std::env::var("NOROSHI_CORPUS").ok();
    let path = named.clone().map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    if path.join("INDEX.tsv").is_file() {
        return Some(path);
    }
    assert!(
        named.is_none(),
        "NOROSHI_CORPUS={} holds no INDEX.tsv",
        path.display()
    );
    eprintln!(
        "skipped: no captures at {}; set NOROSHI_CORPUS",
        path.display()
    );
    None
}
