//! One sighting as objects of MISP's templates, or as a comment.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Kind, Severity, State, Subject};
use noroshi_store::observations::Sighting;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{seconds, tag, tlp_tag};
use crate::rsit;
use crate::service::Ports;

/// An object's template: name, UUID and version as MISP publishes them (misp-objects).
struct Template {
    name: &'static str,
    uuid: &'static str,
    version: &'static str,
}

const IP_PORT: Template = Template {
    name: "ip-port",
    uuid: "9f8cea74-16fe-4968-a2b4-026676949ac6",
    version: "10",
};
const DDOS: Template = Template {
    name: "ddos",
    uuid: "e2f124d6-f57c-4f93-99e6-8450545fa05d",
    version: "10",
};
const ASN: Template = Template {
    name: "asn",
    uuid: "4ec55cc6-9e49-4c64-b794-03c25c1a6587",
    version: "6",
};

/// Something that stands in an event.
pub(super) enum Part {
    Object(Object),
    Attribute(Attribute),
}

impl Part {
    /// The values that can be looked up; of what was taken back none.
    pub(super) fn values(&self) -> Vec<&str> {
        let attributes = match self {
            Self::Object(object) => object.attributes.as_slice(),
            Self::Attribute(attribute) => std::slice::from_ref(attribute),
        };
        let standing = attributes.iter().filter(|one| !one.fate.is_deleted);
        standing.map(|one| one.value.as_str()).collect()
    }
}

/// What a sighting's parts have in common.
#[derive(Clone, Copy)]
struct Fate {
    timestamp: u64,
    is_deleted: bool,
}

pub(super) struct Attribute {
    id: Uuid,
    fate: Fate,
    /// Its name in the object's template; empty outside an object.
    relation: &'static str,
    kind: &'static str,
    value: String,
    to_ids: bool,
    /// MISP links events by it.
    is_linking: bool,
    tags: Vec<String>,
}

impl Attribute {
    pub(super) fn json(&self) -> Value {
        let category = match self.kind {
            "ip-src" | "ip-dst" | "AS" | "port" => "Network activity",
            _ => "Other",
        };
        let mut json = json!({
            "uuid": self.id,
            "type": self.kind,
            "category": category,
            "value": self.value,
            "to_ids": self.to_ids,
            "disable_correlation": !self.is_linking,
            "timestamp": self.fate.timestamp.to_string(),
            "deleted": self.fate.is_deleted,
        });
        if !self.relation.is_empty() {
            json["object_relation"] = json!(self.relation);
        }
        if !self.tags.is_empty() {
            json["Tag"] = self.tags.iter().map(|name| tag(name)).collect();
        }
        json
    }
}

pub(super) struct Object {
    id: Uuid,
    fate: Fate,
    template: &'static Template,
    attributes: Vec<Attribute>,
}

impl Object {
    fn new(event: Uuid, sighting: &Sighting, template: &'static Template) -> Self {
        let name = format!("{}/{}", template.name, sighting.alert.id);
        Self {
            id: Uuid::new_v5(&event, name.as_bytes()),
            fate: fate(sighting),
            template,
            attributes: Vec::new(),
        }
    }

    /// Adds what there is to say, once for each relation; nothing where there is no value.
    fn put(
        &mut self,
        relation: &'static str,
        kind: &'static str,
        value: Option<impl ToString>,
    ) -> Option<&mut Attribute> {
        let value = value?.to_string();
        self.attributes.push(Attribute {
            // not of the value: MISP replaces what changed, and keeps what it does not see again
            id: Uuid::new_v5(&self.id, relation.as_bytes()),
            fate: self.fate,
            relation,
            kind,
            value,
            to_ids: false,
            is_linking: false,
            tags: Vec::new(),
        });
        self.attributes.last_mut()
    }

    pub(super) fn json(&self) -> Value {
        let attributes: Vec<Value> = self.attributes.iter().map(Attribute::json).collect();
        json!({
            "uuid": self.id,
            "name": self.template.name,
            "meta-category": "network",
            "template_uuid": self.template.uuid,
            "template_version": self.template.version,
            "timestamp": self.fate.timestamp.to_string(),
            "deleted": self.fate.is_deleted,
            "Attribute": attributes,
        })
    }
}

fn fate(sighting: &Sighting) -> Fate {
    Fate {
        timestamp: seconds(sighting.changed),
        is_deleted: sighting.alert.state == State::Withdrawn,
    }
}

