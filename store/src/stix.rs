//! STIX objects as they were published: what they say is another crate's, here they are rows.
//!
//! # Promises
//! - One publisher writes, and never a row that is there: an object that says something new is a
//!   new version, a new row behind all others.
//! - Within a partner every row has a millisecond of its own, so a reader that goes on behind the
//!   last it saw misses nothing and reads nothing twice. When very much is published at once these
//!   times run ahead of the clock, one millisecond per object.

use std::collections::{BTreeMap, HashMap};

use noroshi_proto::time::Millis;
use serde_json::json;

use crate::cases::line;
use crate::lease::Lease;
use crate::ledger::millis;
use crate::origin::PartnerId;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// Ids asked about in one question.
const IDS_MAX: usize = 1_000;

/// One version of an object, to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// For whom.
    pub partner: PartnerId,
    /// Its STIX id.
    pub id: String,
    /// Its STIX type.
    pub kind: &'static str,
    /// `modified`, or `created` where it has none; `None` where it has neither.
    pub version: Option<Millis>,
    /// Hash of what it says, `modified` left out.
    pub content: u64,
    /// Nothing follows.
    pub revoked: bool,
    /// It rests on imported evidence.
    pub imported: bool,
    /// The object as JSON.
    pub body: String,
}

/// What was published last under an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its version.
    pub version: Millis,
    /// Hash of what it says.
    pub content: u64,
    /// Nothing follows.
    pub revoked: bool,
}

/// One version of an object, as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// When; no other object of the partner has the same.
    pub added: Millis,
    /// Its STIX id.
    pub id: String,
    /// Its version; when it was published where it has none of its own.
    pub version: Millis,
    /// The object as JSON.
    pub body: String,
}

/// Which versions of an object are wanted; any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Every one.
    pub all: bool,
    /// The first.
    pub first: bool,
    /// The last.
    pub last: bool,
    /// These.
    pub at: Vec<Millis>,
}

/// Which objects of a partner are wanted, in the order they were published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Only what was published after this.
    pub after: Millis,
    /// Only these ids; empty: any.
    pub ids: Vec<String>,
    /// Only these types; empty: any.
    pub types: Vec<String>,
    /// Only these versions.
    pub versions: Versions,
    /// The most to give.
    pub limit: u32,
}

impl Store {
    /// Publishes objects: behind everything that was published before, in this order.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another publisher took over: stop.
    pub async fn publish(&self, lease: &Lease, objects: &[Publication]) -> Result<(), StoreError> {
        self.check_lease(lease).await?;
        if objects.is_empty() {
            return Ok(());
        }
        let end = self.publications_end().await?;
        let now = self.wall_time().await?;
        let first = now.0.max(end.0 + 1);
        let mut of_partner: HashMap<&PartnerId, u64> = HashMap::new();
        let mut rows = Vec::new();
        for object in objects {
            let before = of_partner.entry(&object.partner).or_default();
            let added = Millis(first + *before);
            *before += 1;
            line(&mut rows, &row(object, added));
        }
        self.insert_lines("stix_objects", rows).await
    }

    /// What was published last under these ids, by partner and id.
    pub async fn known_objects(
        &self,
        ids: &[String],
    ) -> Result<BTreeMap<(String, String), Known>, StoreError> {
        let mut known = BTreeMap::new();
        for some in ids.chunks(IDS_MAX) {
            let rows = self
                .ask(sql!("stix_objects_known"))
                .param("ids", some)
                .fetch_all::<(String, String, i64, u64, u8)>()
                .await?;
            for (partner, id, version, content, revoked) in rows {
                let last = Known {
                    version: millis(version),
                    content,
                    revoked: revoked != 0,
                };
                known.insert((partner, id), last);
            }
        }
        Ok(known)
    }

    /// Objects of one partner: the partner is part of the question.
    pub async fn objects_of(
        &self,
        partner: &PartnerId,
        wanted: &Wanted,
    ) -> Result<Vec<Published>, StoreError> {
        let versions = &wanted.versions;
        let at: Vec<i64> = versions.at.iter().map(|at| at.0 as i64).collect();
        let rows = self
            .ask(sql!("stix_objects"))
            .param("partner", partner.as_str())
            .param("after", wanted.after.0)
            .param("ids", &wanted.ids)
            .param("types", &wanted.types)
            .param("all", u8::from(versions.all))
            .param("first", u8::from(versions.first))
            .param("last", u8::from(versions.last))
            .param("versions", at)
            .param("limit", wanted.limit)
            .fetch_all::<(i64, String, i64, String)>()
            .await?;
        let published = |(added, id, version, body)| Published {
            added: millis(added),
            id,
            version: millis(version),
            body,
        };
        Ok(rows.into_iter().map(published).collect())
    }

    /// Whether anything was published for this partner under this id.
    pub async fn has_object(&self, partner: &PartnerId, id: &str) -> Result<bool, StoreError> {
        let exists = self
            .ask(sql!("stix_object_exists"))
            .param("partner", partner.as_str())
            .param("id", id);
        Ok(exists.fetch_one::<u8>().await? != 0)
    }

    /// The last millisecond taken.
    async fn publications_end(&self) -> Result<Millis, StoreError> {
        let end = self.ask(sql!("stix_objects_end"));
        Ok(millis(end.fetch_one::<i64>().await?))
    }
}

fn row(object: &Publication, added: Millis) -> serde_json::Value {
    json!({
        "partner": object.partner.as_str(),
        "added": added.to_string(),
        "id": object.id,
        "type": object.kind,
        "version": object.version.unwrap_or(added).to_string(),
        "content": object.content,
        "revoked": u8::from(object.revoked),
        "imported": u8::from(object.imported),
        "body": object.body,
    })
}
