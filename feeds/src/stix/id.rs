//! Ids that need not be stored: the same alert gives the same ids, on any machine, for ever.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// Namespace of observables' ids (STIX 2.1 §2.9).
const OBSERVABLES: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// The id of one object of an alert, by its `role` there; `of` is empty where alerts share it.
pub fn of_alert(kind: &str, partner: &str, of: &str, role: &str) -> String {
    format!("{kind}--{}", derived(&[kind, partner, of, role]))
}

/// A UUID that looks random and follows from `parts`.
///
/// STIX wants version 4 of everything but observables (§2.9), and validators warn of any other. So
/// the bits a random UUID would draw are taken from a hash instead: two that differ in any part
/// are as unlike as random ones, and nothing has to be remembered.
pub fn derived(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new_with_prefix("noroshi");
    for part in parts {
        hash.update([0]); // no part holds one, so no two lists run together
        hash.update(part.as_bytes());
    }
    let mut bits = [0; 16];
    bits.copy_from_slice(&hash.finalize()[..16]);
    Builder::from_random_bytes(bits).into_uuid()
}

/// The id of an observable: UUIDv5 over the canonical JSON (RFC 8785) of what identifies it.
///
/// Strings, whole numbers and lists of them are written by `serde_json` as the canonical form
/// wants them, and a `BTreeMap` sorts the keys. Times must bear no fraction: implementations
/// disagree on trailing zeros.
pub fn of_observable(kind: &str, identifying: &BTreeMap<&'static str, Value>) -> String {
    let canonical = serde_json::to_string(identifying)
        .expect("string keys, and values that are strings, numbers or lists");
    let id = Uuid::new_v5(&OBSERVABLES, canonical.as_bytes());
    format!("{kind}--{id}")
}
