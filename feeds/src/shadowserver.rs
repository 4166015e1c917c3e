//! What was seen on a day, as CSV in the shape of Shadowserver's reports, for which national CERTs
//! have a parser: see its `report_schema` for the columns and file names.
//!
//! | report                       | holds                                                       |
//! |------------------------------|-------------------------------------------------------------|
//! | `event4_honeypot_darknet`    | hosts of the reader's that sent packets to unused addresses |
//! | `event4_honeypot_ddos_target` | addresses of the reader's under attack                     |
//!
//! One row per case and day, also on days on which nothing new is said of the case; of a
//! carpet bombing one row for each address that is known. The file is named
//! `YYYY-MM-DD-REPORT-cc.csv`, with the reader's country. Parsers take the report from this name.
//!
//! # Settings of IntelMQ
//! ```text
//! intelmq.bots.collectors.http.collector_http   http_url: https://CENTRE/v1/reports/{time[%Y-%m-%d]}-event4_honeypot_darknet-CC.csv.zip
//!                                               http_url_formatting: {"hours": -31}
//!                                               http_header: {"Authorization": "Bearer TOKEN"}
//! intelmq.bots.parsers.shadowserver.parser      its schema, and nothing else
//! ```
//! Its collector names days by its own clock: yesterday in UTC is 24 hours before now, and as many
//! more as that clock is ahead (7 in Bangkok).
//!
//! # Promises
//! - No address of a telescope: `dst_*` of the darknet report is empty but for `dst_port`.
//! - No exercise, ever. What was taken back stays as a row with `state` and `tag` `withdrawn`.
//! - Of a day that is not over a row has no `count` and no `duration`.
//! - No address of version 6: Shadowserver publishes these reports as `event4` alone, and a name
//!   that a parser does not know costs the whole file. They stand in the other formats.
//! - No empty file: without rows the header stands alone. UTF-8 without a mark of byte order.

mod columns;

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use noroshi_store::alert::{Alert, Kind, State, Subject};
use noroshi_store::observations::Sighting;
use noroshi_store::origin::{Country, PartnerId};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use self::columns::{DARKNET, DDOS_TARGET, OURS};
use crate::day;
use crate::reader::is_readers;
use crate::rsit;
use crate::service::Ports;

/// A report of Shadowserver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Who sends packets to unused addresses.
    Darknet,
    /// Who is under attack.
    DdosTarget,
}

impl Report {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Darknet, Self::DdosTarget];

    /// Its name in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Darknet => "event4_honeypot_darknet",
            Self::DdosTarget => "event4_honeypot_ddos_target",
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Darknet => &DARKNET,
            Self::DdosTarget => &DDOS_TARGET,
        }
    }

    fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Darknet => matches!(
                kind,
                Kind::InfectedHost | Kind::ScanningHost | Kind::ReflectionRecon
            ),
            Self::DdosTarget => matches!(kind, Kind::DdosVictim | Kind::ReflectionVictim),
        }
    }
}

/// A file: one report of one day for a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// The day of UTC, counted from 1970-01-01.
    pub day: u64,
    /// Which report.
    pub report: Report,
}

impl File {
    /// `2026-11-02-event4_honeypot_darknet-th.csv`
    pub fn name(self, country: Country) -> String {
        let country = country.as_str().to_ascii_lowercase();
        format!(
            "{}-{}-{country}.csv",
            day::name(self.day),
            self.report.name()
        )
    }

    /// The file of a name, in no other spelling than [`File::name`]'s.
    pub fn named(name: &str, country: Country) -> Option<Self> {
        let day = day::named(name.get(..10)?)?;
        let mut files = Report::ALL.map(|report| Self { day, report }).into_iter();
        files.find(|file| file.name(country) == name)
    }

    /// The rows of those sightings that are `reader`'s and belong into the report, beneath the
    /// header, which stands alone where there are none.
    pub fn csv<'a>(
        self,
        reader: &PartnerId,
        sightings: impl IntoIterator<Item = &'a Sighting>,
    ) -> String {
        self.written(reader, sightings).0
    }

    /// The same; `None` where there is no row.
    pub fn rows<'a>(
        self,
        reader: &PartnerId,
        sightings: impl IntoIterator<Item = &'a Sighting>,
    ) -> Option<String> {
        let (csv, rows) = self.written(reader, sightings);
        (rows > 0).then_some(csv)
    }

    fn written<'a>(
        self,
        reader: &PartnerId,
        sightings: impl IntoIterator<Item = &'a Sighting>,
    ) -> (String, u64) {
        let mut rows = 0;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let columns = || self.report.columns().iter().chain(&OURS);
        let written = "a row has as many cells as the header, and memory takes them";
        writer.write_record(columns()).expect(written);
        for sighting in sightings {
            let alert = &sighting.alert;
            let is_shown = is_readers(reader, alert)
                && sighting.observation.partner == reader.as_str()
                && sighting.observation.day == self.day
                && self.report.takes(alert.kind)
                && !alert.exercise;
            if !is_shown {
                continue;
            }
            for row in Row::of(sighting) {
                let cells = columns().map(|column| row.cell(self.report, column));
                writer.write_record(cells).expect(written);
                rows += 1;
            }
        }
        let bytes = writer.into_inner().unwrap_or_default();
        (
            String::from_utf8(bytes).expect("every cell is a text"),
            rows,
        )
    }
}

