//! The one place where findings become alerts.
//!
//! An alert is a case: one per partner, kind and subject, opened by its first evidence.
//! What follows are observations under it. Cases about hosts close after quiet days;
//! attacks and surges close when they are over, and the next one is a new case. All of it
//! is decided by event time, so a replay tells the same story as life did.
//!
//! A case that is seen again within a day of its end goes on; attacks alone are new each time.
//! What people say (false positives, maintenance) is heard here too.
//!
//! Whoever is not told is counted, with the reason. A flood of new cases is gathered in one.

mod addressing;
mod case;
mod days;
mod flood;
pub mod heard;
mod hosts;
mod jump;
mod outcome;
pub mod silence;
pub mod text;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Kind, State, Subject};
use noroshi_store::explanation::Texts;
use noroshi_store::observations::Observation;
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution;
use uuid::Uuid;

use self::addressing::Addressed;
use self::case::Case;
use self::flood::Floods;
pub use self::heard::{Heard, Suppression};
use self::jump::Jumps;
pub use self::outcome::{Numbered, Outcome};
use crate::finding::Finding;
use crate::settings::Settings;

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
    /// A sensor is being worked on: its silence means nothing.
    Maintenance,
    /// Too many new cases of this kind for this partner within an hour: gathered in one.
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
            Self::Maintenance => "maintenance",
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

/// The namespace of ids where nobody is shown less than all: the same captures give the same ids.
const REPLAYED: Uuid = Uuid::from_u128(0x6e6f_726f_7368_6920_616c_6572_7420_6964);
/// A case that is seen again within so many seconds of its end goes on.
const REOPEN_SECONDS: u64 = 86_400;

/// Which case a finding belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    partner: Option<String>,
    kind: Kind,
    subject: String,
}

impl Key {
    fn new(finding: &Finding, addressed: &Addressed) -> Self {
        Self {
            partner: addressed.partner.as_ref().map(|id| id.as_str().to_owned()),
            kind: finding.kind,
            subject: case::subject_name(&finding.about.subject()),
        }
    }

    fn of(alert: &Alert) -> Self {
        Self {
            partner: alert.partner.clone(),
            kind: alert.kind,
            subject: case::subject_name(&alert.subject),
        }
    }
}

/// Every open case.
#[derive(Debug)]
pub struct Alerts {
    settings: Settings,
    purpose: Purpose,
    /// What ids of cases are derived in.
    namespace: Uuid,
    texts: &'static Texts,
    cases: BTreeMap<Key, Case>,
    /// No case is due before this second.
    next_due: u64,
    /// Cases that are over, since when, and could go on.
    closed: BTreeMap<Key, (Case, u64)>,
    heard: Heard,
    floods: Floods,
    /// Of cases that are over, what was not handed out yet.
    observations: Vec<Observation>,
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

impl Alerts {
    /// Without a case.
    pub fn new(settings: &Settings, purpose: Purpose) -> Self {
        Self {
            settings: settings.clone(),
            purpose,
            namespace: REPLAYED,
            texts: settings.cases.language.texts(),
            cases: BTreeMap::new(),
            next_due: u64::MAX,
            closed: BTreeMap::new(),
            heard: Heard::default(),
            floods: Floods::new(settings),
            observations: Vec::new(),
            withheld: BTreeMap::new(),
            openings: BTreeMap::new(),
            jumps: Jumps::new(&settings.cases.jump),
        }
    }

    /// With ids that nobody can compute who does not know this namespace
    /// ([`noroshi_store::store::Store::case_namespace`]): who is shown a case without its address
    /// would else try every address until the id matches.
    pub fn named(self, namespace: Uuid) -> Self {
        Self { namespace, ..self }
    }

