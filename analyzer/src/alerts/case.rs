//! One case: what was seen so far, and when it is over.

use std::collections::BTreeSet;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject};
use noroshi_store::explanation::Texts;
use noroshi_store::observations::Observation;
use uuid::Uuid;

use super::addressing::Addressed;
use super::days::Days;
use super::text::Ground;
use super::{Numbered, Purpose};
use crate::finding::{About, Finding, Reason, SERVICES_MAX, VICTIMS_MAX};
use crate::settings::Settings;

/// Services whose packets are counted per case; of them the first 20 are shown.
const COUNTED_SERVICES_MAX: usize = 64;
/// Sensors counted one by one per case.
const COUNTED_SENSORS_MAX: usize = 256;

/// A case that is open.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// As it stands, except for its texts.
    pub(super) alert: Alert,
    /// Changed since it was last handed out.
    pub(super) changed: bool,
    /// The second at which it is over, unless more is seen.
    pub(super) due: u64,
    version: u64,
    reason: Option<Reason>,
    grounds: Vec<Ground>,
    services: Vec<(String, u64)>,
    sensors: BTreeSet<SensorId>,
    days: Days,
    /// What its partner read last; `None` before it opened.
    told: Option<Told>,
}

/// What a partner is told of again when it changes.
///
/// Who reads the alerts of a prefix can also scan from it, to learn where the telescopes are: each
/// time and each count that he reads tells him which of his packets met one (probe-response
/// attacks; Bethencourt, Franklin and Vernon, USENIX Security 2005; Shinoda, Ikai and Itoh, there
/// too). So a running case is told at most once a day, but for what makes it more urgent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    severity: Severity,
    confidence: Confidence,
    reason_code: String,
    fingerprint: Option<String>,
    /// Of UTC, counted from 1970-01-01.
    day: u64,
}

impl Told {
    fn of(alert: &Alert) -> Self {
        Self {
            severity: alert.severity,
            confidence: alert.confidence,
            reason_code: alert.reason_code.clone(),
            fingerprint: alert.evidence.fingerprint.clone(),
            day: Observation::day_of(alert.detected_at),
        }
    }
}

impl Case {
    /// Its id follows from `namespace` and from what it is about, so that a restart makes no twin.
    pub(super) fn open(
        namespace: &Uuid,
        finding: &Finding,
        addressed: &Addressed,
        settings: &Settings,
        purpose: Purpose,
    ) -> Self {
        let subject = finding.about.subject();
        let partner = addressed.partner.as_ref().map(|id| id.as_str().to_owned());
        let at = Millis(finding.at * 1000);
        let name = format!(
            "{}|{}|{}|{}",
            finding.kind.name(),
            partner.as_deref().unwrap_or(""),
            subject_name(&subject),
            finding.at
        );
        let alert = Alert {
            id: Uuid::new_v5(namespace, name.as_bytes()),
            kind: finding.kind,
            state: State::New,
            severity: addressed.severity,
            confidence: addressed.confidence,
            tlp: addressed.tlp,
            partner,
            country: addressed.country.clone(),
            attribution: addressed.attribution.clone(),
            opened_at: at,
            first_seen: finding.first,
            last_seen: finding.last,
            detected_at: at,
            subject,
            evidence: Evidence {
                usual: finding.usual,
                source_port: finding.source_port,
                bogon: finding
                    .about
                    .origin()
                    .and_then(|origin| origin.bogon.map(str::to_owned)),
                ..Evidence::default()
            },
            reason_code: finding.reason.code().to_owned(),
            explanation: String::new(),
            exercise: purpose == Purpose::Exercise,
        };
        let mut case = Self::around(alert, 0);
        case.absorb(finding, addressed, settings);
        case
    }

    /// A case as it was stored.
    pub(super) fn resume(alert: Alert, version: u64, settings: &Settings) -> Self {
        let mut case = Self::around(alert, version);
        // how many packets each had is not kept: their order is
        let services = case.alert.evidence.services.iter();
        case.services = services.map(|service| (service.clone(), 0)).collect();
        case.reason = Reason::ALL
            .into_iter()
            .find(|reason| reason.code() == case.alert.reason_code);
        case.told = Some(Told::of(&case.alert)); // or it is told the next day
        case.due = due(
            case.alert.kind,
            case.alert.detected_at.seconds(),
            case.alert.last_seen,
            settings,
        );
        case
    }

