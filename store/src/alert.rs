//! An alert: a case that concerns one partner, as feeds render it.
//!
//! The JSON is a contract: partners script against its keys. Times are UTC with milliseconds.

use std::collections::BTreeMap;
use std::net::IpAddr;

use noroshi_proto::time::Millis;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A partner's address with a malware fingerprint or bot-like behaviour.
    InfectedHost,
    /// Any other address of a partner that scans.
    ScanningHost,
    /// Looks for amplifiers.
    ReflectionRecon,
    /// Amplifier requests forged in a partner's name.
    ReflectionVictim,
    /// Answers from an amplifier port: others abuse it.
    OpenReflector,
    /// Somebody floods it: backscatter.
    DdosVictim,
    /// More distinct sources than usual.
    ScanSurge,
    /// A service nobody asked for before.
    NewService,
    /// Sources with one rhythm.
    CoordinatedScan,
    /// A burst that does not stand for its sources.
    SpoofSuspect,
    /// A country's background radiation stopped.
    CountrySilence,
    /// A sensor stopped reporting.
    SensorSilence,
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Opened by its first evidence.
    New,
    /// Seen again.
    Continuing,
    /// Over.
    Closed,
    /// Taken back by the operator.
    Withdrawn,
}

/// Urgency for a duty officer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    Info,
    /// In the next digest.
    Low,
    /// Today.
    Medium,
    /// Now.
    High,
}

/// How sure we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One or two packets.
    Low,
    /// A fingerprint, or enough targets.
    Medium,
    /// Many targets twice, five minutes apart, at one hop count; or independent sensors.
    High,
}

/// Who may read it: Traffic Light Protocol 2.0 (FIRST).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Tlp {
    /// No limit.
    #[serde(rename = "CLEAR")]
    Clear,
    /// The community.
    #[serde(rename = "GREEN")]
    Green,
    /// The organisation and its clients.
    #[default]
    #[serde(rename = "AMBER")]
    Amber,
    /// The organisation alone.
    #[serde(rename = "AMBER+STRICT")]
    AmberStrict,
    /// The reader alone.
    #[serde(rename = "RED")]
    Red,
}

/// By what an address is a partner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A verified registered prefix.
    Prefix,
    /// A registered AS number.
    Asn,
    /// The country, where the partner has a country consent.
    Country,
}

/// Why this partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// By what.
    pub basis: Basis,
    /// The prefix, AS number or country that matched.
    pub matched: String,
    /// Which state of the registry decided.
    pub registry_version: String,
}

/// Whom or what the alert names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subject {
    /// A source of packets.
    Source {
        /// Its address.
        source: IpAddr,
        /// Its AS, where known.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        asn: Option<u32>,
    },
    /// Somebody under attack: an address, or a prefix when carpet-bombed.
    Victim {
        /// Address or prefix.
        victim: String,
        /// Its AS, where known.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        asn: Option<u32>,
    },
    /// A service within a scope.
    Service {
        /// Such as `tcp/23`.
        service: String,
        /// `region` or a country.
        scope: String,
    },
    /// A country.
    Country {
        /// ISO 3166-1 alpha-2.
        country: String,
    },
    /// All networks of one partner, or one AS.
    Network {
        /// The partner's id, or `AS` and its number.
        network: String,
    },
    /// One of our sensors.
    Sensor {
        /// Its id.
        sensor: String,
    },
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Services asked for or attacked, most packets first, at most 20.
    pub services: Vec<String>,
    /// Packets.
    pub packets: u64,
    /// Distinct telescope addresses hit (an estimate above the sample's size).
    pub targets: u64,
    /// Sensors that saw it.
    pub sensors: u32,
    /// Distinct sources, for kinds that are not about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sources: Option<u64>,
    /// Source port of the first packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_port: Option<u16>,
    /// `mirai`, `zmap`, `masscan`, `nmap`; by their ports `hajime`, `hns`, `mikrotik`; absent
    /// where none was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fingerprint: Option<String>,
    /// The usual level of what the rule measures.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usual: Option<f64>,
    /// Estimated packets per second at the victim, or sent by the scanner to all of IPv4.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<f64>,
    /// Lower bound of `rate`, with 95 % confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate_low: Option<f64>,
    /// Upper bound of `rate`, with 95 % confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate_high: Option<f64>,
    /// How often a scanner has asked an average address of the telescope.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub coverage: Option<f64>,
    /// By which definitions it is one of the loudest scanners (Anand et al. 2023): `targets`
    /// (a tenth of all), `packets` or `services` (the first 1e-4 of a day).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub aggressive: Vec<String>,
    /// The chance that targets drawn at random spread over sensors as unevenly: above 0.01
    /// it supports random spoofing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uniformity: Option<f64>,
    /// How long an attack lasted, in seconds, as estimated from answers that reach us at
    /// random moments.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration: Option<f64>,
    /// Lower bound of `duration`: from the first answer to the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_low: Option<f64>,
    /// Upper bound of `duration`, with 95 % confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_high: Option<f64>,
    /// Protocols by which a victim is attacked: `tcp`, `udp`, `icmp`, `ip` (any other).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub vectors: Vec<String>,
    /// The rule that fired.
    pub rule: String,
    /// Part of it arrived after its window had closed.
    pub late: bool,
    /// Seen at a telescope inside the partner's own network.
    pub internal: bool,
    /// The organisation whose published list names the source.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner: Option<String>,
    /// Why the source address cannot be real, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bogon: Option<String>,
    /// Why confidence is what it is, in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<String>,
    /// New infected hosts of a jump, at most 256.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub hosts: Vec<IpAddr>,
    /// Addresses under a carpet bombing, at most 256.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub victims: Vec<IpAddr>,
    /// Sources by country (`ZZ` where unknown), of kinds that are about a group; the most at
    /// once. Exact, so for the centre's analysts alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub countries: BTreeMap<String, u64>,
}