    /// Takes up a case that was open when the last analyzer stopped, or that could go on.
    pub fn resume(&mut self, alert: Alert, version: u64) {
        let key = Key::of(&alert);
        if let (Kind::InfectedHost, Some(partner), Subject::Source { asn, .. }) =
            (alert.kind, &alert.partner, &alert.subject)
        {
            let opened = alert.opened_at.seconds();
            self.jumps.remember(partner, *asn, opened);
        }
        let case = Case::resume(alert, version, &self.settings);
        match case.alert.state {
            State::New | State::Continuing => {
                let opened = case.alert.opened_at.seconds();
                let openings = self.openings.entry((key.partner.clone(), key.kind));
                let openings = openings.or_default();
                let later = openings.partition_point(|one| *one <= opened);
                openings.insert(later, opened);
                self.next_due = self.next_due.min(case.due);
                self.cases.insert(key, case);
            }
            State::Closed if case.may_go_on() => {
                let over = case.due;
                let known = self.closed.get(&key);
                if known.is_none_or(|(_, since)| *since < over) {
                    self.closed.insert(key, (case, over));
                }
            }
            State::Closed | State::Withdrawn => {}
        }
    }

    /// Takes up what was seen of resumed cases, day by day.
    pub fn remember(&mut self, observations: Vec<Observation>) {
        let closed = self.closed.values_mut().map(|(case, _)| case);
        let cases = self.cases.values_mut().chain(closed);
        let mut by_id: BTreeMap<Uuid, &mut Case> =
            cases.map(|case| (case.alert.id, case)).collect();
        for observation in observations {
            if let Some(case) = by_id.get_mut(&observation.case) {
                case.remember(observation);
            }
        }
    }

    /// What was seen of cases, day by day, and was not handed out yet: of those that are over,
    /// and of those that the last [`Alerts::checkpoint`] named.
    pub fn observations(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.observations)
    }

