//! Every threshold, with where it comes from.

mod surges;

use noroshi_store::explanation::Texts;
use serde::{Deserialize, Serialize};

pub use self::surges::{CountrySilence, NewService, ScanSurge};

/// What the detectors and the alerts are told; every key has a default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Scanners, shared by every detector that is keyed by source.
    pub sources: Sources,
    /// Scanning and infected hosts.
    pub hosts: Hosts,
    /// The loudest scanners.
    pub aggressive: Aggressive,
    /// Crowds of forged sources.
    pub spoof_suspect: SpoofSuspect,
    /// Hosts that answer from an amplifier's port.
    pub open_reflector: OpenReflector,
    /// Reflection: who looks for amplifiers, and whom they are turned against.
    pub reflection: Reflection,
    /// Victims of denial of service.
    pub ddos_victim: DdosVictim,
    /// More sources than usual.
    pub scan_surge: ScanSurge,
    /// Sources with one rhythm.
    pub coordinated: Coordinated,
    /// Countries whose background radiation stopped.
    pub country_silence: CountrySilence,
    /// Sensors that stopped reporting.
    pub sensor_silence: SensorSilence,
    /// The life of a case.
    pub cases: Cases,
}

/// When what one source does is one event.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// The slowest scanner that must not be cut in two, in packets per second over all of
    /// IPv4 (100, as for the scanner events of Merit's ORION telescope).
    pub slowest_rate: f64,
    /// The chance that a pause of such a scanner is taken for its end (1e-3, as Merit).
    pub cut_chance: f64,
    /// An event ends after at least this much silence, in seconds.
    pub silence_seconds_min: u64,
    /// An event ends after at most this much silence, in seconds.
    pub silence_seconds_max: u64,
    /// Sources remembered at once; beyond it those silent for longest are forgotten.
    pub remembered_max: usize,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            slowest_rate: 100.0,
            cut_chance: 1e-3,
            silence_seconds_min: 300,
            silence_seconds_max: 86_400,
            remembered_max: 400_000,
        }
    }
}

/// When a source scans, and when it is infected.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hosts {
    /// No source is named on fewer targets, or on fewer than there are.
    pub targets_min: u64,
    /// Targets a scanner reaches, as a share of the telescope: 100 of 5.5 million
    /// (Durumeric, Bailey, Halderman: An Internet-Wide View of Internet-Wide Scanning, 2014).
    pub targets_share: f64,
    /// Targets over several services, where no single service has `targets_min`; also what
    /// high confidence asks for (Merit publishes scanner events from 10 targets on).
    pub targets_published: u64,
    /// Packets of which a fingerprint is judged, at least: one 16-bit chance match in
    /// 65,536 SYNs is to be expected, three in a row are not.
    pub fingerprint_packets_min: u32,
    /// Share of a source's SYNs that must match, where it is not overwhelming otherwise.
    pub fingerprint_share: f64,
    /// Where less than that share matches (an address shared by many hosts), how unlikely
    /// the matches must be by chance.
    pub fingerprint_chance: f64,
    /// Two sightings so far apart show that a source lasts, in seconds.
    pub steady_seconds: u64,
    /// Hop counts of one source differ by no more.
    pub hops_spread: u8,
    /// Hop counts of one source at two sensors differ by no more, or confidence stays medium
    /// unless the sensors have different owners. Derived, not published: honest paths to
    /// distant sensors may differ by more, so it costs confidence only.
    pub hops_apart: u8,
}

impl Default for Hosts {
    fn default() -> Self {
        Self {
            targets_min: 3,
            targets_share: 1.8e-5,
            targets_published: 10,
            fingerprint_packets_min: 3,
            fingerprint_share: 0.9,
            fingerprint_chance: 1e-9,
            steady_seconds: 300,
            hops_spread: 3,
            hops_apart: 3,
        }
    }
}

/// When a scanner is called aggressive (Anand, Kallitsis, Sippe, Dainotti: Aggressive
/// Internet-Wide Scanners, 2023, at Merit's ORION telescope).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Aggressive {
    /// It asked for so large a share of all telescope addresses (definition 1: a tenth).
    pub targets_share: f64,
    /// And for at least so many (Merit publishes scanner events from 10 targets on).
    pub targets_min: u64,
    /// Or it is among so small a share of a day's sources, by packets (definition 2) or by
    /// services (definition 3): 1e-4, as measured on the day before.
    pub share: f64,
    /// Sources of a day without which that share says nothing, so that floors alone hold:
    /// with 1e-4, ten sources.
    pub sources_min: u64,
    /// Packets a day, at least: a floor for small telescopes, derived, not published.
    pub packets_min: u64,
    /// Services a day, at least: a floor for small telescopes, derived, not published.
    pub services_min: u64,
}

