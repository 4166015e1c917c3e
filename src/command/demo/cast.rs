//! Who plays in the demo: captures for each sensor, and what must come of them.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ipnet::{IpNet, Ipv4Net};
use noroshi_analyzer::generate::demo::{Expected, Stage};
use noroshi_analyzer::generate::pcap;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::Alert;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;

/// Decides every packet: two demos are alike.
const SEED: u64 = 7;
/// When the quiet day begins: 2026-11-01 00:00 UTC.
const FROM: Millis = Millis(1_793_491_200_000);
/// Packets per second and telescope address: a calm telescope's.
const RATE: f64 = 0.004;

/// Everything the demo plays.
pub struct Cast {
    /// One per sensor.
    pub parts: Vec<Part>,
    /// Packets of all parts.
    pub packets: usize,
    /// The partners whose hosts take part, by constituency.
    partners: Vec<PartnerId>,
    expected: Vec<Expected>,
    silent: Vec<String>,
}

/// What one sensor plays.
pub struct Part {
    /// Which sensor.
    pub sensor: SensorId,
    /// What it watches.
    pub telescope: Ipv4Net,
    /// Its capture.
    pub capture: PathBuf,
}

impl Cast {
    /// Writes the captures into `directory`.
    pub fn generate(registry: &Registry, directory: &Path) -> anyhow::Result<Self> {
        let sensors = registry.sensors().iter().flat_map(|sensor| {
            sensor
                .watched
                .iter()
                .filter_map(|watched| Some((&sensor.id, v4(watched.prefix)?)))
        });
        let sensors: Vec<(&SensorId, Ipv4Net)> = sensors.collect();
        let claims = registry.partners().iter().flat_map(|partner| {
            partner
                .claims
                .iter()
                .filter_map(|claim| Some((partner.id.clone(), v4(claim.prefix)?)))
        });
        let (partners, constituencies): (Vec<_>, Vec<_>) = claims.unzip();
        let telescopes = sensors.iter().map(|(_, telescope)| *telescope).collect();
        let stage = Stage {
            seed: SEED,
            from: FROM,
            telescopes,
            constituencies,
            rate: RATE,
        };
        let play = stage.play();
        let mut parts = Vec::new();
        for (sensor, telescope) in sensors {
            let capture = directory.join(format!("{sensor}.pcap"));
            let file = File::create(&capture).context("a capture cannot be written")?;
            pcap::write(play.at(telescope), &mut BufWriter::new(file))
                .context("a capture cannot be written")?;
            parts.push(Part {
                sensor: sensor.clone(),
                telescope,
                capture,
            });
        }
        Ok(Self {
            parts,
            packets: play.packets.len(),
            partners,
            expected: play.expected,
            silent: play.silent.iter().map(ToString::to_string).collect(),
        })
    }

    /// What was expected and is not among `seen`.
    pub fn missing<'a>(&'a self, seen: &'a [Alert]) -> impl Iterator<Item = String> + 'a {
        let unmet = |expected: &&Expected| !seen.iter().any(|alert| self.meets(alert, expected));
        self.expected.iter().filter(unmet).map(|expected| {
            let tool = expected.fingerprint.unwrap_or("any tool");
            format!("{} {} ({tool})", expected.kind.name(), expected.subject)
        })
    }

    /// Whether nothing expected led to this alert.
    pub fn is_unexpected(&self, alert: &Alert) -> bool {
        let subject = crate::text::name(&alert.subject);
        self.silent.contains(&subject)
            || !self
                .expected
                .iter()
                .any(|expected| self.meets(alert, expected))
    }

    fn meets(&self, alert: &Alert, expected: &Expected) -> bool {
        let partner = expected
            .constituency
            .map(|index| self.partners[index].as_str());
        alert.kind == expected.kind
            && crate::text::name(&alert.subject) == expected.subject
            && (partner.is_none() || alert.partner.as_deref() == partner)
            && (expected.fingerprint.is_none()
                || alert.evidence.fingerprint.as_deref() == expected.fingerprint)
    }
}

fn v4(prefix: IpNet) -> Option<Ipv4Net> {
    match prefix {
        IpNet::V4(prefix) => Some(prefix),
        IpNet::V6(_) => None,
    }
}