/// What an event says of one sighting.
pub(super) fn parts(event: Uuid, sighting: &Sighting) -> Vec<Part> {
    match &sighting.alert.subject {
        Subject::Source { source, asn } => {
            let mut object = Object::new(event, sighting, &IP_PORT);
            if let Some(address) = object.put("ip-src", "ip-src", Some(source)) {
                address.to_ids = is_indicator(&sighting.alert);
                address.is_linking = true;
                address.tags = tags(&sighting.alert);
            }
            object.put("AS", "AS", asn.filter(|asn| *asn != 0));
            object.put("country-code", "text", sighting.alert.country.as_ref());
            put_common(&mut object, sighting);
            vec![Part::Object(object)]
        }
        Subject::Victim { victim, asn } => {
            let mut object = Object::new(event, sighting, &DDOS);
            if let Some(address) = object.put("ip-dst", "ip-dst", Some(victim)) {
                address.is_linking = true;
                address.tags = tags(&sighting.alert);
            }
            put_attack(&mut object, &sighting.alert);
            put_common(&mut object, sighting);
            let mut parts = vec![Part::Object(object)];
            if let Some(asn) = asn.filter(|asn| *asn != 0) {
                let mut object = Object::new(event, sighting, &ASN);
                object.put("asn", "AS", Some(asn));
                object.put("country", "text", sighting.alert.country.as_ref());
                parts.push(Part::Object(object));
            }
            parts
        }
        Subject::Service { .. }
        | Subject::Country { .. }
        | Subject::Network { .. }
        | Subject::Sensor { .. } => vec![Part::Attribute(comment(event, sighting))],
    }
}

/// What both templates have.
fn put_common(object: &mut Object, sighting: &Sighting) {
    let Sighting {
        observation, alert, ..
    } = sighting;
    let ports = Ports::of(alert);
    object.put("dst-port", "port", ports.destination);
    let is_first = observation.first == alert.first_seen || alert.kind == Kind::OpenReflector;
    object.put("src-port", "port", ports.source.filter(|_| is_first));
    let protocol = ports.transport.map(|name| match name {
        "tcp" => "TCP",
        "udp" => "UDP",
        "icmp" | "ipv6-icmp" => "ICMP",
        _ => "IP",
    });
    object.put("protocol", "text", protocol);
    object.put("first-seen", "datetime", Some(time(observation.first)));
    object.put("last-seen", "datetime", Some(time(observation.last)));
    let text = Some(&alert.explanation).filter(|text| !text.is_empty());
    object.put("text", "text", text);
}

fn put_attack(object: &mut Object, alert: &Alert) {
    let (how, seen) = match alert.kind {
        Kind::ReflectionVictim => ("reflected-spoofed-attack", "Direct network capture"),
        _ => (
            "flooding-attack",
            "Indirect network capture (e.g. backscatter)",
        ),
    };
    object.put("type", "text", Some(how));
    object.put("capture-origin", "text", Some(seen));
    // At the victim, estimated; what the telescopes got of it is a small part.
    let rate = alert.evidence.rate.filter(|rate| rate.is_finite());
    object.put("total-pps", "integer", rate.map(|rate| rate.round() as u64));
}

/// No template has a place for it.
fn comment(event: Uuid, sighting: &Sighting) -> Attribute {
    let alert = &sighting.alert;
    let value = match alert.explanation.as_str() {
        "" => alert.reason_code.clone(),
        text => text.to_owned(),
    };
    Attribute {
        id: Uuid::new_v5(&event, format!("comment/{}", alert.id).as_bytes()),
        fate: fate(sighting),
        relation: "",
        kind: "comment",
        value,
        to_ids: false,
        is_linking: false,
        tags: tags(alert),
    }
}

/// Whether others may block the source. A reflector is abused, a known scanner harmless; forged
/// sources and single packets accuse nobody.
fn is_indicator(alert: &Alert) -> bool {
    let is_attacker = matches!(
        alert.kind,
        Kind::InfectedHost | Kind::ScanningHost | Kind::ReflectionRecon
    );
    is_attacker
        && alert.may_be_indicator()
        && alert.state != State::Withdrawn
        && alert.severity > Severity::Info
        && alert.confidence > Confidence::Low
        && alert.evidence.bogon.is_none()
        && alert.evidence.scanner.is_none()
}

fn tags(alert: &Alert) -> Vec<String> {
    let rsit = rsit::of(alert);
    vec![
        tlp_tag(alert.tlp),
        format!("rsit:{}=\"{}\"", rsit.taxonomy, rsit.kind),
    ]
}

/// As PyMISP writes it, so that hashes agree.
fn time(at: Millis) -> String {
    let text = at.to_string();
    match text.strip_suffix('Z') {
        Some(time) if at.0.is_multiple_of(1_000) => {
            format!("{}+00:00", time.trim_end_matches(".000"))
        }
        Some(time) => format!("{time}000+00:00"),
        None => text,
    }
}
