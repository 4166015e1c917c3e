//! The recorded day again, in the background radiation that a telescope really hears: the same
//! cases, and of the background only what its sources did.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use ipnet::Ipv4Net;
use noroshi_analyzer::generate::background::{Background, Population};
use noroshi_analyzer::generate::packet::{Content, Sent, Tool};
use noroshi_analyzer::generate::pcap::datagram;
use noroshi_proto::time::Millis;
use serde_json::Value;

use crate::centre::Centre;
use crate::corpus::json_lines;
use crate::truth::{REGISTRY, day, table};

#[path = "../../collector/src/enrich/mmdb.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "written for the collector's tests, which need more of it"
)]
mod mmdb;

/// A partner that is known by its country alone.
const BY_COUNTRY: &str = r#"
[[partner]]
id = "sg-cert"
name = "Test CERT of Singapore"
country = "SG"
tlp = "AMBER"
programmes = ["practice", "daedalus"]
contacts = ["soc@sg.example"]
country_consent = { by = "registry test", on = 2026-01-01 }
"#;
/// Sources in that country.
const OF_COUNTRY: &str = "45.12.0.0/17";
/// Research scanners in that country, on a list.
const LISTED: &str = "45.12.200.0/24";
/// Sources in a country nobody registered.
const UNREGISTERED: &str = "62.10.0.0/16";
/// Sources no database knows.
const UNKNOWN: &str = "91.0.0.0/16";
/// Midnight before the day, in seconds.
const MIDNIGHT: u64 = 1_793_577_600;
/// Packets per second and address at the /20.
const RATE: f64 = 0.004;
/// The /8 would hear 67,000 a second: it gets a sixteenth of what the /20 does.
const RATE_OF_WIDE: f64 = RATE / 65_536.0;

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn background_radiation_changes_no_case_and_adds_only_its_own() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let narrow = background("198.18.0.0/20", RATE);
    let wide = background("10.0.0.0/8", RATE_OF_WIDE);
    let mixed: Vec<(&str, PathBuf)> = day()
        .into_iter()
        .zip([&narrow, &wide])
        .map(|((sensor, capture), background)| {
            let path = directory.path().join(format!("{sensor}.pcap"));
            mix(&capture, background, &path);
            (sensor, path)
        })
        .collect();
    let output = centre(directory.path()).replay(&mixed);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let mut alerts = json_lines(&output);
    let summary = alerts.pop().expect("a summary")["summary"].take();
    let frames = 62_504 + 17_218 + narrow.len() + wide.len();
    assert_eq!(summary["frames"], frames, "{summary}");
    assert_eq!(summary["packets"], frames, "{summary}");

    let of_background = |alert: &Value| {
        source(alert)
            .is_some_and(|source| any(&[OF_COUNTRY, LISTED, UNREGISTERED, UNKNOWN], source))
    };
    let (added, expected): (Vec<Value>, Vec<Value>) = alerts.into_iter().partition(of_background);
    expect_file!["../data/day-expected.tsv"].assert_eq(&table(&expected));
    let sent: Vec<Sent> = narrow.into_iter().chain(wide).collect();
    judge(&added, &Sources::of(&sent));
}

/// Every case of the background: of whom, how sure, how urgent; and that no scanner is missing.
fn judge(added: &[Value], sources: &Sources) {
    let mut told = BTreeSet::new();
    for alert in added {
        let source = source(alert).expect("partitioned by it");
        told.insert(source);
        assert_eq!(alert["partner"], "sg-cert", "{alert}");
        assert_eq!(alert["attribution"]["basis"], "country", "{alert}");
        assert_ne!(alert["confidence"], "high", "by country alone: {alert}");
        assert!(
            sources.targets[&source].len() >= 3,
            "on too little: {alert}"
        );
        let worm = sources.worms.contains(&source);
        let kind = if worm {
            "infected_host"
        } else {
            "scanning_host"
        };
        assert_eq!(alert["kind"], kind, "{alert}");
        let listed = any(&[LISTED], source) && !worm;
        assert_eq!(alert["severity"] == "info", listed, "{alert}");
    }
    assert_eq!(told.len(), added.len(), "one case per source");
    let busy = sources
        .targets
        .iter()
        .filter(|(_, targets)| targets.len() >= 40);
    let busy: Vec<_> = busy
        .filter(|(source, _)| any(&[OF_COUNTRY, LISTED], **source))
        .collect();
    assert!(
        busy.len() >= 20,
        "the background is too thin: {}",
        busy.len()
    );
    let missed: Vec<_> = busy
        .iter()
        .filter(|(source, _)| !told.contains(source))
        .collect();
    assert!(
        missed.is_empty(),
        "scanners nobody was told of: {:?}",
        missed.iter().map(|(source, _)| source).collect::<Vec<_>>()
    );
}

