//! All objects of one alert.

use std::collections::{BTreeMap, BTreeSet};

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Kind, Severity, State, Subject};
use noroshi_store::changes::Shown;
use noroshi_store::remedy::{Remedy, Standing};

use crate::rsit;

use super::marking::marking;
use super::object::{AlertProperties, Body, Extension, Head, Indicator, Object, Stamp};
use super::{Audience, id, observed, shared};

/// How long an address is worth watching for after it was last seen: as long as a case about a
/// host goes on unseen (`quiet_days`). Indicators have an end (RFC 9424 §4.1): addresses move on.
const INDICATOR_MILLIS: u64 = 7 * 86_400_000;

/// The most that STIX lets `count` and `number_observed` say (§4.14, §5.2).
const COUNT_MAX: u64 = 999_999_999;

/// Why an alert may say that somebody looks for amplifiers although it may be the victim.
const DOUBTED: &str = "amplifier_doubt";

/// The objects of an alert, those first that others refer to; none where it is not the audience's,
/// or is none of a CERT's tools' business.
pub fn objects(shown: &Shown, audience: &Audience<'_>) -> Vec<Object> {
    let alert = &shown.alert;
    if alert.partner.as_deref() != Some(audience.partner) || alert.kind == Kind::SensorSilence {
        return Vec::new();
    }
    let marking = marking(alert.tlp, audience.markings);
    let centre = shared::centre(audience.centre);
    let country = alert.country.as_deref().unwrap_or(audience.country);
    let location = shared::location(audience.centre, country);
    let markings = vec![marking.id.clone()];
    let seen = observed::observables(alert, &markings);
    let teller = Teller {
        shown,
        audience,
        centre: centre.id.clone(),
        markings,
        location: location.id.clone(),
    };
    let extension = shared::extension(audience.centre);
    let mut objects = vec![centre, marking, extension, location];
    let told = teller.tell(&seen);
    objects.extend(seen);
    objects.extend(told);
    let mut ids = BTreeSet::new();
    objects.retain(|object| ids.insert(object.id.clone()));
    objects
}

/// What kind of indicator the host is; `None` where it must not be one.
///
/// A scanner that is for the record alone is a known one and harms nobody; an open reflector is
/// to be mended, not to be blocked.
pub fn indicator_type(alert: &Alert) -> Option<&'static str> {
    let is_sure = alert.reason_code != DOUBTED && alert.evidence.bogon.is_none();
    let matters = alert.severity > Severity::Info;
    if is_sure && matters {
        possible_type(alert)
    } else {
        None
    }
}

/// As [`indicator_type`], of what an alert may have been called earlier in its life.
fn possible_type(alert: &Alert) -> Option<&'static str> {
    let is_host = matches!(alert.subject, Subject::Source { .. });
    if !(alert.may_be_indicator() && is_host) {
        return None;
    }
    match alert.kind {
        Kind::InfectedHost => Some("compromised"),
        Kind::ScanningHost | Kind::ReflectionRecon => Some("malicious-activity"),
        _ => None,
    }
}

/// Tells what was seen of one alert.
struct Teller<'a> {
    shown: &'a Shown,
    audience: &'a Audience<'a>,
    centre: String,
    markings: Vec<String>,
    location: String,
}

