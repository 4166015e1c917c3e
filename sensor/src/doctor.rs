//! What a sensor needs where it stands, and whether it is there: judged from what was looked
//! at, with what to do about it.

use std::fmt;
use std::path::Path;

use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::limits::{CLOCK_AHEAD_MAX, CLOCK_SLOW_MAX};
use noroshi_proto::loss::{Counters, Loss};
use noroshi_proto::time::Millis;
use serde::Serialize;

use crate::config::size::ByteSize;
use crate::update::state::State;

/// Packets per second that an address of unused IPv4 space receives at least: a tenth of what
/// one of nicter's did in 2025 (701.0e9 packets on 280,000 addresses), since many networks
/// filter the ports that are asked for most.
const QUIET_RATE: f64 = 0.0079;
/// With so many packets expected, none by chance is rarer than 1 in 1,000 (e⁻⁷).
const EXPECTED_MIN: f64 = 7.0;
/// How far two clocks may be apart without a word, in milliseconds: intervals last at least a
/// second.
const CLOCK_APART_MAX: u64 = 500;

/// How well it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Good,
    /// The sensor works, but somebody should look.
    Doubtful,
    /// The sensor does not work like this.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// What.
    pub part: &'static str,
    /// How it is.
    pub health: Health,
    /// What was found, and what to do.
    pub finding: String,
}

impl Diagnosis {
    /// It is as it should be.
    pub fn good(part: &'static str, finding: impl Into<String>) -> Self {
        Self::new(part, Health::Good, finding)
    }

    /// Somebody should look.
    pub fn doubtful(part: &'static str, finding: impl Into<String>) -> Self {
        Self::new(part, Health::Doubtful, finding)
    }

    /// It has to be mended.
    pub fn bad(part: &'static str, finding: impl Into<String>) -> Self {
        Self::new(part, Health::Bad, finding)
    }

    fn new(part: &'static str, health: Health, finding: impl Into<String>) -> Self {
        Self {
            part,
            health,
            finding: finding.into(),
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let health = match self.health {
            Health::Good => "good",
            Health::Doubtful => "doubtful",
            Health::Bad => "bad",
        };
        write!(f, "{health:9} {:10} {}", self.part, self.finding)
    }
}

/// What the file system of the spool said, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The spool has.
    pub used: u64,
    /// The spool may have.
    pub allowed: u64,
    /// Everybody may still have.
    pub free: u64,
}

/// Whether the spool can grow as far as it may.
pub fn disk(spool: &Path, disk: Disk) -> Diagnosis {
    let Disk {
        used,
        allowed,
        free,
    } = disk;
    let path = spool.display();
    let sizes = format!(
        "the spool {path} has {} of {}, and {} are free",
        size(used),
        size(allowed),
        size(free)
    );
    if used.saturating_add(free) < allowed {
        let advice = "it will be full before the spool is: write a smaller spool.bytes_max, or make \
                      room";
        return Diagnosis::doubtful("disk", format!("{sizes}: {advice}"));
    }
    Diagnosis::good("disk", sizes)
}

fn size(bytes: u64) -> String {
    if bytes < ByteSize::mebibytes(1024).bytes() {
        return format!(
            "{:.1} MiB",
            bytes as f64 / ByteSize::mebibytes(1).bytes() as f64
        );
    }
    format!(
        "{:.1} GiB",
        bytes as f64 / ByteSize::mebibytes(1024).bytes() as f64
    )
}

/// Whether anything reaches a telescope of so many IPv4 addresses, from what an interface
/// brought within some seconds.
pub fn telescope(counted: &Counters, addresses: u64, seconds: u64) -> Diagnosis {
    let packets = counted.packets;
    let elsewhere = counted.losses.of(Loss::OutsideTelescope);
    let other = counted.frames - packets - elsewhere;
    let seen = format!(
        "{packets} packets to the telescope in {seconds} s, {elsewhere} to other addresses, {other} \
         other frames"
    );
    let expected = addresses as f64 * QUIET_RATE * seconds as f64;
    if packets > 0 {
        return Diagnosis::good("telescope", seen);
    }
    let advice = if expected >= EXPECTED_MIN {
        "unused space is never that quiet: is the prefix routed to this machine, and this the \
         interface?"
    } else {
        "too short to tell for so few addresses: look for longer with --seconds"
    };
    Diagnosis::doubtful("telescope", format!("{seen}: {advice}"))
}

/// How far our clock is from the collector's: both in milliseconds, read at the same moment but
/// for `trip` milliseconds.
pub fn clock(ours: u64, theirs: u64, trip: u64) -> Diagnosis {
    let apart = ours.abs_diff(theirs).saturating_sub(trip);
    let ahead = ours > theirs;
    let way = if ahead { "ahead of" } else { "behind" };
    let finding = format!("{:.1} s {way} the collector's", apart as f64 / 1_000.0);
    let most = if ahead {
        CLOCK_AHEAD_MAX
    } else {
        CLOCK_SLOW_MAX
    };
    if u128::from(apart) > most.as_millis() {
        let advice = "the collector takes nothing from this clock: set it, and keep it with NTP";
        return Diagnosis::bad("clock", format!("{finding}: {advice}"));
    }
    if apart > CLOCK_APART_MAX {
        let advice = "what is seen here is told for another time: keep the clock with NTP";
        return Diagnosis::doubtful("clock", format!("{finding}: {advice}"));
    }
    Diagnosis::good("clock", "agrees with the collector's")
}

