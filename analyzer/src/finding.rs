//! What one detector says about one window.

pub mod protocols;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;
use noroshi_store::alert::{Kind, Subject};
use noroshi_store::notices::SINKHOLE;
use noroshi_store::origin::{Country, Origin, PartnerId};

use self::protocols::Protocols;

/// Sensors named in one finding, at most.
pub const SENSORS_MAX: usize = 16;
/// Services named in one finding, at most.
pub const SERVICES_MAX: usize = 20;
/// Victims of one carpet bombing named, at most.
pub const VICTIMS_MAX: usize = 256;

/// What one detector says about one window.
///
/// It knows no partners: who is told is decided once, in [`crate::alerts`].
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Whom or what it is about.
    pub about: About,
    /// First packet of the event.
    pub first: Millis,
    /// Last packet of the event so far.
    pub last: Millis,
    /// When it was found, in seconds since 1970: the end of the window or bin that fired.
    pub at: u64,
    /// Packets since the last finding about the same event: they add up.
    pub packets: u64,
    /// Distinct targets of the whole event so far.
    pub targets: u64,
    /// Distinct sources, where it is not about one.
    pub sources: Option<u64>,
    /// Sensors that saw it, at most [`SENSORS_MAX`].
    pub sensors: Vec<SensorId>,
    /// Services with their packets since the last finding, most first, at most
    /// [`SERVICES_MAX`].
    pub services: Vec<(Service, u64)>,
    /// Source port of the first packet.
    pub source_port: Option<u16>,
    /// The tool or malware that sent it.
    pub fingerprint: Option<Fingerprint>,
    /// The usual level of what the rule measures.
    pub usual: Option<f64>,
    /// Estimated packets per second: of a victim's answers, or of a scanner to all of IPv4.
    pub rate: Option<f64>,
    /// What is estimated besides.
    pub estimates: Estimates,
    /// How well the evidence carries.
    pub support: Support,
    /// Which rule fired.
    pub reason: Reason,
    /// Part of it arrived after its window had closed.
    pub late: bool,
    /// Addresses under a carpet bombing, at most [`VICTIMS_MAX`].
    pub victims: Vec<IpAddr>,
}

/// What is estimated from what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimates {
    /// Between which values [`Finding::rate`] lies with 95 % confidence.
    pub rate_between: Option<(f64, f64)>,
    /// How often a scanner has asked an average address of the telescope.
    pub coverage: Option<f64>,
    /// The chance that targets drawn at random spread over the sensors as unevenly.
    pub uniformity: Option<f64>,
    /// How long an attack has lasted.
    pub duration: Option<Duration>,
    /// By which protocols it comes.
    pub vectors: Protocols,
    /// Whether the scanner is one of the loudest.
    pub aggression: Aggression,
}

/// Which definitions of an aggressive scanner a source meets: none, or any of three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aggression {
    /// It asked for a large share of the telescopes.
    pub targets: bool,
    /// It is among the first of a day by packets.
    pub packets: bool,
    /// It is among the first of a day by services.
    pub services: bool,
}

impl Aggression {
    /// The names of those it meets.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.targets, "targets"),
            (self.packets, "packets"),
            (self.services, "services"),
        ];
        all.into_iter()
            .filter(|(met, _)| *met)
            .map(|(_, name)| name)
    }
}

/// How long something lasted, in seconds, from what was seen of it at random moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duration {
    /// As estimated.
    pub seconds: f64,
    /// At least: from the first sighting to the last.
    pub low: f64,
    /// At most, with 95 % confidence.
    pub high: f64,
}

/// Whom or what a finding is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// A source of packets.
    Source(IpAddr, Arc<Origin>),
    /// An address under attack.
    Victim(IpAddr, Arc<Origin>),
    /// A prefix under attack.
    Prefix(IpNet, Arc<Origin>),
    /// A service, in the region or in one country.
    Service(Service, Option<Country>),
    /// Sources that keep time with each other, for analysts alone.
    Group(Group),
    /// All networks of one partner, by its id, or those of one AS, as `AS64500`.
    Network(String),
    /// A service, asked for by a partner's own addresses.
    ServiceOf(Service, PartnerId),
    /// A country.
    Country(Country),
    /// One of our sensors.
    Sensor(SensorId),
}

