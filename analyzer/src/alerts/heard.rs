//! What people say, as far as it decides who is told.

use noroshi_proto::time::Millis;
use noroshi_store::alert::Kind;
use noroshi_store::maintenance::Maintenance;
use noroshi_store::origin::PartnerId;
use noroshi_store::steps::Refuted;

use super::case::Case;
use super::{Key, case};
use crate::finding::Finding;

/// What a partner does not want to hear again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Who said so.
    pub partner: PartnerId,
    /// About whom: an address, a prefix, or `service@scope`.
    pub subject: String,
    /// Which rule was wrong; another rule is new evidence.
    pub reason_code: String,
    /// Until when, in event time.
    pub until: Millis,
}

impl Suppression {
    /// What follows from a partner's word; `None` where the case is no partner's.
    pub fn new(refuted: &Refuted) -> Option<Self> {
        let alert = &refuted.case.alert;
        Some(Self {
            partner: PartnerId::new(alert.partner.as_deref()?)?,
            subject: case::subject_name(&alert.subject),
            reason_code: alert.reason_code.clone(),
            until: refuted.until,
        })
    }
}

/// Everything people say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// What partners do not want to hear again.
    pub suppressions: Vec<Suppression>,
    /// When sensors are worked on.
    pub maintenance: Vec<Maintenance>,
}

impl Heard {
    /// Ready to be asked: suppressions by subject.
    pub(super) fn sorted(mut self) -> Self {
        self.suppressions
            .sort_by(|one, other| one.subject.cmp(&other.subject));
        self
    }

    /// Suppressions of this partner about this subject and rule.
    fn about(&self, key: &Key, reason_code: &str) -> impl Iterator<Item = &Suppression> {
        let first = self
            .suppressions
            .partition_point(|one| one.subject < key.subject);
        let of_subject = self.suppressions[first..]
            .iter()
            .take_while(|one| one.subject == key.subject);
        of_subject.filter(move |one| {
            key.partner.as_deref() == Some(one.partner.as_str()) && one.reason_code == reason_code
        })
    }

    /// Whether the partner does not want to hear of this finding.
    pub(super) fn suppresses(&self, key: &Key, finding: &Finding) -> bool {
        self.about(key, finding.reason.code())
            .any(|one| finding.at * 1000 < one.until.0)
    }

    /// Whether a case is what a partner calls a false positive.
    pub(super) fn refutes(&self, key: &Key, case: &Case) -> bool {
        self.about(key, &case.alert.reason_code)
            .any(|one| case.alert.detected_at < one.until)
    }

    /// Whether maintenance explains this silence. After its end a sensor has as long to come
    /// back as it may be silent at any time.
    pub(super) fn explains(&self, finding: &Finding, silence_seconds: u64) -> bool {
        if !matches!(finding.kind, Kind::SensorSilence | Kind::CountrySilence) {
            return false;
        }
        let at = Millis(finding.at * 1000);
        self.maintenance.iter().any(|one| {
            let concerns = finding.sensors.is_empty() || finding.sensors.contains(&one.sensor);
            concerns && one.from <= at && at.0 < one.until.0 + silence_seconds * 1000
        })
    }
}
