//! Surges in real logs of several days, whose onsets and traps are known.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use noroshi_analyzer::detectors::Detector;
use noroshi_analyzer::detectors::scan_surge::ScanSurges;
use noroshi_analyzer::settings::ScanSurge;
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::SensorId;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::origin::Origin;
use noroshi_store::window::{Sighting, Watch, Window};

/// A log, unpacked.
fn series(name: &str) -> String {
    let Some(corpus) = option_env!("NOROSHI_CORPUS_FOUND") else {
        panic!("only run where the corpus is");
    };
    let path = PathBuf::from(corpus).join("series").join(name);
    let unpacked = Command::new("gzip").arg("-dc").arg(&path).output();
    let unpacked = unpacked.expect("gzip runs");
    assert!(unpacked.status.success(), "{}", path.display());
    String::from_utf8(unpacked.stdout).expect("text")
}

/// Reads `ts,sensor,src_ip,src_port,dst_port,proto,icmp_type`; every sensor is one address.
fn windows(log: &str) -> Vec<Window> {
    let rows = || {
        log.lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>())
    };
    let sensors: BTreeSet<&str> = rows().map(|row| row[1]).collect();
    let watches: Vec<Watch> = sensors
        .iter()
        .map(|name| Watch {
            sensor: SensorId::new(name).expect("a sensor's name"),
            addresses: 1,
            target_bits: TargetBits::Sixteen,
        })
        .collect();
    let mut flows: BTreeMap<Interval, BTreeMap<(FlowTuple, usize), Tally>> = BTreeMap::new();
    for row in rows() {
        let Some((at, tuple, source_port)) = parse(&row) else {
            continue;
        };
        let watch = sensors.iter().position(|name| *name == row[1]);
        let key = (tuple, watch.expect("it was collected"));
        let tally = flows
            .entry(at.interval(IntervalLength::DEFAULT))
            .or_default()
            .entry(key)
            .or_insert_with(|| begin(at, source_port));
        tally.packets += 1;
        tally.last = tally.last.max(at);
    }
    flows
        .into_iter()
        .map(|(interval, flows)| Window {
            interval,
            length: IntervalLength::DEFAULT,
            watches: watches.clone(),
            flows: flows
                .into_iter()
                .map(|((tuple, watch), tally)| sighting(watch, tuple, tally))
                .collect(),
        })
        .collect()
}

fn parse(row: &[&str]) -> Option<(Millis, FlowTuple, u16)> {
    let at: jiff::Timestamp = format!("{}Z", row[0]).parse().ok()?;
    let source: IpAddr = row[2].parse().ok()?;
    let port = row[4].parse().unwrap_or(0);
    let (traffic, transport) = match row[5] {
        "tcp" => (Traffic::ScanSyn, Transport::Tcp { service_port: port }),
        "udp" => (Traffic::ScanUdp, Transport::Udp { service_port: port }),
        "icmp" => {
            let kind = row[6].parse().ok()?;
            (Traffic::ScanEcho, Transport::Icmp { kind, code: 0 })
        }
        _ => return None,
    };
    let tuple = FlowTuple {
        source,
        traffic,
        transport,
    };
    let millis = u64::try_from(at.as_millisecond()).ok()?;
    Some((Millis(millis), tuple, row[3].parse().unwrap_or(0)))
}

fn begin(at: Millis, source_port: u16) -> Tally {
    Tally {
        packets: 0,
        bytes: 0,
        first: at,
        last: at,
        targets: 1,
        sample: TargetSample::new(vec![0], 16),
        source_port,
        ttl_min: 50,
        ttl_max: 50,
        window: 0,
        options: OptionLayout::Unknown,
        marks: Marks::default(),
    }
}

fn sighting(watch: usize, tuple: FlowTuple, tally: Tally) -> Sighting {
    Sighting {
        watch,
        flow: Flow { tuple, tally },
        origin: Arc::new(Origin::default()),
        late: false,
    }
}

/// A surge: its service, and from when to when it was found.
#[derive(Clone, Debug)]
struct Surge {
    service: String,
    from: u64,
    until: u64,
    sources: u64,
}

/// Surges of a log, in the order they were found; pauses of three bins end one.
fn surges(log: &str) -> Vec<Surge> {
    let mut detector = ScanSurges::new(&ScanSurge::default());
    let mut surges: Vec<Surge> = Vec::new();
    for window in windows(log) {
        for finding in detector.examine(&window) {
            let service = finding.services[0].0.to_string();
            let sources = finding.sources.unwrap_or(0);
            let goes_on = surges
                .iter_mut()
                .rev()
                .find(|surge| surge.service == service && finding.at <= surge.until + 2_400);
            match goes_on {
                Some(surge) => {
                    surge.until = finding.at;
                    surge.sources = surge.sources.max(sources);
                }
                None => surges.push(Surge {
                    service,
                    from: finding.at,
                    until: finding.at,
                    sources,
                }),
            }
        }
    }
    surges
}

fn second(text: &str) -> u64 {
    let at: jiff::Timestamp = text.parse().expect("a time");
    u64::try_from(at.as_second()).expect("after 1970")
}

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn the_vnc_surge_is_found_within_the_hour() {
    let log = series("uqo_heralding_2025-02.csv.gz");
    let surges = surges(&log);
    let vnc: Vec<&Surge> = surges
        .iter()
        .filter(|surge| surge.service == "tcp/5900")
        .collect();
    let onset = second("2025-02-18T10:50:00Z");
    let first = vnc.first().expect("a surge of VNC");
    assert!((onset..onset + 3_600).contains(&first.from), "{surges:#?}");
    let steady = ["tcp/5432", "tcp/1080", "tcp/110", "tcp/143"];
    assert!(
        surges
            .iter()
            .all(|surge| !steady.contains(&surge.service.as_str())),
        "{surges:#?}"
    );
    eprintln!("{surges:#?}");
    assert!(surges.len() <= 3, "{surges:#?}");
}

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn many_packets_of_few_sources_are_no_surge() {
    let log = series("uqo_dionaea_2025-02.csv.gz");
    let surges = surges(&log);
    assert!(
        surges.iter().all(|surge| surge.service != "tcp/445"),
        "{surges:#?}"
    );
    eprintln!("{surges:#?}");
    assert!(surges.len() <= 2, "{surges:#?}");
}

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn what_one_sensor_sees_is_no_surge() {
    let log = series("marx_2013-03-03_2013-05-31.csv.gz");
    let surges = surges(&log);
    let traps = [
        "udp/29067",
        "udp/35721",
        "udp/4608",
        "udp/1772",
        "udp/5415",
        "icmp/5",
        "udp/1499",
        "udp/1469",
    ];
    assert!(
        surges
            .iter()
            .all(|surge| !traps.contains(&surge.service.as_str())),
        "{surges:#?}"
    );
    let days = 89;
    eprintln!("{} surges in {days} days: {surges:#?}", surges.len());
    assert!(surges.len() <= days / 7, "{surges:#?}");
}
