//! Messages to partners' machines as Standard Webhooks (specification 1.0) says: signed, with an id
//! that stays, and no more in them than that there is something to read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use noroshi_proto::time::Millis;
use noroshi_store::changes::Shown;
use noroshi_store::registry::partner::Payload;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

/// Secrets of one webhook at a time: the old one and the new one, while it changes.
pub const SECRETS_MAX: usize = 4;
/// Bytes of a symmetric secret (specification, "Signature scheme").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Alerts that a digest names; the rest is counted. The specification asks for less than 20 kB.
pub const DIGEST_MAX: usize = 60;

/// Why a file of secrets cannot be used: its line, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct SecretError {
    /// From 1; 0 for the whole file.
    pub line: usize,
    /// What is wrong and what to do.
    pub problem: &'static str,
}

/// What messages to one receiver are signed with.
pub struct Secrets(Vec<Secret>);

enum Secret {
    /// `v1`: HMAC-SHA256.
    Shared(Vec<u8>),
    /// `v1a`: ed25519; the receiver has the public half alone.
    Pair(Box<Ed25519KeyPair>),
}

impl Secrets {
    /// Reads a file: one secret a line, `whsec_…` or `whsk_…`, both followed by base64.
    ///
    /// # Errors
    /// The first line that is no secret.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let mut secrets = Vec::new();
        for (line, written) in (1..).zip(text.lines()) {
            let written = written.trim();
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            let wrong = |problem| SecretError { line, problem };
            if secrets.len() == SECRETS_MAX {
                return Err(wrong("at most 4 secrets: take the oldest out"));
            }
            secrets.push(secret(written).map_err(wrong)?);
        }
        if secrets.is_empty() {
            let problem = "there is no secret: echo whsec_$(openssl rand -base64 32)";
            return Err(SecretError { line: 0, problem });
        }
        Ok(Self(secrets))
    }

    /// The value of `webhook-signature`: one signature for each secret, so that a receiver may
    /// change its own when it likes.
    pub fn sign(&self, id: Uuid, seconds: u64, body: &[u8]) -> String {
        let mut signed = format!("{id}.{seconds}.").into_bytes();
        signed.extend_from_slice(body);
        let signatures = self.0.iter().map(|secret| match secret {
            Secret::Shared(key) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key's");
                mac.update(&signed);
                format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
            }
            Secret::Pair(pair) => format!("v1a,{}", STANDARD.encode(pair.sign(&signed))),
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

fn secret(written: &str) -> Result<Secret, &'static str> {
    if let Some(encoded) = written.strip_prefix("whsec_") {
        let key = STANDARD.decode(encoded).map_err(|_| "not base64")?;
        if !SECRET_BYTES.contains(&key.len()) {
            return Err("a secret has 24 to 64 bytes: echo whsec_$(openssl rand -base64 32)");
        }
        return Ok(Secret::Shared(key));
    }
    let Some(encoded) = written.strip_prefix("whsk_") else {
        return Err("a secret begins with whsec_ (shared) or whsk_ (ed25519)");
    };
    let key = STANDARD.decode(encoded).map_err(|_| "not base64")?;
    let pair = match key.len() {
        32 => Ed25519KeyPair::from_seed_unchecked(&key),
        64 => Ed25519KeyPair::from_seed_and_public_key(&key[..32], &key[32..]),
        _ => return Err("an ed25519 key has 32 bytes, or 64 with its public half"),
    };
    pair.map(|pair| Secret::Pair(Box::new(pair)))
        .map_err(|_| "the public half is not the key's own")
}

/// The body of a message about one case.
pub fn body(what: &str, shown: &Shown, payload: Payload, public_url: &str, at: Millis) -> Value {
    let data = match payload {
        Payload::Thin => thin(shown, public_url),
        Payload::Full => json!(shown),
    };
    let drill = if shown.alert.exercise {
        "exercise."
    } else {
        ""
    };
    json!({
        "type": format!("{drill}alert.{what}"),
        "timestamp": at.to_string(),
        "data": data,
    })
}

/// The body of a message about several.
pub fn digest(shown: &[Shown], public_url: &str, at: Millis) -> Value {
    let named: Vec<Value> = shown
        .iter()
        .take(DIGEST_MAX)
        .map(|one| thin(one, public_url))
        .collect();
    json!({
        "type": "alert.digest",
        "timestamp": at.to_string(),
        "data": {
            "alerts": named,
            "count": shown.len(),
            "url": format!("{public_url}/v1/alerts.jsonl"),
        },
    })
}

/// That there is something, how urgent, and where: no address of anybody.
fn thin(shown: &Shown, public_url: &str) -> Value {
    let alert = &shown.alert;
    json!({
        "id": alert.id,
        "kind": alert.kind,
        "state": alert.state,
        "severity": alert.severity,
        "tlp": alert.tlp,
        "exercise": alert.exercise,
        "url": format!("{public_url}/v1/alerts/{}", alert.id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's reference libraries.
        let secrets = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let Secret::Shared(key) = &secrets.0[0] else {
            panic!("a shared secret");
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}");
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_changes_both_sign() {
        let seed = STANDARD.encode([7; 32]);
        let text = format!("# old\nwhsec_{}\n\nwhsk_{seed}\n", STANDARD.encode([1; 24]));
        let signed = Secrets::parse(&text).unwrap().sign(Uuid::nil(), 5, b"{}");
        let kinds: Vec<_> = signed
            .split(' ')
            .map(|one| one.split_once(',').unwrap().0)
            .collect();
        assert_eq!(kinds, ["v1", "v1a"]);
    }

    #[test]
    fn a_bad_secret_is_named() {
        let short = format!("whsec_{}", STANDARD.encode([1; 23]));
        let long = format!("whsk_{}", STANDARD.encode([1; 33]));
        for (text, line) in [
            ("", 0),
            ("# nothing\n", 0),
            ("\nplain", 2),
            ("whsec_%%", 1),
            (short.as_str(), 1),
            (long.as_str(), 1),
        ] {
            assert_eq!(
                Secrets::parse(text).err().map(|error| error.line),
                Some(line),
                "{text}"
            );
        }
    }

    #[test]
    fn a_thin_message_names_no_address() {
        let shown = Shown::new(drill::sample(), None);
        let told = body(
            "opened",
            &shown,
            Payload::Thin,
            "https://feeds.example",
            Millis(0),
        );
        let told = told.to_string();
        assert!(told.contains("exercise.alert.opened"), "{told}");
        assert!(told.contains("https://feeds.example/v1/alerts/"), "{told}");
        assert!(!told.contains("203.0.113.7"), "{told}");
        let full = body(
            "opened",
            &shown,
            Payload::Full,
            "https://feeds.example",
            Millis(0),
        );
        assert!(full.to_string().contains("203.0.113.7"));
    }

    #[test]
    fn a_digest_of_a_surge_stays_below_twenty_kilobytes() {
        let many = vec![Shown::new(drill::sample(), None); 5_000];
        let url = format!("https://{}.example", "f".repeat(60));
        let told = digest(&many, &url, Millis(0));
        assert_eq!(told["data"]["count"], 5_000);
        assert!(
            told.to_string().len() < 20_000,
            "{}",
            told.to_string().len()
        );
    }
}
