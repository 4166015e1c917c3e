//! What is said: TAXII's resources as JSON.

use noroshi_proto::time::Millis;
use noroshi_store::origin::PartnerId;
use noroshi_store::stix::Published;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::next;
use super::{MEDIA, STIX_MEDIA, collection};
use crate::key::Key;

/// Bytes of a request's body that we would take: none is needed, and the text wants one.
const CONTENT_LENGTH_MAX: u32 = 1_024;

/// When something was added, to the microsecond, as clients expect. It always lies on a whole
/// millisecond: clients that remember no more than those would else ask for the last of it for ever.
pub fn added(at: Millis) -> String {
    at.to_string().replace('Z', "000Z")
}

/// `GET /taxii2/`: where the reader's API root is; of others nothing.
pub fn discovery(public_url: &str, reader: &PartnerId) -> String {
    let root = format!("{public_url}/taxii2/{reader}/");
    json!({
        "title": "Noroshi early warning",
        "description": "Alerts of address space that nobody uses, as STIX 2.1. Read-only.",
        "default": root,
        "api_roots": [root],
    })
    .to_string()
}

/// `GET /taxii2/{root}/`
pub fn api_root(reader: &PartnerId) -> String {
    json!({
        "title": format!("Alerts for {reader}"),
        "versions": [MEDIA],
        "max_content_length": CONTENT_LENGTH_MAX,
    })
    .to_string()
}

/// `GET /taxii2/{root}/collections/`
pub fn collections(reader: &PartnerId) -> String {
    json!({ "collections": [collection_resource(reader)] }).to_string()
}

/// `GET /taxii2/{root}/collections/{id}/`
pub fn one_collection(reader: &PartnerId) -> String {
    collection_resource(reader).to_string()
}

fn collection_resource(reader: &PartnerId) -> serde_json::Value {
    json!({
        "id": collection(reader),
        "title": "Alerts",
        "description": "Every alert of yours: indicators of hosts that scan or are infected, \
                        reports of everything else.",
        "can_read": true,
        "can_write": false,
        "media_types": [STIX_MEDIA],
    })
}

/// An error, for people and for programs.
pub fn error(title: &str, status: u16) -> String {
    json!({ "title": title, "http_status": status.to_string() }).to_string()
}

/// Some of a collection's objects, in order, and where to read on.
#[derive(Clone, Debug)]
pub struct Page {
    objects: Vec<Published>,
    next: Option<String>,
}

/// `next` is never without `more`, nor `more` without `next`.
#[derive(Serialize)]
struct Frame<'a, T> {
    more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
    #[serde(flatten)]
    what: T,
}

#[derive(Serialize)]
struct Manifest {
    objects: Vec<ManifestRecord>,
}

#[derive(Serialize)]
struct ManifestRecord {
    id: String,
    date_added: String,
    version: String,
    media_type: &'static str,
}

#[derive(Serialize)]
struct VersionList {
    versions: Vec<String>,
}

/// What an answer without anything is.
const EMPTY: &str = "{}";

impl Page {
    /// The first `limit - 1` of what was found when `limit` was asked for.
    pub fn cut(mut found: Vec<Published>, limit: u32, key: &Key, collection: Uuid) -> Self {
        let room = limit.saturating_sub(1) as usize;
        let more = found.len() > room;
        found.truncate(room);
        let place = found.last().filter(|_| more).map(|last| last.added);
        Self {
            next: place.map(|place| next::token(key, collection, place)),
            objects: found,
        }
    }

    /// When the first and the last of it were added; `None` where it is empty.
    pub fn span(&self) -> Option<(String, String)> {
        let (first, last) = (self.objects.first()?, self.objects.last()?);
        Some((added(first.added), added(last.added)))
    }

    /// `GET …/objects/`
    pub fn envelope(&self) -> String {
        if self.objects.is_empty() {
            return EMPTY.to_owned();
        }
        // The objects are JSON already: they go out byte for byte as they were published.
        let bodies: Vec<&str> = self.objects.iter().map(|it| it.body.as_str()).collect();
        let next = self.next.as_ref();
        let next = next.map_or_else(String::new, |next| format!(r#""next":"{next}","#));
        let more = self.next.is_some();
        format!(
            r#"{{"more":{more},{next}"objects":[{}]}}"#,
            bodies.join(",")
        )
    }

    /// `GET …/manifest/`
    pub fn manifest(&self) -> String {
        let record = |object: &Published| ManifestRecord {
            id: object.id.clone(),
            date_added: added(object.added),
            version: object.version.to_string(),
            media_type: STIX_MEDIA,
        };
        let objects = self.objects.iter().map(record).collect();
        self.frame(Manifest { objects })
    }

    /// `GET …/objects/{id}/versions/`
    pub fn versions(&self) -> String {
        let versions = self.objects.iter().map(|it| it.version.to_string());
        let versions = versions.collect();
        self.frame(VersionList { versions })
    }

    fn frame<T: Serialize>(&self, what: T) -> String {
        if self.objects.is_empty() {
            return EMPTY.to_owned();
        }
        let frame = Frame {
            more: self.next.is_some(),
            next: self.next.as_deref(),
            what,
        };
        serde_json::to_string(&frame).expect("string keys, and nothing that JSON cannot say")
    }
}
