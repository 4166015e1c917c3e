//! Every threshold, with where it comes from.

mod surges;

use serde::Deserialize;

pub use self::surges::{CountrySilence, NewService, ScanSurge};

/// What the detectors and the alerts are told; every key has a default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Scanners, shared by every detector that is keyed by source.
    pub sources: Sources,
    /// Scanning and infected hosts.
    pub hosts: Hosts,
    /// Reflection: who looks for amplifiers, and whom they are turned against.
    pub reflection: Reflection,
    /// Victims of denial of service.
    pub ddos_victim: DdosVictim,
    /// More sources than usual.
    pub scan_surge: ScanSurge,
    /// Countries whose background radiation stopped.
    pub country_silence: CountrySilence,
    /// Sensors that stopped reporting.
    pub sensor_silence: SensorSilence,
    /// The life of a case.
    pub cases: Cases,
}

/// When what one source does is one event.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
        }
    }
}

/// When requests to amplifiers are forged in the name of their victim.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
    /// Addresses of one /24 (IPv6: /64) under attack at once that are one carpet bombing.
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

/// When a sensor has fallen silent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cases {
    /// A case about a host closes after so many quiet days.
    pub quiet_days: u64,
    /// New cases of one kind for one partner within an hour; what comes beyond is withheld
    /// and counted: a flood of forged sources must not become a flood of messages.
    pub openings_per_hour: u32,
    /// The language of explanations.
    pub language: Language,
}

impl Default for Cases {
    fn default() -> Self {
        Self {
            quiet_days: 7,
            openings_per_hour: 1_000,
            language: Language::En,
        }
    }
}

/// A language of the catalogues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}
