//! Which sensors are given a version: some first, then all.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use noroshi_proto::id::SensorId;
use noroshi_proto::update::version::Version;
use sha2::{Digest, Sha256};

/// Sensors that are named one by one.
pub const SENSORS_MAX: usize = 256;

/// To whom a version goes. As text: `all`, `10%`, `jp-1,th-2`, or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// Every sensor.
    All,
    /// So many of a hundred, 1 to 99: others for each version, and for one version those of a
    /// smaller share and more.
    Share(u8),
    /// These, 1 to [`SENSORS_MAX`].
    Sensors(BTreeSet<SensorId>),
    /// Nobody any more.
    Nobody,
}

/// These words name nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` says not who is given it: write all, 1% to 99%, or up to {SENSORS_MAX} sensors with commas between"
)]
pub struct NoRollout(String);

impl Rollout {
    /// Whether a sensor is given this version.
    pub fn reaches(&self, sensor: &SensorId, version: Version) -> bool {
        match self {
            Self::All => true,
            Self::Share(percent) => lot(sensor, version) < *percent,
            Self::Sensors(sensors) => sensors.contains(sensor),
            Self::Nobody => false,
        }
    }
}

/// 0 to 99, for each sensor and version another.
fn lot(sensor: &SensorId, version: Version) -> u8 {
    let digest = Sha256::digest(format!("{version}/{sensor}"));
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]); // of 32
    u8::try_from(u64::from_be_bytes(first) % 100).unwrap_or(99)
}

impl FromStr for Rollout {
    type Err = NoRollout;

    fn from_str(text: &str) -> Result<Self, NoRollout> {
        let wrong = || NoRollout(text.to_owned());
        match text {
            "all" => return Ok(Self::All),
            "none" => return Ok(Self::Nobody),
            _ => {}
        }
        if let Some(percent) = text.strip_suffix('%') {
            let percent = percent.parse::<u8>().ok();
            let percent = percent.filter(|percent| (1..100).contains(percent));
            return percent.map(Self::Share).ok_or_else(wrong);
        }
        let sensors: Option<BTreeSet<_>> = text.split(',').map(SensorId::new).collect();
        let sensors = sensors.filter(|sensors| sensors.len() <= SENSORS_MAX);
        sensors.map(Self::Sensors).ok_or_else(wrong)
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Nobody => f.write_str("none"),
            Self::Share(percent) => write!(f, "{percent}%"),
            Self::Sensors(sensors) => {
                let names: Vec<&str> = sensors.iter().map(SensorId::as_str).collect();
                f.write_str(&names.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensor(number: u32) -> SensorId {
        SensorId::new(&format!("s-{number}")).unwrap()
    }

    fn rollout(text: &str) -> Rollout {
        text.parse().unwrap()
    }

    #[test]
    fn words_and_rollouts_are_one() {
        for text in ["all", "none", "1%", "99%", "jp-1", "jp-1,th-2"] {
            assert_eq!(rollout(text).to_string(), text);
        }
        for wrong in ["", "0%", "100%", "x%", "A", "a,,b", "a b"] {
            assert!(wrong.parse::<Rollout>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_about_its_size_grows_and_is_another_for_each_version() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let of = |text: &str, named: &str| -> BTreeSet<u32> {
            let (rollout, version) = (rollout(text), version(named));
            let reached = |number: &u32| rollout.reaches(&sensor(*number), version);
            (0..1_000).filter(reached).collect()
        };
        let (tenth, half) = (of("10%", "0.2.0"), of("50%", "0.2.0"));
        assert!((50..150).contains(&tenth.len()), "{}", tenth.len());
        assert!((400..600).contains(&half.len()), "{}", half.len());
        assert!(tenth.is_subset(&half));
        assert_ne!(tenth, of("10%", "0.3.0"));
        assert_eq!(of("all", "0.2.0").len(), 1_000);
        assert_eq!(of("s-7,s-8", "0.2.0"), BTreeSet::from([7, 8]));
        assert!(of("none", "0.2.0").is_empty());
    }
}