    fn around(alert: Alert, version: u64) -> Self {
        Self {
            alert,
            changed: false,
            due: 0,
            version,
            reason: None,
            grounds: Vec::new(),
            services: Vec::new(),
            sensors: BTreeSet::new(),
            days: Days::default(),
            told: None,
        }
    }

    /// What was seen of it on one day, as it was stored.
    pub(super) fn remember(&mut self, observation: Observation) {
        let unknown = COUNTED_SENSORS_MAX.saturating_sub(self.sensors.len());
        let sensors = observation.sensors.iter().take(unknown);
        self.sensors.extend(sensors.cloned());
        self.days.remember(observation);
    }

    /// What was seen of it, of each day that changed since this was last asked.
    pub(super) fn days(&mut self) -> Vec<Observation> {
        self.days.take(&self.alert)
    }

    /// Whether it goes on when it is seen again soon: each attack is one of its own.
    pub(super) fn may_go_on(&self) -> bool {
        !matches!(self.alert.kind, Kind::DdosVictim | Kind::ReflectionVictim)
    }

    /// Takes one more finding in; `false` where that was done before a restart.
    pub(super) fn observe(
        &mut self,
        finding: &Finding,
        addressed: &Addressed,
        settings: &Settings,
    ) -> bool {
        if finding.at <= self.alert.detected_at.seconds() && !finding.late {
            return false;
        }
        self.alert.state = State::Continuing;
        self.absorb(finding, addressed, settings);
        true
    }

    fn absorb(&mut self, finding: &Finding, addressed: &Addressed, settings: &Settings) {
        self.changed = true;
        let alert = &mut self.alert;
        if addressed.confidence >= alert.confidence || self.grounds.is_empty() {
            self.grounds.clone_from(&addressed.grounds);
        }
        alert.severity = alert.severity.max(addressed.severity);
        alert.confidence = alert.confidence.max(addressed.confidence);
        alert.first_seen = alert.first_seen.min(finding.first);
        alert.last_seen = alert.last_seen.max(finding.last);
        alert.detected_at = alert.detected_at.max(Millis(finding.at * 1000));
        let evidence = &mut alert.evidence;
        evidence.packets += finding.packets;
        evidence.targets = evidence.targets.max(finding.targets);
        evidence.sources = evidence.sources.max(finding.sources);
        estimate(evidence, finding);
        evidence.late |= finding.late;
        evidence.internal |= addressed.internal;
        if let About::Group(group) = &finding.about {
            for (country, sources) in &group.countries {
                // ZZ: unknown
                let name = country.map_or_else(|| "ZZ".to_owned(), |one| one.to_string());
                let most = evidence.countries.entry(name).or_default();
                *most = (*most).max(*sources);
            }
        }
        if addressed.scanner.is_some() {
            evidence.scanner.clone_from(&addressed.scanner);
        }
        let named = evidence.fingerprint.is_none() && finding.fingerprint.is_some();
        if named || self.reason.is_none() {
            evidence.fingerprint = finding.fingerprint.map(|print| print.name().to_owned());
            finding.reason.code().clone_into(&mut alert.reason_code);
            self.reason = Some(finding.reason);
        }
        self.count(finding);
        self.days.count(finding);
        let due = due(finding.kind, finding.at, finding.last, settings);
        self.due = self.due.max(due);
    }

    fn count(&mut self, finding: &Finding) {
        for (service, packets) in &finding.services {
            let name = service.to_string();
            let known = self
                .services
                .iter()
                .position(|(service, _)| *service == name);
            match known {
                Some(index) => self.services[index].1 += packets,
                None if self.services.len() < COUNTED_SERVICES_MAX => {
                    self.services.push((name, *packets));
                }
                None => {}
            }
        }
        for sensor in &finding.sensors {
            if self.sensors.len() < COUNTED_SENSORS_MAX {
                self.sensors.insert(sensor.clone());
            }
        }
        let evidence = &mut self.alert.evidence;
        let sensors = u32::try_from(self.sensors.len()).unwrap_or(u32::MAX);
        evidence.sensors = evidence.sensors.max(sensors);
        let listed = match finding.about {
            About::Network(_) => &mut evidence.hosts,
            _ => &mut evidence.victims,
        };
        let mut victims: BTreeSet<_> = listed.drain(..).collect();
        victims.extend(&finding.victims);
        *listed = victims.into_iter().take(VICTIMS_MAX).collect();
    }

    /// Whether there is something about it that its partner should read: what it is changed, or a
    /// day of UTC has begun. Of what concerns no address everything is news.
    pub(super) fn is_news(&self) -> bool {
        let is_about_address = matches!(
            self.alert.subject,
            Subject::Source { .. } | Subject::Victim { .. }
        );
        !is_about_address || self.told != Some(Told::of(&self.alert))
    }

