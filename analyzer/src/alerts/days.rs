//! What was seen of one case, day by day.

use std::collections::{BTreeMap, BTreeSet};

use noroshi_proto::time::Millis;
use noroshi_store::alert::Alert;
use noroshi_store::observations::Observation;
use uuid::Uuid;

use crate::finding::Finding;

/// Sensors named per day.
const SENSORS_MAX: usize = 256;

/// Every day of a case, and which of them changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    days: BTreeMap<u64, Observation>,
    changed: BTreeSet<u64>,
}

impl Days {
    /// Takes in what was stored before a restart.
    pub(super) fn remember(&mut self, observation: Observation) {
        self.days.entry(observation.day).or_insert(observation);
    }

    /// Counts one finding on the day of its last packet.
    pub(super) fn count(&mut self, finding: &Finding) {
        let day = Observation::day_of(finding.last);
        let one = self.days.entry(day).or_insert_with(|| Observation {
            case: Uuid::nil(), // whose it is says the case when it is handed out
            day,
            partner: String::new(),
            packets: 0,
            targets: 0,
            first: finding.last,
            last: finding.last,
            sensors: BTreeSet::new(),
        });
        one.packets += finding.packets;
        one.targets = one.targets.max(finding.targets);
        let first = Millis(finding.first.0.max(one.start().0));
        one.first = one.first.min(first);
        one.last = one.last.max(finding.last);
        for sensor in &finding.sensors {
            if one.sensors.len() < SENSORS_MAX {
                one.sensors.insert(sensor.clone());
            }
        }
        self.changed.insert(day);
    }

    /// The days that changed since this was last asked.
    pub(super) fn take(&mut self, alert: &Alert) -> Vec<Observation> {
        let changed = std::mem::take(&mut self.changed);
        let changed = changed.iter().filter_map(|day| self.days.get(day));
        changed
            .map(|one| Observation {
                case: alert.id,
                partner: alert.partner.clone().unwrap_or_default(),
                ..one.clone()
            })
            .collect()
    }
}