/// What the background's sources did.
struct Sources {
    targets: BTreeMap<Ipv4Addr, BTreeSet<Ipv4Addr>>,
    /// Ordinary Windows machines that ask for SMB.
    worms: BTreeSet<Ipv4Addr>,
}

impl Sources {
    fn of(packets: &[Sent]) -> Self {
        let mut targets = BTreeMap::<_, BTreeSet<_>>::new();
        let mut worms = BTreeSet::new();
        for packet in packets {
            targets
                .entry(packet.source)
                .or_default()
                .insert(packet.target);
            if matches!(
                packet.content,
                Content::Syn {
                    tool: Tool::Windows,
                    port: 445,
                    ..
                }
            ) {
                worms.insert(packet.source);
            }
        }
        Self { targets, worms }
    }
}

/// A day of it; the same sources at every telescope.
fn background(telescope: &str, rate: f64) -> Vec<Sent> {
    let population = |prefix: &str, sources| Population {
        prefix: prefix.parse().expect("a prefix"),
        sources,
    };
    let background = Background {
        telescope: telescope.parse().expect("a prefix"),
        rate,
        populations: vec![
            population(OF_COUNTRY, 400),
            population(LISTED, 20),
            population(UNREGISTERED, 4_000),
            population(UNKNOWN, 1_000),
        ],
        zipf: 1.0,
    };
    let (from, until) = (MIDNIGHT * 1_000, (MIDNIGHT + 86_400) * 1_000);
    background.packets(20_261_102, Millis(from), Millis(until))
}

/// A centre that knows countries and a list of scanners.
fn centre(directory: &Path) -> Centre {
    let countries = mmdb::database(vec![
        ("45.12.0.0/16", mmdb::flat("SG")),
        ("62.10.0.0/16", mmdb::nested("DE")),
    ]);
    let country = directory.join("country.mmdb");
    let list = directory.join("surveyor_v4.txt");
    std::fs::write(&country, countries).expect("writable");
    std::fs::write(&list, format!("{LISTED}\n")).expect("writable");
    let more = format!(
        "[geo]\ncountry = {:?}\n[lists]\norganisations = [{:?}]\n",
        country.display(),
        list.display()
    );
    Centre::new(&format!("{REGISTRY}{BY_COUNTRY}"), &more)
}

fn source(alert: &Value) -> Option<Ipv4Addr> {
    alert["subject"]["source"].as_str()?.parse().ok()
}

fn any(prefixes: &[&str], source: Ipv4Addr) -> bool {
    let holds = |prefix: &&str| {
        prefix
            .parse::<Ipv4Net>()
            .expect("a prefix")
            .contains(&source)
    };
    prefixes.iter().any(holds)
}

/// Writes the frames of a capture (classic pcap, Ethernet, microseconds, little-endian) and these
/// packets, in order of time.
fn mix(capture: &Path, packets: &[Sent], mixed: &Path) {
    const FILE_HEADER: usize = 24;
    const RECORD_HEADER: usize = 16;
    const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let bytes = std::fs::read(capture).expect("the capture is readable");
    let (header, mut rest) = bytes.split_at(FILE_HEADER);
    let word = |at: &[u8], index: usize| {
        u32::from_le_bytes(at[index * 4..][..4].try_into().expect("four bytes"))
    };
    assert_eq!((word(header, 0), word(header, 5)), (0xa1b2_c3d4, 1));
    let mut records: Vec<(u64, Vec<u8>)> = Vec::new();
    while !rest.is_empty() {
        let micros = u64::from(word(rest, 0)) * 1_000_000 + u64::from(word(rest, 1));
        let length = RECORD_HEADER + word(rest, 2) as usize;
        records.push((micros, rest[..length].to_vec()));
        rest = &rest[length..];
    }
    records.extend(packets.iter().map(|packet| {
        let frame = [&ETHERNET[..], &datagram(packet)].concat();
        let (seconds, millis) = (packet.at.0 / 1_000, packet.at.0 % 1_000);
        let words = [
            seconds as u32,
            millis as u32 * 1_000,
            frame.len() as u32,
            frame.len() as u32,
        ];
        let mut record: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        record.extend(frame);
        (packet.at.0 * 1_000, record)
    }));
    records.sort_by_key(|(micros, _)| *micros);
    let records = records.into_iter().flat_map(|(_, record)| record);
    let file: Vec<u8> = header.iter().copied().chain(records).collect();
    std::fs::write(mixed, file).expect("writable");
}
