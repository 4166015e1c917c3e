//! What somebody says has happened, whoever it is.

use std::collections::{BTreeSet, HashMap};

use noroshi_proto::traffic::Service;
use noroshi_store::alert::{Alert, Confidence, Kind, Severity, Subject};
use serde::Serialize;
use uuid::Uuid;

use crate::alerts::{Outcome, subject_of};

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// Of what kind.
    pub kind: Kind,
    /// About whom or what.
    pub subject: String,
    /// The services it names.
    pub services: Vec<String>,
    /// When it was said first, in event time.
    pub at: u64,
    /// Until when it is said.
    pub until: u64,
    /// How urgent it became.
    pub severity: Severity,
    /// How sure it became.
    pub confidence: Confidence,
    /// Who is told.
    pub partners: BTreeSet<String>,
}

impl Claim {
    /// A surge of a service, said by a rule of others from `at` on.
    pub fn of_series(service: Service, at: u64) -> Self {
        Self {
            kind: Kind::ScanSurge,
            subject: service.to_string(),
            services: vec![service.to_string()],
            at,
            until: at,
            severity: Severity::Medium,
            confidence: Confidence::Medium,
            partners: BTreeSet::new(),
        }
    }

    fn of(alert: &Alert) -> Self {
        let mut services = match alert.kind {
            Kind::ScanSurge | Kind::NewService | Kind::CoordinatedScan => {
                alert.evidence.services.clone()
            }
            _ => Vec::new(),
        };
        if let Subject::Service { service, .. } = &alert.subject {
            services.push(service.clone());
        }
        Self {
            kind: alert.kind,
            subject: subject_of(alert),
            services,
            at: alert.opened_at.seconds(),
            until: alert.opened_at.seconds(),
            severity: alert.severity,
            confidence: alert.confidence,
            partners: alert.partner.clone().into_iter().collect(),
        }
    }

    /// Whether partners are told of it, rather than the centre alone.
    pub fn is_pushed(&self) -> bool {
        let theirs = !matches!(self.kind, Kind::CoordinatedScan | Kind::SensorSilence);
        theirs && !self.partners.is_empty() && self.confidence >= Confidence::Medium
    }
}

/// What all cases say; one claim where several partners are told the same.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    claims: Vec<Claim>,
    by_case: HashMap<Uuid, usize>,
    by_words: HashMap<(Kind, String, u64), usize>,
}

impl Claims {
    /// Takes in what became of cases.
    pub fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let over = matches!(
                outcome,
                Outcome::Closed(_) | Outcome::Disputed(_) | Outcome::Withdrawn(_)
            );
            let alert = outcome.into_numbered().alert;
            let index = match self.by_case.get(&alert.id) {
                Some(index) => *index,
                None => self.open(&alert),
            };
            let claim = &mut self.claims[index];
            claim.until = claim.until.max(alert.last_seen.seconds());
            claim.severity = claim.severity.max(alert.severity);
            claim.confidence = claim.confidence.max(alert.confidence);
            if over {
                self.by_case.remove(&alert.id);
            }
        }
    }

    /// All of them, in the order they were made.
    pub fn all(&self) -> Vec<Claim> {
        self.claims.clone()
    }

    fn open(&mut self, alert: &Alert) -> usize {
        let claim = Claim::of(alert);
        let words = (claim.kind, claim.subject.clone(), claim.at);
        let index = *self.by_words.entry(words).or_insert(self.claims.len());
        if index == self.claims.len() {
            self.claims.push(claim);
        } else {
            self.claims[index].partners.extend(claim.partners);
        }
        self.by_case.insert(alert.id, index);
        index
    }
}
