//! One address, one case: how cases about hosts give way to each other.

use std::borrow::Cow;

use noroshi_store::alert::{Alert, Confidence, Kind, State, Subject};
use uuid::Uuid;

use super::addressing::Addressed;
use super::{Alerts, Key, Outcome};
use crate::finding::{About, Finding, Reason};

impl Alerts {
    /// The finding as this reader is told: of the kind it is to them. What an infected host
    /// scans besides belongs to its case, as long as that is open.
    pub(super) fn told<'a>(&self, finding: &'a Finding, addressed: &Addressed) -> Cow<'a, Finding> {
        let mut told = Cow::Borrowed(finding);
        if addressed.kind != finding.kind {
            told.to_mut().kind = addressed.kind;
            if finding.reason == Reason::BotPorts {
                // a known scanner that asks for a botnet's ports
                told.to_mut().reason = Reason::Scan;
                told.to_mut().fingerprint = None;
            }
        }
        if told.kind == Kind::ScanningHost {
            let mut key = Key::new(&told, addressed);
            key.kind = Kind::InfectedHost;
            if self.cases.contains_key(&key) {
                told.to_mut().kind = Kind::InfectedHost;
                told.to_mut().fingerprint = None; // the case keeps its own reason
            }
        }
        told
    }

    /// Closes the case about a scanner that turns out to be infected: it goes on as that.
    pub(super) fn supersede(&mut self, infected: Key) -> Option<Outcome> {
        let scanner = Key {
            kind: Kind::ScanningHost,
            ..infected
        };
        let mut case = self.cases.remove(&scanner)?;
        self.observations.extend(case.days());
        Some(Outcome::Closed(case.next(State::Closed, self.texts)))
    }

    /// Takes back what was said of forged sources before there were enough of them to tell.
    pub(super) fn withdraw_framed(&mut self, finding: &Finding) -> Vec<Outcome> {
        let About::Prefix(prefix, _) = &finding.about else {
            return Vec::new();
        };
        let is_framed = |alert: &Alert| {
            let Subject::Source { source, .. } = alert.subject else {
                return false;
            };
            matches!(alert.kind, Kind::InfectedHost | Kind::ScanningHost)
                && prefix.contains(&source)
                && alert.first_seen >= finding.first
                && alert.confidence < Confidence::High
        };
        let cases = self.cases.values();
        let framed = cases.filter(|case| is_framed(&case.alert));
        let ids: Vec<Uuid> = framed.map(|case| case.alert.id).collect();
        ids.into_iter().filter_map(|id| self.withdraw(id)).collect()
    }
}