impl Default for Aggressive {
    fn default() -> Self {
        Self {
            targets_share: 0.1,
            targets_min: 10,
            share: 1e-4,
            sources_min: 100_000,
            packets_min: 1_000,
            services_min: 100,
        }
    }
}

/// When a crowd of new sources is forged by one machine.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpoofSuspect {
    /// New sources of one /24, at least: a quarter of it. Derived, not published: chosen so
    /// that an ordinary outbreak, which infects some hosts of a network, stays below.
    pub sources_min: u64,
    /// New sources of one /16, at least. Derived, not published: above the 270 real bots of
    /// one /16 on the test day, which must stay infected hosts.
    pub sources_wide_min: u64,
    /// Seconds within which they appear.
    pub seconds_max: u64,
    /// Distinct times-to-live per sensor, at most: a captured flood of 37,623 forged sources
    /// (StopDDoS) has two.
    pub ttls_max: u32,
    /// Packets per source, at most, as long as they go on, unless the prefix is filled from
    /// its first address to its last: a forger needs one for each, or the few that name a host.
    pub packets_per_source: u64,
    /// Networks remembered at once.
    pub remembered_max: usize,
}

impl Default for SpoofSuspect {
    fn default() -> Self {
        Self {
            sources_min: 64,
            sources_wide_min: 512,
            seconds_max: 600,
            ttls_max: 2,
            packets_per_source: 5,
            remembered_max: 100_000,
        }
    }
}

/// When a host is an open reflector.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenReflector {
    /// Telescope addresses it answered, at least: answers to one are an attack on that one
    /// (7,055 reflectors of a captured attack answer to one address) ...
    pub targets_min: u64,
    /// ... or days (UTC) on which it answered.
    pub days_min: u64,
}

impl Default for OpenReflector {
    fn default() -> Self {
        Self {
            targets_min: 2,
            days_min: 2,
        }
    }
}

/// When new infected hosts of a partner are a jump.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jump {
    /// New infected hosts within an hour, at least.
    pub hosts_min: u64,
    /// Robust deviations above the partner's usual hour (as for surges).
    pub deviations: f64,
    /// The chance of so many, by a negative binomial with the moments of usual hours
    /// (as for victims).
    pub chance: f64,
    /// Hours of history without which the busiest of them is taken to be usual: two days. What
    /// was there before is met less and less often, so this asks too much rather than too
    /// little.
    pub history_min: usize,
    /// Hours of history without which `hosts_unknown_min` counts besides: a day, as hosts keep
    /// its hours.
    pub history_day: usize,
    /// New infected hosts within an hour, at least, on the first day. A choice, not a
    /// published figure: half of what may be opened in an hour, and above the 270 bots of the
    /// test day, so outbreaks of the first day are mostly left to their single cases.
    pub hosts_unknown_min: u64,
    /// Hours of history that count: four weeks.
    pub history_max: usize,
}

impl Default for Jump {
    fn default() -> Self {
        Self {
            hosts_min: 10,
            deviations: 4.0,
            chance: 1e-6,
            history_min: 48,
            history_day: 24,
            hosts_unknown_min: 500,
            history_max: 4 * 7 * 24,
        }
    }
}

/// When requests to amplifiers are forged in the name of their victim.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reflection {
    /// Requests in one interval, before any of the following is evidence.
    pub packets_min: u64,
    /// Requests per target in one interval: a scanner asks each target once, or a few times
    /// when it repeats lost probes (nmap: at most 10, as a rule 1); whoever abuses
    /// reflectors asks the same ones without end (Krämer et al., AmpPot, 2015: 100
    /// requests are an attack).
    pub packets_per_target: u64,
    /// Requests in one interval before repetition is evidence.
    pub repeats_min: u64,
    /// Hop counts of one host differ by no more: wider, and several hosts use its name.
    pub hops_spread: u8,
    /// Ports of services that attackers put down as the source, so that answers hit them.
    pub attacked_ports: Vec<u16>,
}

impl Default for Reflection {
    fn default() -> Self {
        Self {
            packets_min: 25,
            packets_per_target: 10,
            repeats_min: 100,
            hops_spread: 3,
            attacked_ports: vec![80, 443],
        }
    }
}

/// When backscatter shows an attack.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DdosVictim {
    /// Answers, at least (Moore, Shannon, Brown, Voelker, Savage: Inferring Internet
    /// Denial-of-Service Activity, 2006, as implemented in CAIDA's Corsaro).
    pub packets_min: u64,
    /// Seconds an attack lasts, at least (as above).
    pub seconds_min: u64,
    /// Answers within a minute, at least, at a telescope of 2^24 addresses (as above);
    /// smaller telescopes rely on the test below.
    pub packets_per_minute: f64,
    /// Answers that count although the attack was shorter or slower, if they are this many
    /// on as many targets, in two intervals.
    pub overwhelming: u64,
    /// The fewest answers for the test: this many, and by chance less likely than `chance`.
    pub significant_min: u64,
    /// The chance, given what this victim sent before.
    pub chance: f64,
    /// What a victim is taken to send anyway, at least, in packets per minute.
    pub usual_per_minute: f64,
    /// Distinct targets, at least (or all there are): random spoofing hits another one
    /// almost every time; what keeps hitting one is misdirected.
    pub targets_min: u64,
    /// An attack is over after this much silence, in seconds (Corsaro).
    pub silence_seconds: u64,
    /// Addresses of one /24 (IPv6: of one /64, or /64 networks of one /48) under attack at
    /// once that are one carpet bombing. A choice, not a published figure.
    pub carpet_min: usize,
    /// Victims remembered at once.
    pub remembered_max: usize,
}

