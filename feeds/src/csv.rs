//! Hosts as a table in the shape of Shadowserver's `event4_honeypot_darknet` report (its published
//! columns of 2026-03-24), which partners' tools already read.

use std::net::IpAddr;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Kind, Severity, Subject};

const REPORT: &str = "event4_honeypot_darknet";
const COLUMNS: &str = "timestamp,protocol,src_ip,src_port,src_asn,src_geo,src_region,src_city,src_hostname,src_naics,src_sector,device_vendor,device_type,device_model,severity,dst_ip,dst_port,dst_asn,dst_geo,dst_region,dst_city,dst_hostname,dst_naics,dst_sector,public_source,infection,family,tag,application,version,event_id,count";

/// A table of those alerts that are about a host; `None` where none is.
pub fn table(alerts: &[&Alert]) -> Option<String> {
    let rows: Vec<String> = alerts.iter().filter_map(|alert| row(alert)).collect();
    (!rows.is_empty()).then(|| format!("{COLUMNS}\n{}\n", rows.join("\n")))
}

/// The file's name: its report type must stand in it, and no dot but the last.
pub fn file_name(at: Millis, country: Option<&str>) -> String {
    let day = &at.to_string()[..10];
    let country = country.unwrap_or("zz").to_ascii_lowercase();
    format!("{day}-{REPORT}-{country}.csv")
}

fn row(alert: &Alert) -> Option<String> {
    let host = matches!(
        alert.kind,
        Kind::InfectedHost | Kind::ScanningHost | Kind::ReflectionRecon
    );
    let Subject::Source { source, asn } = &alert.subject else {
        return None;
    };
    if !host || alert.exercise {
        return None; // a drill must not reach a tool that takes it for real
    }
    let evidence = &alert.evidence;
    let service = evidence.services.first().map_or("", String::as_str);
    let (protocol, port) = service.split_once('/').unwrap_or_default();
    let known = matches!(protocol, "tcp" | "udp");
    let port = port.parse::<u16>().ok().filter(|_| known);
    let text = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
    let time = alert.last_seen.to_string();
    let cells = [
        time[..19].replace('T', " "),
        if known {
            protocol.to_owned()
        } else {
            String::new()
        },
        canonical(*source).to_string(),
        text(evidence.source_port.map(u32::from)),
        text(asn.filter(|asn| *asn != 0)),
        alert.country.clone().unwrap_or_default(),
    ];
    let mut columns: Vec<String> = cells.into();
    columns.resize(14, String::new()); // src_region … device_model
    columns.push(severity(alert.severity).to_owned());
    columns.push(String::new()); // dst_ip: targets are never told
    columns.push(text(port.map(u32::from)));
    columns.resize(25, String::new()); // dst_asn … public_source
    let fingerprint = evidence.fingerprint.clone().unwrap_or_default();
    let infected = alert.kind == Kind::InfectedHost;
    columns.push(if infected { fingerprint } else { String::new() });
    columns.push(String::new()); // family
    columns.push(alert.kind.name().to_owned());
    columns.resize(30, String::new()); // application, version
    columns.push(alert.id.to_string());
    columns.push(evidence.packets.to_string());
    Some(columns.join(","))
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}