/// Whether a certificate lets `sensor` in at `now`.
pub fn identity(certificate: &SensorCertificate, sensor: &SensorId, now: Millis) -> Diagnosis {
    const PART: &str = "identity";
    let SensorCertificate {
        sensor: named,
        valid,
    } = certificate;
    if named != sensor {
        let text = format!(
            "the certificate is sensor {named}'s, and the configuration says {sensor}: name the \
             right one, or enrol {sensor} here"
        );
        return Diagnosis::bad(PART, text);
    }
    if valid.end <= now {
        let text = format!(
            "the certificate expired at {}: enrol the sensor again",
            valid.end
        );
        return Diagnosis::bad(PART, text);
    }
    Diagnosis::good(
        PART,
        format!("the certificate is {named}'s, until {}", valid.end),
    )
}

/// What became of the sensor's updates, as far as it remembers.
pub fn updates(state: &State, now: Millis) -> Diagnosis {
    const PART: &str = "updates";
    let runs = match (state.trial, state.good) {
        (Some(trial), _) => format!("{} is on trial", trial.version),
        (None, Some(good)) => format!("{good} has reported and runs, unless a newer is installed"),
        (None, None) => "the version that was installed runs".to_owned(),
    };
    if let Some(failed) = &state.failed {
        let advice = "it is not tried again: a higher version has to be signed";
        let text = format!(
            "{runs}; {} failed here: {}: {advice}",
            failed.version, failed.reason
        );
        return Diagnosis::doubtful(PART, text);
    }
    if let Some(since) = state.held_back_since(now) {
        let advice = "sign again what runs, or ask the centre's operator who holds updates back";
        let text = format!("{runs}; what was offered last has expired at {since}: {advice}");
        return Diagnosis::doubtful(PART, text);
    }
    Diagnosis::good(PART, runs)
}

#[cfg(test)]
mod tests {
    use noroshi_proto::update::Digest;

    use super::*;
    use crate::update::state::Seen;

    #[test]
    fn updates_that_failed_or_are_held_back_are_doubtful() {
        let version = |text: &str| text.parse().unwrap();
        let mut state = State {
            good: Some(version("0.2.0")),
            seen: Some(Seen {
                version: version("0.2.0"),
                sha256: Digest([0; 32]),
                expires: Millis(1_000),
            }),
            ..State::default()
        };
        assert_eq!(updates(&state, Millis(999)).health, Health::Good);
        let held = updates(&state, Millis(1_000));
        assert_eq!(held.health, Health::Doubtful);
        assert!(held.finding.contains("holds updates back"), "{held}");
        state.fail(version("0.3.0"), "it broke");
        let failed = updates(&state, Millis(0));
        assert!(
            failed.finding.contains("0.3.0 failed here: it broke"),
            "{failed}"
        );
        assert_eq!(failed.health, Health::Doubtful);
    }

    #[test]
    fn a_certificate_is_judged_by_name_and_time() {
        let sensor = |id: &str| SensorId::new(id).unwrap();
        let certificate = SensorCertificate {
            sensor: sensor("a"),
            valid: Millis(1_000)..Millis(2_000),
        };
        let health = |id, now| identity(&certificate, &sensor(id), Millis(now)).health;
        assert_eq!(health("a", 1_999), Health::Good);
        assert_eq!(health("a", 2_000), Health::Bad);
        assert_eq!(health("b", 1_500), Health::Bad);
    }

    #[test]
    fn a_disk_that_ends_before_the_spool_does_is_doubtful() {
        let of = |used, free| {
            let allowed = 10 << 30;
            disk(
                Path::new("spool"),
                Disk {
                    used,
                    allowed,
                    free,
                },
            )
        };
        assert_eq!(of(0, 10 << 30).health, Health::Good);
        assert_eq!(of(4 << 30, 6 << 30).health, Health::Good);
        let short = of(4 << 30, 5 << 30);
        assert_eq!(short.health, Health::Doubtful);
        assert!(
            short
                .finding
                .contains("4.0 GiB of 10.0 GiB, and 5.0 GiB are free")
        );
    }

    #[test]
    fn silence_is_doubted_where_noise_was_due() {
        let mut counted = Counters {
            frames: 7,
            packets: 0,
            ..Counters::default()
        };
        counted.losses.add(Loss::OutsideTelescope, 5);
        let long = telescope(&counted, 4_096, 10);
        assert_eq!(long.health, Health::Doubtful);
        assert!(
            long.finding.contains("never that quiet"),
            "{}",
            long.finding
        );
        assert!(
            long.finding
                .contains("5 to other addresses, 2 other frames")
        );
        let short = telescope(&counted, 16, 5);
        assert!(short.finding.contains("too short"), "{}", short.finding);
        counted.frames += 1;
        counted.packets += 1;
        assert_eq!(telescope(&counted, 4_096, 10).health, Health::Good);
    }

    #[test]
    fn clocks_are_judged_by_what_the_collector_takes() {
        let hour = 3_600_000;
        assert_eq!(clock(hour, hour + 400, 0).health, Health::Good);
        assert_eq!(clock(hour + 900, hour, 500).health, Health::Good);
        assert_eq!(clock(hour + 2_000, hour, 0).health, Health::Doubtful);
        assert_eq!(clock(2 * hour, hour, 0).health, Health::Bad);
        assert_eq!(clock(hour, hour + 2_000, 0).health, Health::Doubtful);
        assert_eq!(clock(hour, 2 * hour, 0).health, Health::Bad);
    }
}