impl Teller<'_> {
    fn tell(&self, seen: &[Object]) -> Vec<Object> {
        let alert = &self.shown.alert;
        let data = self.observed_data(seen);
        let mut told = Vec::new();
        let address = seen.iter().find(|object| is_address(object));
        let named = !matches!(alert.subject, Subject::Network { .. });
        if let Some(address) = address.filter(|_| named && alert.country.is_some()) {
            told.push(self.relationship("located-at", &address.id, &self.location));
        }
        let about = data.iter().map(|data| data.id.clone());
        let report = self.report(about.chain([self.location.clone()]).collect());
        let indicator = match (possible_type(alert), address, &data) {
            (Some(kind), Some(address), Some(data)) => self.indicator(kind, address, data),
            _ => Vec::new(),
        };
        told.extend(data);
        // An alert may begin as a report and become an indicator, or the other way round: what it
        // is no longer told as is taken back.
        let is_indicator = indicator_type(alert).is_some() && !indicator.is_empty();
        told.extend(
            indicator
                .into_iter()
                .map(|object| revoked_unless(is_indicator, object)),
        );
        told.push(revoked_unless(!is_indicator, report));
        told
    }

    /// An indicator and what it rests on.
    fn indicator(&self, kind: &'static str, address: &Object, data: &Object) -> Vec<Object> {
        let alert = &self.shown.alert;
        let indicator = self.object(
            "indicator",
            "indicator",
            Body::Indicator(Box::new(Indicator {
                name: title(alert),
                description: alert.explanation.clone(),
                indicator_types: [kind],
                pattern: pattern(address),
                pattern_type: "stix",
                pattern_version: "2.1",
                valid_from: Stamp(alert.first_seen),
                valid_until: Stamp(self.valid_until()),
            })),
        );
        let family = alert.evidence.fingerprint.as_deref();
        let malware = family.and_then(|family| shared::malware(self.audience.centre, family));
        let indicates = malware
            .as_ref()
            .map(|malware| self.relationship("indicates", &indicator.id, &malware.id));
        let rests = self.relationship("based-on", &indicator.id, &data.id);
        let sighting = self.object(
            "sighting",
            "sighting",
            Body::Sighting {
                first_seen: Stamp(alert.first_seen),
                last_seen: Stamp(alert.last_seen.max(alert.first_seen)),
                count: count(alert.evidence.packets),
                sighting_of_ref: indicator.id.clone(),
                observed_data_refs: vec![data.id.clone()],
                // where the sensors stand is nobody's business: the centre saw it
                where_sighted_refs: vec![self.centre.clone()],
            },
        );
        let mut told: Vec<Object> = malware.into_iter().collect();
        told.extend([indicator, rests]);
        told.extend(indicates);
        told.push(sighting);
        told
    }

    fn report(&self, about: Vec<String>) -> Object {
        let alert = &self.shown.alert;
        let body = Body::Report {
            name: title(alert),
            description: alert.explanation.clone(),
            report_types: [match alert.kind {
                Kind::ScanSurge | Kind::NewService | Kind::CoordinatedScan => "threat-report",
                _ => "observed-data",
            }],
            published: Stamp(alert.opened_at),
            object_refs: about,
        };
        self.object("report", "report", body)
    }

    fn observed_data(&self, seen: &[Object]) -> Option<Object> {
        let alert = &self.shown.alert;
        let body = Body::ObservedData {
            first_observed: Stamp(alert.first_seen),
            last_observed: Stamp(alert.last_seen.max(alert.first_seen)),
            number_observed: count(alert.evidence.packets),
            object_refs: observation(seen),
        };
        (!seen.is_empty()).then(|| self.object("observed-data", "observed-data", body))
    }

    fn relationship(&self, what: &'static str, source: &str, target: &str) -> Object {
        let body = Body::Relationship {
            relationship_type: what,
            source_ref: source.to_owned(),
            target_ref: target.to_owned(),
        };
        let mut object = self.object("relationship", what, body);
        object.head.extensions.clear(); // what it relates says it
        object
    }

    /// An object of this alert alone, in the place `role`.
    fn object(&self, kind: &'static str, role: &str, body: Body) -> Object {
        let alert = &self.shown.alert;
        let of = alert.id.to_string();
        let mut labels = vec![rsit::of(alert).kind.to_owned()];
        if alert.exercise {
            labels.push("exercise".to_owned());
        }
        let head = Head {
            created_by_ref: Some(self.centre.clone()),
            created: Some(Stamp(alert.opened_at)),
            modified: None,
            revoked: alert.state == State::Withdrawn,
            labels,
            confidence: Some(confidence(alert.confidence)),
            object_marking_refs: self.markings.clone(),
            extensions: BTreeMap::from([(shared::EXTENSION, self.properties())]),
        };
        let id = id::of_alert(kind, self.audience.partner, &of, role);
        Object::new(kind, id, head, body)
    }

    fn properties(&self) -> Extension {
        let alert = &self.shown.alert;
        let remedy = self.shown.remedy.as_ref();
        let taken_back = remedy.filter(|standing| standing.state == Remedy::Withdrawn);
        let reason = taken_back.map(|standing| standing.reason.clone());
        Extension::Alert(Box::new(AlertProperties {
            extension_type: "property-extension",
            alert_id: alert.id.to_string(),
            kind: alert.kind.name(),
            state: alert.state.name(),
            remedy: remedy.map(|standing| standing.state.name()),
            reason: reason.filter(|reason| !reason.is_empty()),
            rsit_type: rsit::of(alert).kind,
            severity: severity(alert.severity),
            targets: alert.evidence.targets,
            source_port: alert.evidence.source_port,
        }))
    }

    /// Until when the indicator holds: no longer than the partner, or our silence, lets it.
    fn valid_until(&self) -> Millis {
        let alert = &self.shown.alert;
        let until = Millis(alert.last_seen.0 + INDICATOR_MILLIS);
        let over = self.shown.remedy.as_ref().filter(|it| is_over(it));
        let until = over.map_or(until, |standing| until.min(standing.since));
        until.max(Millis(alert.first_seen.0 + 1)) // STIX wants it after `valid_from`
    }
}

