//! Alerts that changed become STIX objects that are published: one publisher for all partners.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::alert::State;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::changes::Shown;
use noroshi_store::lease::{Lease, Role};
use noroshi_store::notices::SINKHOLE;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::registry::partner::Partner;
use noroshi_store::stix::{Known, Publication};
use noroshi_store::store::{Store, StoreError};
use uuid::Uuid;

use crate::stix::object::Stamp;
use crate::stix::{Audience, Object, objects};

/// Name of the publisher's cursor.
const FEED: &str = "stix";
/// Changes taken at once: some thousand objects.
const CHANGES_AT_ONCE: u32 = 200;
/// Between two looks for changes.
const POLL: Duration = Duration::from_secs(1);
/// How long a publisher that hangs keeps others out.
const LEASE_MILLIS: u64 = 10_000;
/// How often the lease is renewed.
const RENEW_MILLIS: u64 = 3_000;

/// What publishes, and on whose behalf.
pub struct Publisher {
    store: Store,
    registry: Arc<Registry>,
    centre: String,
    /// Names this program among publishers.
    holder: String,
}

impl Publisher {
    /// Publishes in the name of `centre`.
    pub fn new(store: Store, registry: Arc<Registry>, centre: String) -> Self {
        let holder = Uuid::new_v4().to_string();
        Self {
            store,
            registry,
            centre,
            holder,
        }
    }

    /// Publishes what changes until `shutdown`; waits while another does, or the store is away.
    ///
    /// # Errors
    /// What waiting does not cure.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), StoreError> {
        let mut shutdown = pin!(shutdown);
        let mut held = None;
        loop {
            match self.step(&mut held).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(StoreError::Fenced(..)) => held = None,
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::warn!(%error, "publisher waits for the store");
                }
                Err(error) => return Err(error),
            }
            if rest(&mut shutdown).await {
                return Ok(());
            }
        }
    }

    /// Publishes some changes; `true` where more may be waiting.
    async fn step(&self, held: &mut Option<Held>) -> Result<bool, StoreError> {
        let now = self.store.wall_time().await?;
        let until = Millis(now.0 + LEASE_MILLIS);
        let holder = match held.take() {
            Some(holder) if now.0 < holder.renewed.0 + RENEW_MILLIS => holder,
            Some(holder) => {
                self.store.renew_lease(&holder.lease, until).await?;
                Held {
                    renewed: now,
                    ..holder
                }
            }
            None => {
                let lease = self
                    .store
                    .acquire_lease(Role::Publisher, &self.holder, now, until)
                    .await?;
                let Some(lease) = lease else {
                    return Ok(false);
                };
                tracing::info!(token = lease.token(), "publisher holds the lease");
                let cursor = self.store.feed_cursor(FEED).await?.unwrap_or_default();
                Held {
                    lease,
                    cursor,
                    renewed: now,
                }
            }
        };
        let holder = held.insert(holder);
        let changes = self.store.changes(holder.cursor, CHANGES_AT_ONCE).await?;
        let Some((end, _)) = changes.last() else {
            return Ok(false);
        };
        let end = *end;
        let more = changes.len() == CHANGES_AT_ONCE as usize;
        let objects = self.render(changes);
        let known = self.known(&objects).await?;
        // Done again after a crash between these two, this finds everything known already.
        let news = news(objects, &known);
        self.store.publish(&holder.lease, &news).await?;
        self.store.set_feed_cursor(FEED, end).await?;
        holder.cursor = end;
        if !news.is_empty() {
            tracing::debug!(objects = news.len(), "published");
        }
        Ok(more)
    }

    /// The objects of each case in its last state.
    fn render(&self, changes: Vec<(ChangeCursor, Shown)>) -> Vec<Rendered> {
        let rendered = last_states(changes).into_iter().filter_map(|(at, shown)| {
            let partner = PartnerId::new(shown.alert.partner.as_deref()?)?;
            let partner = self.registry.partner(&partner)?;
            Some(Rendered {
                at,
                partner: partner.id.clone(),
                imported: shown.alert.reason_code == SINKHOLE,
                withdrawn: shown.alert.state == State::Withdrawn,
                objects: objects(&shown, &self.audience(partner)),
            })
        });
        rendered.collect()
    }

    fn audience<'a>(&'a self, partner: &'a Partner) -> Audience<'a> {
        Audience {
            centre: &self.centre,
            partner: partner.id.as_str(),
            country: partner.country.as_str(),
            markings: partner.stix_markings,
        }
    }

    async fn known(
        &self,
        rendered: &[Rendered],
    ) -> Result<BTreeMap<(String, String), Known>, StoreError> {
        let ids: HashSet<&str> = rendered
            .iter()
            .flat_map(|case| case.objects.iter().map(|object| object.id.as_str()))
            .collect();
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        self.store.known_objects(&ids).await
    }
}

