//! What people say, as far as it decides who is told.

use noroshi_proto::time::Millis;
use noroshi_store::alert::Kind;
use noroshi_store::maintenance::Maintenance;
use noroshi_store::observations::Observation;
use noroshi_store::origin::PartnerId;
use noroshi_store::steps::Refuted;

use super::case::Case;
use super::{Key, case};
use crate::finding::Finding;

const DAY_MILLIS: u64 = 86_400_000;

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
    /// What holds after what was heard `before`, ready to be asked. A suppression that is taken back
    /// holds until its day of UTC is over: who could refute a case, take that back and see it opened
    /// again would learn each time which packets met a telescope.
    pub(super) fn after(self, before: &Self, now: Millis) -> Self {
        let mut heard = self.sorted();
        let midnight = Millis((Observation::day_of(now) + 1) * DAY_MILLIS);
        let gone = before.suppressions.iter();
        let gone = gone.filter(|one| one.until > now && !heard.says(one));
        let lasting = gone.map(|one| Suppression {
            until: one.until.min(midnight),
            ..one.clone()
        });
        let lasting: Vec<Suppression> = lasting.collect();
        heard.suppressions.extend(lasting);
        heard.sorted()
    }

    /// Whether this is among it, until whenever.
    fn says(&self, suppression: &Suppression) -> bool {
        self.of_subject(&suppression.subject).any(|one| {
            one.partner == suppression.partner && one.reason_code == suppression.reason_code
        })
    }

    /// Suppressions by subject.
    fn sorted(mut self) -> Self {
        self.suppressions
            .sort_by(|one, other| one.subject.cmp(&other.subject));
        self
    }

    /// Suppressions of this partner about this subject and rule.
    fn about(&self, key: &Key, reason_code: &str) -> impl Iterator<Item = &Suppression> {
        self.of_subject(&key.subject).filter(move |one| {
            key.partner.as_deref() == Some(one.partner.as_str()) && one.reason_code == reason_code
        })
    }

    fn of_subject(&self, subject: &str) -> impl Iterator<Item = &Suppression> {
        let first = self
            .suppressions
            .partition_point(|one| one.subject.as_str() < subject);
        self.suppressions[first..]
            .iter()
            .take_while(move |one| one.subject == subject)
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
