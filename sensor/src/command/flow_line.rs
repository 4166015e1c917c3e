//! A flow tuple as one line of JSON. The keys are a contract: add some, rename none.

use std::collections::BTreeMap;

use noroshi_proto::flow::{Flow, Marks, OptionLayout};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Interval;
use noroshi_proto::traffic::Transport;
use serde::Serialize;

/// One flow tuple of one interval.
#[derive(Serialize)]
pub(super) struct FlowLine<'a> {
    sensor: &'a str,
    /// When the interval began.
    interval: String,
    source: std::net::IpAddr,
    traffic: &'static str,
    service: String,
    transport: TransportLine,
    packets: u64,
    bytes: u64,
    first: String,
    last: String,
    targets: u32,
    /// Masked.
    sample: &'a [u32],
    source_port: u16,
    ttl_min: u8,
    ttl_max: u8,
    window: u16,
    options: &'static str,
    marks: BTreeMap<&'static str, u32>,
}

/// What exactly was asked for or answered from.
#[derive(Serialize)]
#[serde(tag = "protocol", rename_all = "lowercase")]
enum TransportLine {
    Tcp { port: u16 },
    Udp { port: u16 },
    Icmp { r#type: u8, code: u8 },
    Icmp6 { r#type: u8, code: u8 },
    Ip { number: u8 },
}

impl<'a> FlowLine<'a> {
    pub fn new(sensor: &'a SensorId, interval: Interval, flow: &'a Flow) -> Self {
        let (tuple, tally) = (flow.tuple, &flow.tally);
        Self {
            sensor: sensor.as_str(),
            interval: interval.to_string(),
            source: tuple.source,
            traffic: tuple.traffic.name(),
            service: tuple.transport.service().to_string(),
            transport: tuple.transport.into(),
            packets: tally.packets,
            bytes: tally.bytes,
            first: tally.first.to_string(),
            last: tally.last.to_string(),
            targets: tally.targets,
            sample: tally.sample.as_slice(),
            source_port: tally.source_port,
            ttl_min: tally.ttl_min,
            ttl_max: tally.ttl_max,
            window: tally.window,
            options: layout(tally.options),
            marks: marks(&tally.marks),
        }
    }
}

impl From<Transport> for TransportLine {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Tcp { service_port: port } => Self::Tcp { port },
            Transport::Udp { service_port: port } => Self::Udp { port },
            Transport::Icmp { kind, code } => Self::Icmp { r#type: kind, code },
            Transport::Icmp6 { kind, code } => Self::Icmp6 { r#type: kind, code },
            Transport::Other { protocol } => Self::Ip { number: protocol },
        }
    }
}

/// All eight, also those that are zero.
fn marks(marks: &Marks) -> BTreeMap<&'static str, u32> {
    const NAMES: [&str; 8] = [
        "syns",
        "mirai",
        "zmap",
        "zmap_modern",
        "masscan",
        "nmap",
        "irregular",
        "mismatched",
    ];
    NAMES.into_iter().zip(marks.counts()).collect()
}

fn layout(options: OptionLayout) -> &'static str {
    match options {
        OptionLayout::Unknown => "unknown",
        OptionLayout::None => "none",
        OptionLayout::Mss => "mss",
        OptionLayout::Linux => "linux",
        OptionLayout::Windows => "windows",
        OptionLayout::Bsd => "bsd",
        OptionLayout::Other => "other",
        OptionLayout::Malformed => "malformed",
    }
}
