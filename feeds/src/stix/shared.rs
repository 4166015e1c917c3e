//! Objects that many alerts of one partner refer to.

use noroshi_proto::time::Millis;

use super::id;
use super::object::{Body, Head, Object, Stamp};

/// Our extension's id: fixed, so that consumers can know it.
pub const EXTENSION: &str = "extension-definition--0d2a3a1c-6d4b-4f0e-9a53-7c1f5be2a9d4";

/// What is shared was said before any alert: 1 November 2026, when this vocabulary was made.
const CREATED: Millis = Millis(1_793_491_200_000);

/// Who says all of it.
pub fn centre(name: &str) -> Object {
    let id = id::of_alert("identity", "", "", name);
    let head = Head {
        created_by_ref: Some(id.clone()),
        created: Some(Stamp(CREATED)),
        ..Head::default()
    };
    let body = Body::Identity {
        name: name.to_owned(),
        identity_class: "organization",
    };
    Object::new("identity", id, head, body)
}

/// What the extension's properties mean.
pub fn extension(centre: &str) -> Object {
    let body = Body::ExtensionDefinition {
        name: "Noroshi alert",
        description: "What an alert says beyond STIX: its id in all feeds (alert_id), kind and state, \
                      where it stands on the partner's side (remedy), its type by the Reference \
                      Security Incident Taxonomy (rsit_type), severity, how many distinct telescope \
                      addresses were hit (targets), and the source port of the first packet.",
        schema: "alert_id: UUID; kind, state, remedy, rsit_type, severity: words of the alert feed; \
                 targets: integer; source_port: integer, optional; reason: text, optional",
        version: "1.0.0",
        extension_types: ["property-extension"],
    };
    let head = common(centre);
    Object::new("extension-definition", EXTENSION.to_owned(), head, body)
}

/// A country, by its two letters.
pub fn location(centre: &str, country: &str) -> Object {
    let id = id::of_alert("location", "", centre, country);
    let body = Body::Location {
        name: country.to_owned(),
        country: country.to_owned(),
    };
    Object::new("location", id, common(centre), body)
}

/// A family of malware, where its mark is one. An alert that is withdrawn takes back that a host
/// has it, not that it exists: so alerts share it.
pub fn malware(centre: &str, fingerprint: &str) -> Option<Object> {
    let name = match fingerprint {
        "mirai" => "Mirai",
        _ => return None, // a scanning program is no malware
    };
    let id = id::of_alert("malware", "", centre, fingerprint);
    let body = Body::Malware {
        name,
        malware_types: ["bot"],
        is_family: true,
    };
    Some(Object::new("malware", id, common(centre), body))
}

fn common(centre_name: &str) -> Head {
    Head {
        created_by_ref: Some(centre(centre_name).id),
        created: Some(Stamp(CREATED)),
        ..Head::default()
    }
}
