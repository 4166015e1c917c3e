//! Where to read on, as a token that clients carry and cannot make.
//!
//! It holds the place itself, so nothing is kept at the server: it can be used again, after a
//! restart, and at another server with the same key. It holds for one collection alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use noroshi_proto::time::Millis;
use sha2::Sha256;
use uuid::Uuid;

/// What tokens are made with.
pub type Key = [u8; 32];

/// Bytes of the place.
const PLACE: usize = 8;
/// Bytes of the code: 128 bits, beyond guessing at any rate of requests.
const CODE: usize = 16;

/// The token for what stands behind `place` in `collection`.
pub fn token(key: &Key, collection: Uuid, place: Millis) -> String {
    let mut bytes = [0; PLACE + CODE];
    bytes[..PLACE].copy_from_slice(&place.0.to_be_bytes());
    let code = mac(key, collection, place).finalize().into_bytes();
    bytes[PLACE..].copy_from_slice(&code[..CODE]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place a token stands for; `None` where it is none of ours, or another collection's.
pub fn place(key: &Key, collection: Uuid, token: &str) -> Option<Millis> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (place, code) = bytes.split_at_checked(PLACE)?;
    let place = Millis(u64::from_be_bytes(place.try_into().ok()?));
    let whole = code.len() == CODE;
    let code = mac(key, collection, place).verify_truncated_left(code);
    (whole && code.is_ok()).then_some(place)
}

fn mac(key: &Key, collection: Uuid, place: Millis) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("a key of any length will do");
    mac.update(b"taxii next");
    mac.update(collection.as_bytes());
    mac.update(&place.0.to_be_bytes());
    mac
}