/// A case, in its last state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// UUIDv5 of kind, partner, subject and opening interval: the same after any restart.
    pub id: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// How urgent.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Who may read it.
    pub tlp: Tlp,
    /// Whom it concerns; `None` where it is for the centre alone.
    pub partner: Option<String>,
    /// The country it concerns.
    pub country: Option<String>,
    /// Why this partner; `None` where no address was attributed.
    pub attribution: Option<Attribution>,
    /// Event time of its first evidence's window end.
    #[serde(with = "millis")]
    pub opened_at: Millis,
    /// First packet.
    #[serde(with = "millis")]
    pub first_seen: Millis,
    /// Last packet.
    #[serde(with = "millis")]
    pub last_seen: Millis,
    /// End of the window that fired, in event time.
    #[serde(with = "millis")]
    pub detected_at: Millis,
    /// Whom or what it names.
    pub subject: Subject,
    /// What was seen.
    pub evidence: Evidence,
    /// Key into the catalogues of texts.
    pub reason_code: String,
    /// One or two sentences a duty officer understands.
    pub explanation: String,
    /// Part of an exercise: never an indicator, never a statistic.
    pub exercise: bool,
}

impl Alert {
    /// Whether it may become an indicator that others block or count: no exercise may, and no
    /// evidence that was given for one purpose.
    pub fn may_be_indicator(&self) -> bool {
        !self.exercise && self.reason_code != crate::notices::SINKHOLE
    }

    /// Whether it can wait for the daily digest: hardly sure, not urgent, or late.
    pub fn is_for_digest(&self) -> bool {
        self.confidence == Confidence::Low || self.severity <= Severity::Low || self.evidence.late
    }
}

impl State {
    /// Still going on.
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Continuing)
    }
}

impl Tlp {
    /// The label, without `TLP:`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::AmberStrict => "AMBER+STRICT",
            Self::Red => "RED",
        }
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::InfectedHost,
        Self::ScanningHost,
        Self::ReflectionRecon,
        Self::ReflectionVictim,
        Self::OpenReflector,
        Self::DdosVictim,
        Self::ScanSurge,
        Self::NewService,
        Self::CoordinatedScan,
        Self::SpoofSuspect,
        Self::CountrySilence,
        Self::SensorSilence,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::InfectedHost => "infected_host",
            Self::ScanningHost => "scanning_host",
            Self::ReflectionRecon => "reflection_recon",
            Self::ReflectionVictim => "reflection_victim",
            Self::OpenReflector => "open_reflector",
            Self::DdosVictim => "ddos_victim",
            Self::ScanSurge => "scan_surge",
            Self::NewService => "new_service",
            Self::CoordinatedScan => "coordinated_scan",
            Self::SpoofSuspect => "spoof_suspect",
            Self::CountrySilence => "country_silence",
            Self::SensorSilence => "sensor_silence",
        }
    }
}

impl State {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Continuing => "continuing",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Severity {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Times as ISO 8601 in UTC.
pub(crate) mod millis {
    use serde::Deserialize;

    use super::{Millis, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Millis, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        let timestamp: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        let millis = u64::try_from(timestamp.as_millisecond()).map_err(serde::de::Error::custom)?;
        Ok(Millis(millis))
    }
}
