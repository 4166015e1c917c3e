//! The one place where findings become alerts.
//!
//! An alert is a case: one per partner, kind and subject, opened by its first evidence.
//! What follows are observations under it. Cases about hosts close after quiet days;
//! attacks and surges close when they are over, and the next one is a new case. All of it
//! is decided by event time, so a replay tells the same story as life did.
//!
//! Whoever is not told is counted, with the reason.

mod addressing;
mod case;
mod jump;
pub mod text;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Kind, State, Subject};
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution;
use uuid::Uuid;

use self::addressing::Addressed;
use self::case::Case;
use self::jump::Jumps;
use self::text::Texts;
use crate::finding::{About, Finding};
use crate::settings::Settings;

/// What becomes of findings.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Seen for the first time: the partner is told.
    Opened(Numbered),
    /// Still going on: the case is refreshed and nobody is told again.
    Continued(Numbered),
    /// Over.
    Closed(Numbered),
    /// Taken back by the operator.
    Withdrawn(Numbered),
}

/// A state of a case, with its number: 1 when it opens, one more for each that follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// The state.
    pub alert: Alert,
    /// Its number.
    pub version: u64,
}

impl Outcome {
    /// The state to be kept.
    pub fn into_numbered(self) -> Numbered {
        match self {
            Self::Opened(numbered)
            | Self::Continued(numbered)
            | Self::Closed(numbered)
            | Self::Withdrawn(numbered) => numbered,
        }
    }
}

/// Whether what is seen is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is.
    Operation,
    /// A drill or a demonstration: alerts say so.
    Exercise,
}

/// Why nobody was told of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Withheld {
    /// No partner's address.
    Nobody,
    /// The source cannot be real, and no partner holds it.
    Bogon,
    /// A partner's, but the registry does not let it be told.
    Registry(attribution::Withheld),
    /// The partner said that this rule is wrong about this subject.
    Suppressed,
    /// Too many new cases of this kind for this partner within an hour.
    TooMany,
    /// Already told before a restart.
    AlreadyTold,
}

impl Withheld {
    /// Its name in counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Bogon => "bogon",
            Self::Registry(reason) => reason.name(),
            Self::Suppressed => "suppressed",
            Self::TooMany => "too_many",
            Self::AlreadyTold => "already_told",
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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

/// Which case a finding belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    partner: Option<String>,
    kind: Kind,
    subject: String,
}

/// Every open case.
#[derive(Debug)]
pub struct Alerts {
    settings: Settings,
    purpose: Purpose,
    texts: &'static Texts,
    cases: BTreeMap<Key, Case>,
    /// No case is due before this second.
    next_due: u64,
    suppressions: Vec<Suppression>,
    withheld: BTreeMap<Withheld, u64>,
    /// When cases were opened, within the last hour, by partner and kind.
    openings: BTreeMap<(Option<String>, Kind), VecDeque<u64>>,
    jumps: Jumps,
}

/// What tells an alert's subject from others: an address, a prefix, a service, a sensor.
pub fn subject_of(alert: &Alert) -> String {
    match &alert.subject {
        Subject::Service { service, .. } => service.clone(),
        subject => case::subject_name(subject),
    }
}

/// The finding as this reader is told: what scans inside its own network is infected, unless
/// it is known to scan.
fn told<'a>(finding: &'a Finding, addressed: &Addressed) -> Cow<'a, Finding> {
    let is_infected = addressed.internal && addressed.scanner.is_none();
    if !is_infected || finding.kind != Kind::ScanningHost {
        return Cow::Borrowed(finding);
    }
    Cow::Owned(Finding {
        kind: Kind::InfectedHost,
        ..finding.clone()
    })
}

impl Alerts {
    /// Without a case.
    pub fn new(settings: &Settings, purpose: Purpose) -> Self {
        Self {
            settings: settings.clone(),
            purpose,
            texts: Texts::of(settings.cases.language),
            cases: BTreeMap::new(),
            next_due: u64::MAX,
            suppressions: Vec::new(),
            withheld: BTreeMap::new(),
            openings: BTreeMap::new(),
            jumps: Jumps::new(&settings.cases.jump),
        }
    }

    /// Takes up a case that was open when the last analyzer stopped.
    pub fn resume(&mut self, alert: Alert, version: u64) {
        if !matches!(alert.state, State::New | State::Continuing) {
            return;
        }
        let key = Key {
            partner: alert.partner.clone(),
            kind: alert.kind,
            subject: case::subject_name(&alert.subject),
        };
        if let (Kind::InfectedHost, Some(partner), Subject::Source { .. }) =
            (alert.kind, &alert.partner, &alert.subject)
        {
            self.jumps.remember(partner, alert.opened_at.seconds());
        }
        let case = Case::resume(alert, version, &self.settings);
        self.next_due = self.next_due.min(case.due);
        self.cases.insert(key, case);
    }

    /// What partners do not want to hear again, from now on.
    pub fn suppress(&mut self, suppressions: Vec<Suppression>) {
        self.suppressions = suppressions;
    }