    /// What people say, from `now` on (wall time). A case that its partner calls a false positive is
    /// over.
    pub fn hear(&mut self, heard: Heard, now: Millis) -> Vec<Outcome> {
        self.heard = heard.after(&self.heard, now);
        let refuted: Vec<Key> = self
            .cases
            .iter()
            .filter(|(key, case)| self.heard.refutes(key, case))
            .map(|(key, _)| key.clone())
            .collect();
        self.closed
            .retain(|key, (case, _)| !self.heard.refutes(key, case));
        let mut outcomes = Vec::new();
        for key in refuted {
            if let Some(mut case) = self.cases.remove(&key) {
                outcomes.push(Outcome::Disputed(case.next(State::Closed, self.texts)));
                self.observations.extend(case.days());
            }
        }
        outcomes
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
        self.jumps.watch(start);
        for finding in findings {
            match addressing::address(&finding, registry) {
                Ok(addressed) => {
                    for one in addressed {
                        let finding = self.told(&finding, &one);
                        outcomes.extend(self.take(&finding, one));
                    }
                }
                Err(reason) => self.withhold(reason),
            }
        }
        for (finding, addressed) in self.floods.gathered(end) {
            let key = Key::new(&finding, &addressed);
            if self.heard.suppresses(&key, &finding) {
                self.withhold(Withheld::Suppressed);
            } else {
                outcomes.extend(self.take_in(&finding, addressed));
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
        self.closed
            .retain(|_, (_, since)| now < *since + REOPEN_SECONDS);
        let due = self.cases.iter().filter(|(_, case)| case.due <= now);
        let due: Vec<Key> = due.map(|(key, _)| key.clone()).collect();
        let mut outcomes = Vec::new();
        for key in due {
            let Some(mut case) = self.cases.remove(&key) else {
                continue;
            };
            outcomes.push(Outcome::Closed(case.next(State::Closed, self.texts)));
            self.observations.extend(case.days());
            if case.may_go_on() {
                let since = case.due;
                self.closed.insert(key, (case, since));
            }
        }
        self.next_due = self
            .cases
            .values()
            .map(|case| case.due)
            .min()
            .unwrap_or(u64::MAX);
        outcomes
    }

    /// The state of every case that changed since it was last handed out.
    pub fn checkpoint(&mut self) -> Vec<Outcome> {
        let texts = self.texts;
        let mut outcomes = Vec::new();
        for case in self.cases.values_mut() {
            self.observations.extend(case.days());
            if case.changed && case.is_news() {
                outcomes.push(Outcome::Continued(case.next(State::Continuing, texts)));
            } else if case.changed {
                outcomes.push(Outcome::Kept(case.keep(texts)));
            }
        }
        outcomes
    }

    /// Takes a case back; `None` where it is not known.
    pub fn withdraw(&mut self, id: Uuid) -> Option<Outcome> {
        self.closed.retain(|_, (case, _)| case.alert.id != id);
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
        let infected = finding.kind == Kind::InfectedHost;
        let infected = infected.then(|| (Key::new(finding, &addressed), addressed.clone()));
        let Some(opened) = self.observe(finding, addressed) else {
            return Vec::new();
        };
        let mut outcomes = vec![opened];
        if let Some((key, addressed)) = infected {
            self.jumps.count(finding, &addressed);
            outcomes.extend(self.supersede(key));
        }
        if finding.kind == Kind::SpoofSuspect {
            outcomes.extend(self.withdraw_framed(finding));
        }
        outcomes
    }

    fn observe(&mut self, finding: &Finding, addressed: Addressed) -> Option<Outcome> {
        let silence_seconds = self.settings.sensor_silence.silence_seconds;
        if self.heard.explains(finding, silence_seconds) {
            self.withhold(Withheld::Maintenance);
            return None;
        }
        let key = Key::new(finding, &addressed);
        if self.heard.suppresses(&key, finding) {
            self.withhold(Withheld::Suppressed);
            return None;
        }
        let known = self.cases.contains_key(&key) || self.may_go_on(&key, finding.at);
        if !known && !self.may_open(&key, finding.at) {
            self.withhold(Withheld::TooMany);
            self.floods.gather(finding, &addressed);
            return None;
        }
        self.take_in(finding, addressed)
    }

    /// Whether a case that is over goes on with what was found at this second.
    fn may_go_on(&self, key: &Key, at: u64) -> bool {
        let closed = self.closed.get(key);
        closed.is_some_and(|(_, since)| at < since + REOPEN_SECONDS)
    }

    /// Into the case it belongs to: an open one, one that is over and goes on, or a new one.
    fn take_in(&mut self, finding: &Finding, addressed: Addressed) -> Option<Outcome> {
        let key = Key::new(finding, &addressed);
        if let Some(case) = self.cases.get_mut(&key) {
            if !case.observe(finding, &addressed, &self.settings) {
                self.withhold(Withheld::AlreadyTold);
            }
            return None;
        }
        if self.may_go_on(&key, finding.at) {
            return self.go_on(key, finding, &addressed);
        }
        let mut case = Case::open(
            &self.namespace,
            finding,
            &addressed,
            &self.settings,
            self.purpose,
        );
        self.next_due = self.next_due.min(case.due);
        let opened = Outcome::Opened(case.next(State::New, self.texts));
        self.observations.extend(case.days()); // after a crash its first finding is known and not counted
        self.cases.insert(key, case);
        Some(opened)
    }

    fn go_on(&mut self, key: Key, finding: &Finding, addressed: &Addressed) -> Option<Outcome> {
        let (mut case, since) = self.closed.remove(&key)?;
        if !case.observe(finding, addressed, &self.settings) {
            self.closed.insert(key, (case, since));
            self.withhold(Withheld::AlreadyTold);
            return None;
        }
        self.next_due = self.next_due.min(case.due);
        let outcome = Outcome::Continued(case.next(State::Continuing, self.texts));
        self.observations.extend(case.days());
        self.cases.insert(key, case);
        Some(outcome)
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
