//! What an object may hold. Only what we say is there; what is absent is left out, never empty.

use std::collections::BTreeMap;

use noroshi_proto::time::Millis;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A time with three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub Millis);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A time in whole seconds: part of an observable's id, see [`super::id::of_observable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Second(u64);

impl Second {
    /// The second in which it was.
    pub fn of(at: Millis) -> Self {
        Self(at.0 / 1000)
    }

    /// The first whole second not before it.
    pub fn after(at: Millis) -> Self {
        Self(at.0.div_ceil(1000))
    }
}

impl std::fmt::Display for Second {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = Millis(self.0 * 1000).to_string();
        f.write_str(&text.replace(".000Z", "Z"))
    }
}

impl Serialize for Second {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Object {
    /// Its STIX type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    spec_version: &'static str,
    /// Its STIX id.
    pub id: String,
    /// What every object may say.
    #[serde(flatten)]
    pub head: Head,
    /// What only its type says.
    #[serde(flatten)]
    pub body: Body,
}

/// What every object may say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Head {
    /// Whose word it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by_ref: Option<String>,
    /// When it was first said; observables have no such time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Stamp>,
    /// Its version; set when it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Stamp>,
    /// Taken back.
    #[serde(skip_serializing_if = "is_false")]
    pub revoked: bool,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// Who may read it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub object_marking_refs: Vec<String>,
    /// What STIX has no words for, by extension.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<&'static str, Extension>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What stands in an extension.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Extension {
    /// A label of TLP 2.0.
    Tlp {
        /// `property-extension`
        extension_type: &'static str,
        /// In lower case.
        tlp_2_0: &'static str,
    },
    /// What the alert says beyond STIX.
    Alert(Box<AlertProperties>),
}

/// What the alert says beyond STIX.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertProperties {
    /// `property-extension`
    pub extension_type: &'static str,
    /// The same as in every other feed.
    pub alert_id: String,
    /// What it is about.
    pub kind: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// Where it stands on the partner's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
    /// Why it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// By the Reference Security Incident Taxonomy.
    pub rsit_type: &'static str,
    /// How urgent.
    pub severity: &'static str,
    /// Distinct addresses of the telescopes that were hit.
    pub targets: u64,
    /// Source port of the first packet: tells hosts behind one address apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_port: Option<u16>,
}

/// What only one type says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the properties are STIX 2.1's, by name")]
pub enum Body {
    Identity {
        name: String,
        identity_class: &'static str,
    },
    Marking {
        name: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        definition_type: Option<&'static str>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        definition: BTreeMap<&'static str, &'static str>,
    },
    ExtensionDefinition {
        name: &'static str,
        description: &'static str,
        schema: &'static str,
        version: &'static str,
        extension_types: [&'static str; 1],
    },
    Location {
        name: String,
        country: String,
    },
    Malware {
        name: &'static str,
        malware_types: [&'static str; 1],
        is_family: bool,
    },
    Address {
        value: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        belongs_to_refs: Vec<String>,
    },
    AutonomousSystem {
        number: u32,
    },
    Traffic(Box<Traffic>),
    ObservedData {
        first_observed: Stamp,
        last_observed: Stamp,
        number_observed: u32,
        object_refs: Vec<String>,
    },
    Indicator(Box<Indicator>),
    Relationship {
        relationship_type: &'static str,
        source_ref: String,
        target_ref: String,
    },
    Sighting {
        first_seen: Stamp,
        last_seen: Stamp,
        count: u32,
        sighting_of_ref: String,
        observed_data_refs: Vec<String>,
        where_sighted_refs: Vec<String>,
    },
    Report {
        name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        description: String,
        report_types: [&'static str; 1],
        published: Stamp,
        object_refs: Vec<String>,
    },
}

/// `network-traffic`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the properties are STIX 2.1's, by name")]
pub struct Traffic {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Second>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Second>,
    /// Always there: with an end and without this, Python's `stix2` refuses the object.
    pub is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_port: Option<u16>,
    pub protocols: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_packets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_packets: Option<u64>,
}

/// `indicator`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the properties are STIX 2.1's, by name")]
pub struct Indicator {
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub indicator_types: [&'static str; 1],
    pub pattern: String,
    pub pattern_type: &'static str,
    pub pattern_version: &'static str,
    pub valid_from: Stamp,
    pub valid_until: Stamp,
}

impl Object {
    /// An object of this type.
    pub fn new(kind: &'static str, id: String, head: Head, body: Body) -> Self {
        Self {
            kind,
            spec_version: "2.1",
            id,
            head,
            body,
        }
    }

    /// Whether it can be said anew: observables and markings never change.
    pub fn is_versioned(&self) -> bool {
        self.head.created.is_some() && !matches!(self.body, Body::Marking { .. })
    }

    /// Its version by itself: `modified`, or `created`.
    pub fn version(&self) -> Option<Millis> {
        let Stamp(version) = self.head.modified.or(self.head.created)?;
        Some(version)
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self)
            .expect("an object has string keys and numbers that JSON can say")
    }

    /// A hash of what it says: equal for two versions of which the later says nothing new.
    pub fn content(&self) -> u64 {
        let mut said = self.clone();
        said.head.modified = None;
        let digest = Sha256::digest(said.json().as_bytes());
        digest[..8]
            .iter()
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}