/// Sources that keep time with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they ask for: of several services the lowest.
    pub service: Service,
    /// How many are in each country, most first; none of them is named.
    pub countries: Vec<(Option<Country>, u64)>,
}

impl About {
    /// Its name in an alert.
    pub fn subject(&self) -> Subject {
        let asn = |origin: &Origin| (origin.asn != 0).then_some(origin.asn);
        match self {
            Self::Source(source, origin) => Subject::Source {
                source: *source,
                asn: asn(origin),
            },
            Self::Victim(victim, origin) => Subject::Victim {
                victim: victim.to_string(),
                asn: asn(origin),
            },
            Self::Prefix(prefix, origin) => Subject::Victim {
                victim: prefix.to_string(),
                asn: asn(origin),
            },
            Self::Service(service, scope) => Subject::Service {
                service: service.to_string(),
                scope: scope.map_or_else(|| "region".to_owned(), |country| country.to_string()),
            },
            Self::Group(group) => Subject::Service {
                service: group.service.to_string(),
                scope: "region".to_owned(),
            },
            Self::Network(network) => Subject::Network {
                network: network.clone(),
            },
            Self::ServiceOf(service, partner) => Subject::Service {
                service: service.to_string(),
                scope: partner.to_string(),
            },
            Self::Country(country) => Subject::Country {
                country: country.to_string(),
            },
            Self::Sensor(sensor) => Subject::Sensor {
                sensor: sensor.to_string(),
            },
        }
    }

    /// What is known of the address, where it is about one.
    pub fn origin(&self) -> Option<&Arc<Origin>> {
        match self {
            Self::Source(_, origin) | Self::Victim(_, origin) | Self::Prefix(_, origin) => {
                Some(origin)
            }
            Self::Service(..)
            | Self::ServiceOf(..)
            | Self::Group(_)
            | Self::Network(_)
            | Self::Country(_)
            | Self::Sensor(_) => None,
        }
    }

    /// The address to attribute, where it is about one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Source(address, _) | Self::Victim(address, _) => Some(*address),
            Self::Prefix(prefix, _) => Some(prefix.addr()),
            Self::Service(..)
            | Self::ServiceOf(..)
            | Self::Group(_)
            | Self::Network(_)
            | Self::Country(_)
            | Self::Sensor(_) => None,
        }
    }
}

/// How well the evidence carries, before anybody asks whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// A packet or two.
    Weak,
    /// A fingerprint, or enough targets: all of it could still be forged.
    Plain,
    /// Enough targets for more, but sensors count hops that no single host explains.
    Torn,
    /// Enough targets for more, if sensors of different owners agree.
    Broad,
    /// Enough targets, lasting, over one path.
    Steady,
}

/// Who made a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fingerprint {
    /// The Mirai family.
    Mirai,
    /// masscan.
    Masscan,
    /// ZMap.
    Zmap,
    /// nmap.
    Nmap,
    /// Hajime, by its ports.
    Hajime,
    /// Hide and Seek, by its ports.
    Hns,
    /// Bots on routers of MikroTik, by their ports.
    Mikrotik,
}

impl Fingerprint {
    /// Whether only its ports tell it, and no mark in its packets.
    pub fn is_by_ports(self) -> bool {
        matches!(self, Self::Hajime | Self::Hns | Self::Mikrotik)
    }

    /// The name in alerts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mirai => "mirai",
            Self::Masscan => "masscan",
            Self::Zmap => "zmap",
            Self::Nmap => "nmap",
            Self::Hajime => "hajime",
            Self::Hns => "hns",
            Self::Mikrotik => "mikrotik",
        }
    }
}