    /// What becomes of the findings of one window, which began at `start` and ended at
    /// `end` (seconds since 1970). Windows must come in order.
    pub fn merge(
        &mut self,
        findings: Vec<Finding>,
        registry: &Registry,
        (start, end): (u64, u64),
    ) -> Vec<Outcome> {
        let mut outcomes = self.advance_to(start);
        self.jumps.begin(start);
        for finding in findings {
            match addressing::address(&finding, registry) {
                Ok(addressed) => {
                    for one in addressed {
                        let finding = told(&finding, &one);
                        outcomes.extend(self.take(&finding, one));
                    }
                }
                Err(reason) => self.withhold(reason),
            }
        }
        for (finding, addressed) in self.jumps.found() {
            outcomes.extend(self.observe(&finding, addressed));
        }
        outcomes.extend(self.advance_to(end));
        outcomes
    }

    /// Closes what is over by second `now`.
    pub fn advance_to(&mut self, now: u64) -> Vec<Outcome> {
        if now < self.next_due {
            return Vec::new();
        }
        let mut closed = Vec::new();
        let texts = self.texts;
        let mut next_due = u64::MAX;
        self.cases.retain(|_, case| {
            if case.due > now {
                next_due = next_due.min(case.due);
                return true;
            }
            closed.push(Outcome::Closed(case.next(State::Closed, texts)));
            false
        });
        self.next_due = next_due;
        closed
    }

    /// The state of every case that changed since it was last handed out.
    pub fn checkpoint(&mut self) -> Vec<Outcome> {
        let texts = self.texts;
        let changed = self.cases.values_mut().filter(|case| case.changed);
        changed
            .map(|case| Outcome::Continued(case.next(State::Continuing, texts)))
            .collect()
    }

    /// Takes a case back; `None` where it is not open.
    pub fn withdraw(&mut self, id: Uuid) -> Option<Outcome> {
        let found = self.cases.iter().find(|(_, case)| case.alert.id == id);
        let key = found?.0.clone();
        let mut case = self.cases.remove(&key)?;
        Some(Outcome::Withdrawn(case.next(State::Withdrawn, self.texts)))
    }

    /// How many findings nobody was told of, by reason.
    pub fn withheld(&self) -> &BTreeMap<Withheld, u64> {
        &self.withheld
    }

    /// Cases that are open.
    pub fn open(&self) -> usize {
        self.cases.len()
    }

    fn withhold(&mut self, reason: Withheld) {
        *self.withheld.entry(reason).or_default() += 1;
    }

    /// Observes, and sees to what follows from a new case.
    fn take(&mut self, finding: &Finding, addressed: Addressed) -> Vec<Outcome> {
        let kind = finding.kind;
        let counted = (kind == Kind::InfectedHost).then(|| addressed.clone());
        let Some(opened) = self.observe(finding, addressed) else {
            return Vec::new();
        };
        if let Some(addressed) = counted {
            self.jumps.count(finding, &addressed);
        }
        let mut outcomes = vec![opened];
        if kind == Kind::SpoofSuspect {
            outcomes.extend(self.withdraw_framed(finding));
        }
        outcomes
    }

    /// Takes back what was said of forged sources before there were enough of them to tell.
    fn withdraw_framed(&mut self, finding: &Finding) -> Vec<Outcome> {
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

    fn observe(&mut self, finding: &Finding, addressed: Addressed) -> Option<Outcome> {
        let key = Key {
            partner: addressed.partner.as_ref().map(|id| id.as_str().to_owned()),
            kind: finding.kind,
            subject: case::subject_name(&finding.about.subject()),
        };
        if self.is_suppressed(&key, finding) {
            self.withhold(Withheld::Suppressed);
            return None;
        }
        if let Some(case) = self.cases.get_mut(&key) {
            if !case.observe(finding, &addressed, &self.settings) {
                self.withhold(Withheld::AlreadyTold);
            }
            return None;
        }
        if !self.may_open(&key, finding.at) {
            self.withhold(Withheld::TooMany);
            return None;
        }
        let mut case = Case::open(finding, &addressed, &self.settings, self.purpose);
        self.next_due = self.next_due.min(case.due);
        let opened = Outcome::Opened(case.next(State::New, self.texts));
        self.cases.insert(key, case);
        Some(opened)
    }

    fn is_suppressed(&self, key: &Key, finding: &Finding) -> bool {
        self.suppressions.iter().any(|one| {
            key.partner.as_deref() == Some(one.partner.as_str())
                && one.subject == key.subject
                && one.reason_code == finding.reason.code()
                && finding.at * 1000 < one.until.0
        })
    }

    fn may_open(&mut self, key: &Key, at: u64) -> bool {
        let most = self.settings.cases.openings_per_hour as usize;
        let recent = self
            .openings
            .entry((key.partner.clone(), key.kind))
            .or_default();
        while recent.front().is_some_and(|opened| opened + 3_600 <= at) {
            recent.pop_front();
        }
        if recent.len() >= most {
            return false;
        }
        recent.push_back(at);
        true
    }
}
