//! TLP labels as markings. The objects are others': ids and texts are given.

use std::collections::BTreeMap;

use noroshi_proto::time::Millis;
use noroshi_store::alert::Tlp;
use noroshi_store::registry::partner::StixMarkings;

use super::object::{Body, Extension, Head, Object, Stamp};

/// The extension of OASIS's markings for TLP 2.0.
const TLP_2_0: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// When OASIS made them: 1 October 2022.
const TLP2_CREATED: Millis = Millis(1_664_582_400_000);
/// When STIX made its own: 20 January 2017.
const TLP1_CREATED: Millis = Millis(1_484_870_400_000);

/// The marking for a label, as the reader's platform knows it.
pub fn marking(tlp: Tlp, markings: StixMarkings) -> Object {
    match markings {
        StixMarkings::Tlp2 => tlp2(tlp),
        StixMarkings::Tlp1 => tlp1(tlp),
    }
}

fn tlp2(tlp: Tlp) -> Object {
    let (uuid, name, label) = match tlp {
        Tlp::Clear => ("94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR", "clear"),
        Tlp::Green => ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "TLP:GREEN", "green"),
        Tlp::Amber => ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER", "amber"),
        Tlp::AmberStrict => (
            "939a9414-2ddd-4d32-a0cd-375ea402b003",
            "TLP:AMBER+STRICT",
            "amber+strict",
        ),
        Tlp::Red => ("e828b379-4e03-4974-9ac4-e53a884c97c1", "TLP:RED", "red"),
    };
    let label = Extension::Tlp {
        extension_type: "property-extension",
        tlp_2_0: label,
    };
    let head = Head {
        created: Some(Stamp(TLP2_CREATED)),
        extensions: BTreeMap::from([(TLP_2_0, label)]),
        ..Head::default()
    };
    object(uuid, head, (name, None))
}

/// TLP 1 has no AMBER+STRICT: it takes the id that OpenCTI gave that label.
fn tlp1(tlp: Tlp) -> Object {
    let (uuid, name, definition) = match tlp {
        Tlp::Clear => (
            "613f2e26-407d-48c7-9eca-b8e91df99dc9",
            "TLP:WHITE",
            ("tlp", "white"),
        ),
        Tlp::Green => (
            "34098fce-860f-48ae-8e50-ebd3cc5e41da",
            "TLP:GREEN",
            ("tlp", "green"),
        ),
        Tlp::Amber => (
            "f88d31f6-486f-44da-b317-01333bde0b82",
            "TLP:AMBER",
            ("tlp", "amber"),
        ),
        Tlp::AmberStrict => (
            "826578e1-40ad-459f-bc73-ede076f81f37",
            "TLP:AMBER+STRICT",
            ("statement", "TLP:AMBER+STRICT"),
        ),
        Tlp::Red => (
            "5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
            "TLP:RED",
            ("tlp", "red"),
        ),
    };
    let head = Head {
        created: Some(Stamp(TLP1_CREATED)),
        ..Head::default()
    };
    object(uuid, head, (name, Some(definition)))
}

fn object(
    uuid: &str,
    head: Head,
    (name, definition): (&'static str, Option<(&'static str, &'static str)>),
) -> Object {
    let id = format!("marking-definition--{uuid}");
    let body = Body::Marking {
        name,
        definition_type: definition.map(|(kind, _)| kind),
        definition: definition.into_iter().collect(),
    };
    Object::new("marking-definition", id, head, body)
}
