//! Every capture of the corpus, also the hostile ones: never a panic, every frame counted,
//! and what the index knows about a capture is what decoding finds.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use noroshi_proto::loss::Losses;
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
        .map(|prefix| prefix.parse().unwrap())
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
    for entry in index(&corpus) {
        let seen = see(&corpus.join(&entry.file), &EVERYWHERE, Delivery::Direct);
        println!(
            "{} {} {} {:?} {:?}",
            entry.file,
            seen.frames,
            entry.packets,
            seen.losses.iter().collect::<Vec<_>>(),
            seen.error
        );
        assert_eq!(
            seen.frames,
            seen.packets.len() as u64 + seen.losses.total(),
            "{}",
            entry.file
        );
    }
}

struct Entry {
    file: String,
    packets: u64,
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
            packets: row[6].parse().unwrap_or_default(),
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