/// One row: a sighting and the address that it names.
struct Row<'s> {
    sighting: &'s Sighting,
    address: Option<Ipv4Addr>,
    network: Option<Ipv4Net>,
}

impl<'s> Row<'s> {
    fn of(sighting: &'s Sighting) -> Vec<Self> {
        let row = |address, network| Self {
            sighting,
            address,
            network,
        };
        match &sighting.alert.subject {
            Subject::Source {
                source: IpAddr::V4(address),
                ..
            } if !address.is_unspecified() => vec![row(Some(*address), None)],
            Subject::Victim { victim, .. } => {
                if let Ok(address) = victim.parse::<Ipv4Addr>() {
                    return vec![row(Some(address), None)];
                }
                let Ok(network) = victim.parse::<Ipv4Net>() else {
                    return Vec::new();
                };
                let known: Vec<Self> = sighting
                    .alert
                    .evidence
                    .victims
                    .iter()
                    .filter_map(|victim| match victim {
                        IpAddr::V4(address) => Some(row(Some(*address), Some(network))),
                        IpAddr::V6(_) => None,
                    })
                    .collect();
                if known.is_empty() {
                    return vec![row(None, Some(network))];
                }
                known
            }
            _ => Vec::new(),
        }
    }

    /// What stands in a column; most of them are not for us to say.
    fn cell(&self, report: Report, column: &str) -> String {
        let Sighting {
            observation, alert, ..
        } = self.sighting;
        let side = match report {
            Report::Darknet => "src_",
            Report::DdosTarget => "dst_",
        };
        if let Some(what) = column.strip_prefix(side)
            && let Some(cell) = self.about_the_subject(what)
        {
            return cell;
        }
        let is_withdrawn = alert.state == State::Withdrawn;
        match column {
            "timestamp" => observation.first.to_string()[..19].replace('T', " "),
            "protocol" => Ports::of(alert)
                .transport
                .filter(|name| matches!(*name, "tcp" | "udp" | "icmp"))
                .unwrap_or_default()
                .to_owned(),
            "dst_port" => text(Ports::of(alert).destination),
            "severity" if is_withdrawn => "info".to_owned(),
            "severity" => word(alert.severity),
            "tag" if is_withdrawn => "withdrawn".to_owned(),
            "tag" => alert.reason_code.clone(),
            "infection" if is_withdrawn => String::new(),
            "infection" => text(rsit::malware(alert)),
            "count" | "duration" if observation.packets == 0 => String::new(), // not told yet
            "count" => observation.packets.to_string(),
            "duration" => {
                let millis = observation.last.0.saturating_sub(observation.first.0);
                (millis / 1_000).to_string()
            }
            "alert_id" => alert.id.to_string(),
            "state" => word(alert.state),
            _ => String::new(),
        }
    }

    fn about_the_subject(&self, what: &str) -> Option<String> {
        let Sighting {
            observation, alert, ..
        } = self.sighting;
        Some(match what {
            "ip" => text(self.address),
            // A port finds a customer behind a NAT only beside the time of its own packet.
            "port" if alert.kind == Kind::DdosVictim => text(Ports::of(alert).destination),
            "port" if observation.first == alert.first_seen => text(Ports::of(alert).source),
            "asn" => text(asn(alert)),
            "geo" => alert.country.clone().unwrap_or_default(),
            "network" => text(self.network.map(|network| network.trunc())),
            "netmask" => text(self.network.map(|network| network.prefix_len())),
            _ => return None,
        })
    }
}

fn asn(alert: &Alert) -> Option<u32> {
    let (Subject::Source { asn, .. } | Subject::Victim { asn, .. }) = &alert.subject else {
        return None;
    };
    asn.filter(|asn| *asn != 0) // 0 stands for nobody, and some parsers fail on it
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The word of a state or severity in JSON.
fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The file in a ZIP, as its only member: IntelMQ's collector takes the name from there.
///
/// # Errors
/// Where a file is too large for a ZIP.
pub fn zipped(name: &str, csv: &str) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
    archive.start_file(name, SimpleFileOptions::default())?;
    archive.write_all(csv.as_bytes())?;
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests;
