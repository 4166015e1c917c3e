//! TAXII 2.1, as far as it is pure: what is asked, and what is said.
//!
//! The rules come from what servers and clients in use do, and from where they stumbled over each
//! other; each stands where it is kept. One reader, one API root, one collection, read-only.
//!
//! | module       | takes                 | gives                                          |
//! |--------------|-----------------------|------------------------------------------------|
//! | [`question`] | a query string        | which objects are wanted                       |
//! | [`next`]     | a place in the order  | a token that says it, and back                 |
//! | [`answer`]   | objects               | resources as JSON                              |

pub mod answer;
pub mod next;
pub mod question;

use noroshi_store::origin::PartnerId;
use uuid::Uuid;

use crate::stix::id;

/// Of every answer, errors as well: clients refuse any that lacks the type or the version.
pub const MEDIA: &str = "application/taxii+json;version=2.1";
/// What objects are.
pub const STIX_MEDIA: &str = "application/stix+json;version=2.1";

/// The one collection of a partner.
pub fn collection(partner: &PartnerId) -> Uuid {
    id::derived(&["collection", partner.as_str()])
}

/// Whether `Accept` lets us answer in [`MEDIA`].
///
/// Lenient where old clients were wrong in good faith: no version, blanks, a list with `*/*`.
pub fn is_acceptable(accept: Option<&str>) -> bool {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return true;
    };
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let named = match media.as_str() {
            "*/*" | "application/*" => return true,
            "application/taxii+json" => true,
            _ => false,
        };
        named && parts.all(|parameter| is_our_version(parameter) != Some(false))
    })
}

/// Whether `Content-Type` is what TAXII clients send.
pub fn is_taxii(content_type: Option<&str>) -> bool {
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    media.eq_ignore_ascii_case("application/taxii+json")
        && parts.all(|parameter| is_our_version(parameter) != Some(false))
}

/// Of a `version` parameter, whether it is 2.1.
fn is_our_version(parameter: &str) -> Option<bool> {
    let (name, value) = parameter.split_once('=')?;
    name.trim()
        .eq_ignore_ascii_case("version")
        .then(|| value.trim().trim_matches('"') == "2.1")
}

#[cfg(test)]
mod tests;