/// Takes an object of this alert back unless it is told; what is shared stays.
fn revoked_unless(told: bool, mut object: Object) -> Object {
    object.head.revoked |= !told && !matches!(object.body, Body::Malware { .. });
    object
}

fn is_over(standing: &Standing) -> bool {
    matches!(
        standing.state,
        Remedy::Confirmed | Remedy::NotOurs | Remedy::FalsePositive | Remedy::Withdrawn
    )
}

fn is_address(object: &Object) -> bool {
    matches!(object.body, Body::Address { .. })
}

/// What is observed together. MISP's importer loses an address that is observed with its network
/// and nothing else; the address refers to its network by itself.
fn observation(seen: &[Object]) -> Vec<String> {
    let has_traffic = seen
        .iter()
        .any(|object| matches!(object.body, Body::Traffic(_)));
    let observed = seen
        .iter()
        .filter(|object| has_traffic || is_address(object));
    observed.map(|object| object.id.clone()).collect()
}

fn pattern(address: &Object) -> String {
    match &address.body {
        Body::Address { value, .. } => format!("[{}:value = '{value}']", address.kind),
        _ => String::new(),
    }
}

fn count(packets: u64) -> u32 {
    packets.clamp(1, COUNT_MAX) as u32
}

/// STIX 2.1 appendix A: the scale None, Low, Med, High.
fn confidence(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::Low => 15,
        Confidence::Medium => 50,
        Confidence::High => 85,
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

/// What a list of objects shows. Of a victim it says what must not be done.
fn title(alert: &Alert) -> String {
    let what = match (alert.kind, &alert.subject) {
        (Kind::InfectedHost, Subject::Network { .. }) => "Many infected hosts",
        (Kind::InfectedHost, _) => "Infected host",
        (Kind::ScanningHost, _) => "Scanning host",
        (Kind::ReflectionRecon, _) => "Looks for amplifiers",
        (Kind::ReflectionVictim, _) => "Victim of a reflection attack, do not block",
        (Kind::OpenReflector, _) => "Open reflector",
        (Kind::DdosVictim, _) => "Victim of a denial of service, do not block",
        (Kind::ScanSurge, _) => "Scan surge",
        (Kind::NewService, _) => "New service scanned for",
        (Kind::CoordinatedScan, _) => "Coordinated scan",
        (Kind::SpoofSuspect, _) => "Forged sources, do not block",
        (Kind::CountrySilence, _) => "Silence of a country",
        (Kind::SensorSilence, _) => "Silence",
    };
    let whom = match &alert.subject {
        Subject::Source { source, .. } => source.to_string(),
        Subject::Victim { victim, .. } => victim.clone(),
        Subject::Service { service, .. } => service.clone(),
        Subject::Country { country } => country.clone(),
        Subject::Network { .. } => "your networks".to_owned(),
        Subject::Sensor { .. } => String::new(),
    };
    let drill = if alert.exercise { "EXERCISE: " } else { "" };
    format!("{drill}{what}: {whom}")
}