    /// The case in its next state, to be kept and told.
    pub(super) fn next(&mut self, state: State, texts: &Texts) -> Numbered {
        let numbered = self.number(state, texts);
        self.told = Some(Told::of(&self.alert));
        numbered
    }

    /// The case in its next state, to be kept.
    pub(super) fn keep(&mut self, texts: &Texts) -> Numbered {
        self.number(State::Continuing, texts)
    }

    fn number(&mut self, state: State, texts: &Texts) -> Numbered {
        self.version += 1;
        self.changed = false;
        self.alert.state = match state {
            State::New | State::Closed | State::Withdrawn => state,
            State::Continuing => self.alert.state, // new until it is seen again
        };
        self.services
            .sort_by(|(name, packets), (other, more)| more.cmp(packets).then(name.cmp(other)));
        let shown = self.services.iter().take(SERVICES_MAX);
        self.alert.evidence.services = shown.map(|(service, _)| service.clone()).collect();
        if let Some(reason) = self.reason {
            self.alert.explanation = texts.explanation(reason.code(), &self.alert);
            self.alert.evidence.rule = texts.rule(reason.code()).to_owned();
        }
        if !self.grounds.is_empty() {
            let words = self
                .grounds
                .iter()
                .map(|ground| texts.ground(ground.name()).to_owned());
            self.alert.evidence.reasons = words.collect();
        }
        Numbered {
            alert: self.alert.clone(),
            version: self.version,
        }
    }
}

/// What is estimated of it, as the last finding tells; of rates the highest counts.
fn estimate(evidence: &mut Evidence, finding: &Finding) {
    let larger = finding.rate > evidence.rate || evidence.rate_low.is_none();
    if let Some((low, high)) = finding.estimates.rate_between.filter(|_| larger) {
        evidence.rate_low = Some(low.round());
        evidence.rate_high = Some(high.round());
    }
    let known = |estimate: Option<f64>| estimate.map(|value| (value * 1e6).round() / 1e6);
    evidence.coverage = known(finding.estimates.coverage).or(evidence.coverage);
    evidence.uniformity = known(finding.estimates.uniformity).or(evidence.uniformity);
    evidence.rate = match (evidence.rate, finding.rate) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    };
    if let Some(duration) = finding.estimates.duration {
        let tenths = |seconds: f64| Some((seconds * 10.0).round() / 10.0);
        evidence.duration = tenths(duration.seconds);
        evidence.duration_low = tenths(duration.low);
        evidence.duration_high = tenths(duration.high);
    }
    add_names(&mut evidence.vectors, finding.estimates.vectors.names());
    add_names(
        &mut evidence.aggressive,
        finding.estimates.aggression.names(),
    );
}

fn add_names(known: &mut Vec<String>, names: impl Iterator<Item = &'static str>) {
    for name in names {
        if !known.iter().any(|one| one == name) {
            known.push(name.to_owned());
        }
    }
}

/// The second at which a case is over, unless more is seen.
fn due(kind: Kind, at: u64, last: Millis, settings: &Settings) -> u64 {
    match kind {
        Kind::DdosVictim | Kind::ReflectionVictim => {
            at.max(last.seconds() + settings.ddos_victim.silence_seconds + 1)
        }
        Kind::ScanSurge | Kind::NewService | Kind::CoordinatedScan | Kind::SpoofSuspect => {
            // one more bin, because the last of the quiet ones must have closed
            let bins = u64::from(settings.scan_surge.quiet_bins) + 1;
            at + bins * settings.scan_surge.bin_seconds
        }
        Kind::SensorSilence | Kind::CountrySilence => at + settings.sensor_silence.silence_seconds,
        Kind::InfectedHost | Kind::ScanningHost | Kind::ReflectionRecon | Kind::OpenReflector => {
            at.max(last.seconds()) + settings.cases.quiet_days * 86_400
        }
    }
}

/// What tells one subject from another; the AS an address is seen in does not.
pub(super) fn subject_name(subject: &Subject) -> String {
    match subject {
        Subject::Source { source, .. } => source.to_string(),
        Subject::Victim { victim, .. } => victim.clone(),
        Subject::Service { service, scope } => format!("{service}@{scope}"),
        Subject::Country { country } => country.clone(),
        Subject::Network { network } => network.clone(),
        Subject::Sensor { sensor } => sensor.clone(),
    }
}
