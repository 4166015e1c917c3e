//! `[traces]`: where traces go, and how many.

use std::net::SocketAddr;

use noroshi_store::document::Section;

/// The share of traces that are sent, unless told otherwise: a region of a thousand sensors sends a
/// hundred batches a second, and one trace a second shows where their time goes.
const SAMPLE: f64 = 0.01;

/// Where traces go; nowhere where the section is not written.
#[derive(Clone, Debug, PartialEq)]
pub struct TracesSettings {
    /// An OpenTelemetry collector's URL, for OTLP over gRPC.
    pub endpoint: String,
    /// The share of batches, rounds, answers and deliveries that are traced, of 1.
    pub sample: f64,
}

/// `None` where it is not written, or faulty, and that is noted.
pub(super) fn read(mut section: Section<'_>) -> Option<TracesSettings> {
    if !section.is_written() {
        section.close();
        return None;
    }
    let written = section.required::<String>("endpoint");
    let endpoint = written.and_then(|written| match fault(&written.value) {
        None => Some(written.value),
        Some(text) => {
            section.fault(written.line, text.to_owned());
            None
        }
    });
    let sample = section.optional::<f64>("sample");
    if let Some(share) = &sample
        && !(0.0..=1.0).contains(&share.value)
    {
        let text = "`sample` is the share of traces that are sent: 0 to 1, such as 0.01";
        section.fault(share.line, text.to_owned());
    }
    section.close();
    Some(TracesSettings {
        endpoint: endpoint?,
        sample: sample.map_or(SAMPLE, |share| share.value),
    })
}

/// What is wrong with a URL: `http://host:port` on this machine, `https://host:port` anywhere.
fn fault(endpoint: &str) -> Option<&'static str> {
    const SHAPE: &str = "`endpoint` is where an OpenTelemetry collector takes OTLP over gRPC: write its host \
                         and port alone, such as \"http://127.0.0.1:4317\"";
    const CLEAR: &str = "traces would cross the network in the clear: write https://, or send them to a \
                         collector on this machine, which hands them on";
    let (is_clear, place) = match endpoint.split_once("://") {
        Some(("http", place)) => (true, place),
        Some(("https", place)) => (false, place),
        _ => return Some(SHAPE),
    };
    let Some((host, port)) = place.rsplit_once(':') else {
        return Some(SHAPE);
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_shaped = !host.is_empty() && host.bytes().all(is_host);
    if !is_shaped || !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Some(SHAPE);
    }
    let address = place.parse::<SocketAddr>();
    let is_near = host == "localhost" || address.is_ok_and(|address| address.ip().is_loopback());
    (is_clear && !is_near).then_some(CLEAR)
}
