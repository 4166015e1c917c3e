//! What every answer gets: a tag, so that a reader who has it already is told so and no more.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// The longest answer that is made in one piece: a day of a partner with 100,000 cases as CSV.
pub const BYTES_MAX: usize = 128 * 1024 * 1024;

/// Tags an answer by its contents, and leaves them out where the reader named that tag
/// (RFC 9110 §13.1.2). Streams have none.
pub(crate) async fn tagged(request: Request, next: Next) -> Response {
    let may_be_known = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let mut response = next.run(request).await;
    if !response.headers().contains_key(CACHE_CONTROL) {
        // Only the reader may keep it, and asks each time whether it still holds.
        let own = HeaderValue::from_static("private, no-cache");
        response.headers_mut().insert(CACHE_CONTROL, own);
    }
    if !may_be_known || response.status() != StatusCode::OK || is_stream(&response) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // HEAD has no body to tell it by.
    if body.is_empty() && head.headers.contains_key(CONTENT_LENGTH) {
        return Response::from_parts(head, Body::empty());
    }
    let tag = tag(&body, head.headers.get(CONTENT_TYPE));
    let has_it = known.is_some_and(|known| names(&known, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        head.headers.insert(ETAG, tag);
    }
    if !has_it {
        return Response::from_parts(head, Body::from(body));
    }
    head.status = StatusCode::NOT_MODIFIED;
    head.headers.remove(CONTENT_TYPE);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::empty())
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// A weak one: compressed or not, an answer says the same.
fn tag(body: &Bytes, kind: Option<&HeaderValue>) -> String {
    let mut digest = Sha256::new();
    digest.update(kind.map_or(&b""[..], HeaderValue::as_bytes));
    digest.update([0]);
    digest.update(body);
    let digits: String = digest.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("W/\"{digits}\"")
}

/// Whether a list of tags has this one; compared weakly.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else {
        return false;
    };
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|one| bare(one) == bare(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_in_every_way_it_can_be_named() {
        let tag = tag(&Bytes::from_static(b"text"), None);
        let bare = tag.trim_start_matches("W/");
        for known in [&tag, bare, "*", &format!("\"other\", {tag}")] {
            assert!(
                names(&HeaderValue::from_str(known).unwrap(), &tag),
                "{known}"
            );
        }
        for unknown in ["", "\"other\"", "W/\"\""] {
            let unknown = HeaderValue::from_str(unknown).unwrap();
            assert!(!names(&unknown, &tag), "{unknown:?}");
        }
    }

    #[test]
    fn the_same_bytes_of_another_kind_have_another_tag() {
        let body = Bytes::from_static(b"{}");
        let json = HeaderValue::from_static("application/json");
        assert_ne!(tag(&body, None), tag(&body, Some(&json)));
        assert_ne!(tag(&body, None), tag(&Bytes::from_static(b"[]"), None));
    }
}
