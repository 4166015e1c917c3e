//! What is asked: `added_after`, `limit`, `next` and `match[…]`.

use jiff::Timestamp;
use noroshi_proto::time::Millis;
use noroshi_store::stix::{Versions, Wanted};
use uuid::Uuid;

use super::next;
use crate::key::Key;

/// Objects in one answer at most, and where no limit is asked: about a megabyte.
pub const OBJECTS_MAX: u32 = 1_000;
/// Values of one filter.
pub const VALUES_MAX: usize = 100;

/// A question, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    added_after: Option<String>,
    limit: Option<String>,
    next: Option<String>,
    id: Option<String>,
    kind: Option<String>,
    version: Option<String>,
    spec_version: Option<String>,
}

impl Question {
    /// Reads a query string. Clients encode the brackets of `match[type]` or do not; parameters
    /// that we do not know are passed over.
    ///
    /// # Errors
    /// A parameter that comes twice.
    pub fn read(query: &str) -> Result<Self, String> {
        let mut question = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "added_after" => &mut question.added_after,
                "limit" => &mut question.limit,
                "next" => &mut question.next,
                "match[id]" => &mut question.id,
                "match[type]" => &mut question.kind,
                "match[version]" => &mut question.version,
                "match[spec_version]" => &mut question.spec_version,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(format!(
                    "'{name}' comes twice: separate its values by commas"
                ));
            }
        }
        Ok(question)
    }

    /// Which objects are wanted, in one more than fit an answer; `None` where there can be none.
    ///
    /// A client sends `next` together with the `added_after` it began with: `next` is the later.
    ///
    /// # Errors
    /// What the reader has to mend.
    pub fn wanted(&self, key: &Key, collection: Uuid) -> Result<Option<Wanted>, String> {
        let specifications = values("match[spec_version]", self.spec_version.as_deref())?;
        let after = match (&self.next, &self.added_after) {
            (Some(token), _) => next::place(key, collection, token)
                .ok_or("'next' is not one of this collection: begin again with 'added_after'")?,
            (None, Some(text)) => instant(text).ok_or_else(|| {
                format!("'added_after' is not a time of RFC 3339, such as {EXAMPLE}: {text:?}")
            })?,
            (None, None) => Millis(0),
        };
        let wanted = Wanted {
            after,
            ids: values("match[id]", self.id.as_deref())?,
            types: values("match[type]", self.kind.as_deref())?,
            versions: versions(&values("match[version]", self.version.as_deref())?)?,
            limit: limit(self.limit.as_deref())? + 1,
        };
        let possible = specifications.is_empty() || specifications.iter().any(|it| it == "2.1");
        Ok(possible.then_some(wanted))
    }
}

const EXAMPLE: &str = "2026-11-02T06:00:00.000Z";

/// Zero is refused, as it asks for nothing; what is too much is cut.
fn limit(text: Option<&str>) -> Result<u32, String> {
    let Some(text) = text else {
        return Ok(OBJECTS_MAX);
    };
    let wrong = || format!("'limit' is a whole number above 0: {text:?}");
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(0) => Err(wrong()),
        Ok(limit) => Ok(u32::try_from(limit).unwrap_or(OBJECTS_MAX).min(OBJECTS_MAX)),
        Err(_) if is_number => Ok(OBJECTS_MAX),
        Err(_) => Err(wrong()),
    }
}

/// The millisecond in which a time lies: what was added in a later one was added after it, to
/// any number of decimals.
fn instant(text: &str) -> Option<Millis> {
    // some clients leave the plus of an offset bare, which then reads as a blank
    let timestamp: Timestamp = text.replace(' ', "+").parse().ok()?;
    let millis = timestamp.as_nanosecond().div_euclid(1_000_000);
    Some(Millis(u64::try_from(millis).unwrap_or(0)))
}

/// A comma means "or".
fn values(name: &str, text: Option<&str>) -> Result<Vec<String>, String> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let values: Vec<String> = text.split(',').map(|one| one.trim().to_owned()).collect();
    if values.len() > VALUES_MAX {
        return Err(format!("at most {VALUES_MAX} values of '{name}'"));
    }
    Ok(values)
}

fn versions(values: &[String]) -> Result<Versions, String> {
    let mut versions = Versions::default();
    for value in values {
        match value.as_str() {
            "all" => versions.all = true,
            "first" => versions.first = true,
            "last" => versions.last = true,
            text => versions.at.push(instant(text).ok_or_else(|| {
                format!("'match[version]' is all, first, last, or times of RFC 3339: {text:?}")
            })?),
        }
    }
    versions.last |= values.is_empty();
    Ok(versions)
}
