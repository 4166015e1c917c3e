//! Where to read on, as a token that clients carry and cannot make.
//!
//! It holds the place itself, so nothing is kept at the server: it can be used again, after a
//! restart, and at another server with the same key. It holds for one collection alone.

use noroshi_proto::time::Millis;
use uuid::Uuid;

use crate::key::Key;

const PURPOSE: &str = "taxii next";

/// The token for what stands behind `place` in `collection`.
pub fn token(key: &Key, collection: Uuid, place: Millis) -> String {
    format!(
        "{}.{}",
        place.0,
        key.sign(PURPOSE, &told(collection, place))
    )
}

/// The place a token stands for; `None` where it is none of ours, or another collection's.
pub fn place(key: &Key, collection: Uuid, token: &str) -> Option<Millis> {
    let (place, signature) = token.split_once('.')?;
    let place = Millis(place.parse().ok()?);
    key.verifies(PURPOSE, &told(collection, place), signature)
        .then_some(place)
}

fn told(collection: Uuid, place: Millis) -> String {
    format!("{collection}/{}", place.0)
}
