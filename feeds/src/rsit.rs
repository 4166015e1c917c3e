//! What an alert is in the Reference Security Incident Taxonomy (RSIT, working copy 1003, ENISA),
//! in the words of its machine tags.

use noroshi_store::alert::{Alert, Kind};

/// A class and a type of RSIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rsit {
    /// Such as `malicious-code`.
    pub taxonomy: &'static str,
    /// Such as `infected-system`.
    pub kind: &'static str,
}

/// Where an alert belongs; an exercise is a `test`, whatever it plays.
///
/// A flood is `ddos` and not `dos`: backscatter shows forged sources, not how many machines forge.
pub fn of(alert: &Alert) -> Rsit {
    if alert.exercise {
        return Rsit {
            taxonomy: "test",
            kind: "test",
        };
    }
    let (taxonomy, kind) = match alert.kind {
        Kind::InfectedHost => ("malicious-code", "infected-system"),
        Kind::ScanningHost
        | Kind::ReflectionRecon
        | Kind::ScanSurge
        | Kind::NewService
        | Kind::CoordinatedScan => ("information-gathering", "scanner"),
        Kind::OpenReflector => ("vulnerable", "ddos-amplifier"),
        Kind::DdosVictim | Kind::ReflectionVictim => ("availability", "ddos"),
        Kind::CountrySilence | Kind::SensorSilence => ("availability", "outage"),
        Kind::SpoofSuspect => ("other", "undetermined"),
    };
    Rsit { taxonomy, kind }
}

/// The malware an infected host shows, in lower case. Other fingerprints are those of tools.
pub fn malware(alert: &Alert) -> Option<&str> {
    let fingerprint = alert.evidence.fingerprint.as_deref()?;
    (alert.kind == Kind::InfectedHost && fingerprint == "mirai").then_some(fingerprint)
}