/// The lease, and how far its holder has come.
struct Held {
    lease: Lease,
    cursor: ChangeCursor,
    renewed: Millis,
}

/// The objects of one case.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// When the case changed, in wall time.
    pub at: Millis,
    /// Whose it is.
    pub partner: PartnerId,
    /// It rests on imported evidence.
    pub imported: bool,
    /// The centre took it back.
    pub withdrawn: bool,
    /// Its objects, those first that others refer to.
    pub objects: Vec<Object>,
}

async fn rest(shutdown: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
    tokio::time::timeout(POLL, shutdown.as_mut()).await.is_ok()
}

/// Each case in the last of these states, in the order in which they were reached.
fn last_states(changes: Vec<(ChangeCursor, Shown)>) -> Vec<(Millis, Shown)> {
    let mut seen = HashSet::new();
    let mut last: Vec<_> = changes
        .into_iter()
        .rev()
        .filter(|(_, shown)| seen.insert(shown.alert.id))
        .map(|(cursor, shown)| (cursor.recorded_at(), shown))
        .collect();
    last.reverse();
    last
}

/// What is new in these objects, beside what was published before: pure.
///
/// An object that was revoked stays so (STIX 2.1 §3.6), whatever the analyzer still says of it;
/// one that was never published is not published to be revoked.
pub fn news(
    rendered: Vec<Rendered>,
    known: &BTreeMap<(String, String), Known>,
) -> Vec<Publication> {
    let mut known = known.clone();
    let mut news = Vec::new();
    for case in rendered {
        let name = case.partner.as_str();
        let is_known = |object: &Object| known.contains_key(&(name.to_owned(), object.id.clone()));
        let never_told = |object: &Object| object.head.revoked && !is_known(object);
        if case.withdrawn
            && !case
                .objects
                .iter()
                .any(|it| it.head.revoked && is_known(it))
        {
            continue; // nobody has read of it
        }
        let objects: Vec<Object> = case
            .objects
            .iter()
            .filter(|it| !never_told(it))
            .cloned()
            .collect();
        for object in objects {
            let key = (name.to_owned(), object.id.clone());
            let Some(publication) = publication(&case, object, known.get(&key)) else {
                continue;
            };
            let last = Known {
                version: publication.version.unwrap_or_default(),
                content: publication.content,
                revoked: publication.revoked,
            };
            known.insert(key, last);
            news.push(publication);
        }
    }
    news
}

/// The next version of an object; `None` where it says nothing new.
fn publication(case: &Rendered, mut object: Object, last: Option<&Known>) -> Option<Publication> {
    let content = object.content();
    if last.is_some_and(|last| last.revoked || last.content == content || !object.is_versioned()) {
        return None;
    }
    if object.is_versioned() {
        let created = object.version().unwrap_or_default();
        let after = last.map_or(created, |last| Millis(last.version.0 + 1));
        object.head.modified = Some(Stamp(case.at.max(created).max(after)));
    }
    Some(Publication {
        partner: case.partner.clone(),
        kind: object.kind,
        version: object.version(),
        content,
        revoked: object.head.revoked,
        imported: case.imported,
        body: object.json(),
        id: object.id,
    })
}

#[cfg(test)]
mod tests;