/// Which rule fired: the key into the catalogues of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// SYNs whose sequence number is the target address.
    MiraiSyn,
    /// An ordinary Windows stack asks many addresses for SMB.
    SmbWorm,
    /// The ports of a botnet, and hardly any other.
    BotPorts,
    /// A scanning tool's fingerprint.
    ScanTool,
    /// Many targets, no fingerprint.
    Scan,
    /// Many targets by segments that no stack sends.
    StealthScan,
    /// Requests to amplifiers, each target asked about once.
    AmplifierScan,
    /// Requests to amplifiers that may be forged.
    AmplifierDoubt,
    /// Requests under one name over several paths.
    ForgedPaths,
    /// The same amplifiers asked again and again.
    ForgedRepeats,
    /// Answers would go to a service's own port.
    ForgedPort,
    /// Backscatter, lasting.
    Backscatter,
    /// Backscatter, short but beyond chance.
    BackscatterBurst,
    /// Backscatter of many addresses of one prefix.
    CarpetBombing,
    /// More sources than usual.
    Surge,
    /// The density of ties between networks stands out.
    RhythmDensity,
    /// Networks of one rhythm ask for one port.
    RhythmGroup,
    /// Parts of one network ask for one port in one rhythm.
    RhythmNeighbours,
    /// A crowd of forged sources.
    Framing,
    /// Answers from an amplifier's port.
    AmplifierAnswers,
    /// More new infected hosts than usual.
    InfectionJump,
    /// More and more sources, over hours or days.
    SlowSurge,
    /// More sources of one country than usual, hardly noticed in the region.
    NationalSurge,
    /// More sources of one partner's networks than usual.
    PartnerSurge,
    /// Sources of several networks ask for what nobody asked for before.
    NewService,
    /// Hardly any source of a country is seen any more.
    CountrySilence,
    /// A sensor stopped.
    Silence,
    /// More new cases within an hour than are told one by one.
    Flood,
    /// Connections to a command-and-control server that was taken over.
    Sinkhole,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 29] = [
        Self::MiraiSyn,
        Self::SmbWorm,
        Self::BotPorts,
        Self::ScanTool,
        Self::Scan,
        Self::StealthScan,
        Self::AmplifierScan,
        Self::AmplifierDoubt,
        Self::ForgedPaths,
        Self::ForgedRepeats,
        Self::ForgedPort,
        Self::Backscatter,
        Self::BackscatterBurst,
        Self::CarpetBombing,
        Self::Surge,
        Self::RhythmDensity,
        Self::RhythmGroup,
        Self::RhythmNeighbours,
        Self::Framing,
        Self::AmplifierAnswers,
        Self::InfectionJump,
        Self::SlowSurge,
        Self::NationalSurge,
        Self::PartnerSurge,
        Self::NewService,
        Self::CountrySilence,
        Self::Silence,
        Self::Flood,
        Self::Sinkhole,
    ];

    /// The `reason_code` of an alert.
    pub fn code(self) -> &'static str {
        match self {
            Self::MiraiSyn => "mirai_syn",
            Self::SmbWorm => "smb_worm",
            Self::BotPorts => "bot_ports",
            Self::ScanTool => "scan_tool",
            Self::Scan => "scan",
            Self::StealthScan => "stealth_scan",
            Self::AmplifierScan => "amplifier_scan",
            Self::AmplifierDoubt => "amplifier_doubt",
            Self::ForgedPaths => "forged_paths",
            Self::ForgedRepeats => "forged_repeats",
            Self::ForgedPort => "forged_port",
            Self::Backscatter => "backscatter",
            Self::BackscatterBurst => "backscatter_burst",
            Self::CarpetBombing => "carpet_bombing",
            Self::Surge => "surge",
            Self::RhythmDensity => "rhythm_density",
            Self::RhythmGroup => "rhythm_group",
            Self::RhythmNeighbours => "rhythm_neighbours",
            Self::Framing => "framing",
            Self::AmplifierAnswers => "amplifier_answers",
            Self::InfectionJump => "infection_jump",
            Self::SlowSurge => "slow_surge",
            Self::NationalSurge => "national_surge",
            Self::PartnerSurge => "partner_surge",
            Self::NewService => "new_service",
            Self::CountrySilence => "country_silence",
            Self::Silence => "silence",
            Self::Flood => "flood",
            Self::Sinkhole => SINKHOLE,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