impl Default for DdosVictim {
    fn default() -> Self {
        Self {
            packets_min: 25,
            seconds_min: 60,
            packets_per_minute: 30.0,
            overwhelming: 100,
            significant_min: 10,
            chance: 1e-6,
            usual_per_minute: 0.1,
            targets_min: 10,
            silence_seconds: 300,
            carpet_min: 8,
            remembered_max: 100_000,
        }
    }
}

/// When sources have one rhythm: parameters of Dark-TRACER (Han, Takeuchi, Takahashi, Inoue,
/// 2022; repository Gotchance/Dark-TRACER), unless another source is named.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Coordinated {
    /// TCP ports left out, because many sources ask for them at any time.
    pub excluded_ports: Vec<u16>,
    /// Networks without which a window's density says nothing.
    pub networks_min: usize,
    /// Networks of one window that are judged: of more, a sample.
    pub networks_max: usize,
    /// Penalties of the graphical lasso, ascending.
    pub penalties: Vec<f64>,
    /// Windows of ten minutes without which no density stands out: a day.
    pub history_min: usize,
    /// Windows of ten minutes that a density is compared with: three days.
    pub history_max: usize,
    /// The largest density stands out if the others have at most this share of the variance.
    pub variance_share: f64,
    /// Networks a port is asked from, at least, where the density stands out.
    pub density_networks_min: usize,
    /// Packets in half an hour from which a network is split into rhythms.
    pub packets_min: u64,
    /// Packets in a minute beyond which a network is left out.
    pub minute_packets_max: u32,
    /// Most rhythms that packets are split into; every number up to it is tried.
    pub ranks_max: usize,
    /// Updates of one factorisation, at most.
    pub iterations_max: usize,
    /// Part in a rhythm from which a network is of its group, as a share of the largest.
    pub part_share: f64,
    /// Share of a group that must ask for a port.
    pub port_share: f64,
    /// Networks of a group that must ask for a port: below five, aggregates are not shown
    /// (Dark-NMF: 2).
    pub group_networks_min: usize,
    /// How unlikely a port's rhythm must be by chance; ours: about a hundred ports are tested
    /// in a window, so one false alarm in about half a year.
    pub chance: f64,
    /// Share of packets, and of pairs, at one target from which it is no scan.
    pub target_share: f64,
    /// Pairs of source and port followed in one window.
    pub pairs_max: usize,
}

impl Default for Coordinated {
    fn default() -> Self {
        Self {
            excluded_ports: vec![22, 23, 80, 81, 445, 1433, 2323, 3389, 5555, 8080, 52_869],
            networks_min: 500,
            networks_max: 1_000,
            penalties: vec![0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
            history_min: 144,
            history_max: 432,
            variance_share: 0.98,
            density_networks_min: 20,
            packets_min: 2,
            minute_packets_max: 60,
            ranks_max: 10,
            iterations_max: 3_000,
            part_share: 0.5,
            port_share: 0.3,
            group_networks_min: 5,
            chance: 1e-6,
            target_share: 0.7,
            pairs_max: 131_072,
        }
    }
}

/// When a sensor has fallen silent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensorSilence {
    /// Seconds without an interval, while others reported.
    pub silence_seconds: u64,
}

impl Default for SensorSilence {
    fn default() -> Self {
        Self {
            silence_seconds: 900,
        }
    }
}

/// How long cases live.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cases {
    /// A case about a host closes after so many quiet days.
    pub quiet_days: u64,
    /// New cases of one kind for one partner within an hour; what comes beyond is withheld
    /// and counted: a flood of forged sources must not become a flood of messages.
    pub openings_per_hour: u32,
    /// Jumps in the number of new infected hosts.
    pub jump: Jump,
    /// The language of explanations.
    pub language: Language,
}

impl Default for Cases {
    fn default() -> Self {
        Self {
            quiet_days: 7,
            openings_per_hour: 1_000,
            jump: Jump::default(),
            language: Language::En,
        }
    }
}

/// A language of the catalogues.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The words of explanations.
    pub(crate) fn texts(self) -> &'static Texts {
        Texts::of(self.tag()).expect("a test reads the catalogue of each language")
    }
}
