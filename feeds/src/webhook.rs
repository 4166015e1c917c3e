//! Standard Webhooks (version 1 of the specification): what is posted, how it is signed, and what an
//! answer means.
//!
//! ```text
//! webhook-id: the message's        webhook-timestamp: seconds        webhook-signature: v1,… v1a,…
//! {"type":"alert.opened","timestamp":"2026-11-02T06:00:10.000Z","data":{…}}
//! ```
//! Signed is `id.timestamp.body`, over the bytes that are sent. Of an exercise the type says
//! `exercise.` instead of `alert.`.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac as _};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::{Request, StatusCode, Uri};
use noroshi_proto::time::Millis;
use noroshi_store::alert::Alert;
use noroshi_store::deliveries::Form;
use noroshi_store::registry::push::{self, Payload};
use noroshi_web::ask::{Patience, ask};
use noroshi_web::outbound::Outbound;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::message::{Item, Message, Notice};
use crate::retry::Outcome;

/// Size of a body: the specification asks for less than 20 kB.
pub const BODY_BYTES_MAX: usize = 20_000;
/// How long a receiver may take, from the first packet to the status of its answer; what follows
/// that is not read.
const PATIENCE: Patience = Patience {
    wait: Duration::from_secs(15),
    bytes: 0,
};
/// Keys of one webhook: the old one, the new one, and spares.
pub const KEYS_MAX: usize = 4;

/// A key that signs messages.
pub enum Key {
    /// `whsec_…`: the partner has it too.
    Shared(Vec<u8>),
    /// `whsk_…`: the partner has its public half.
    Private(Box<SigningKey>),
}

/// A webhook that is ready to be posted to.
pub struct Hook {
    uri: Uri,
    payload: Payload,
    keys: Vec<Key>,
    /// Where partners read their feeds; no slash at the end.
    public_url: Option<String>,
}

impl Key {
    /// Reads one line of a key file.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(line: &str) -> Result<Self, String> {
        let shape = "a key is whsec_ and 24 to 64 bytes in base64, or whsk_ and an Ed25519 key's 32 \
                     or 64 bytes in base64";
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| shape.to_owned());
        if let Some(secret) = line.strip_prefix("whsec_") {
            let bytes = decode(secret)?;
            return match (24..=64).contains(&bytes.len()) {
                true => Ok(Self::Shared(bytes)),
                false => Err(shape.to_owned()),
            };
        }
        let Some(private) = line.strip_prefix("whsk_") else {
            return Err(shape.to_owned());
        };
        let bytes = decode(private)?;
        let key = match (<[u8; 32]>::try_from(&*bytes), <[u8; 64]>::try_from(&*bytes)) {
            (Ok(seed), _) => SigningKey::from_bytes(&seed),
            (_, Ok(pair)) => SigningKey::from_keypair_bytes(&pair)
                .map_err(|_| "the two halves of the whsk_ key do not belong together".to_owned())?,
            _ => return Err(shape.to_owned()),
        };
        Ok(Self::Private(Box::new(key)))
    }

    /// The signature of what is sent, with its scheme.
    fn sign(&self, signed: &[u8]) -> String {
        match self {
            Self::Shared(secret) => {
                let mut mac =
                    Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
                mac.update(signed);
                format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
            }
            Self::Private(key) => format!("v1a,{}", STANDARD.encode(key.sign(signed).to_bytes())),
        }
    }
}

impl Hook {
    /// Reads the webhook's keys.
    ///
    /// # Errors
    /// What the operator mends.
    pub fn open(webhook: &push::Webhook, public_url: Option<String>) -> Result<Self, String> {
        let uri = webhook
            .url
            .parse::<Uri>()
            .map_err(|error| format!("{}: {error}", webhook.url))?;
        let files = [&webhook.secret_file, &webhook.key_file];
        let mut keys = Vec::new();
        for path in files.into_iter().flatten() {
            keys.extend(read_keys(path)?);
        }
        if keys.len() > KEYS_MAX {
            return Err(format!(
                "{}: more than {KEYS_MAX} keys: take old ones out",
                webhook.url
            ));
        }
        Ok(Self {
            uri,
            payload: webhook.payload,
            keys,
            public_url,
        })
    }

    /// What is posted.
    pub fn body(&self, message: &Message) -> Vec<u8> {
        let (kind, data) = match &message.said.notice {
            Some(Notice::Heartbeat { examined_until }) => {
                let until = Millis(*examined_until).to_string();
                ("heartbeat".to_owned(), json!({ "examined_until": until }))
            }
            _ => self.about_cases(message),
        };
        let body = json!({
            "type": kind,
            "timestamp": message.at.to_string(),
            "data": data,
        });
        body.to_string().into_bytes()
    }

    /// The kind and the data of what is said of cases.
    fn about_cases(&self, message: &Message) -> (String, Value) {
        let about = if message.is_exercise() {
            "exercise"
        } else {
            "alert"
        };
        let single = message
            .said
            .items
            .first()
            .filter(|_| message.form == Form::Single);
        let (kind, data) = match single {
            Some(item) => (item.event.name(), self.one(item)),
            None if message.form == Form::Summary => {
                let undelivered = json!({ "undelivered": message.said.more, "url": self.list() });
                ("undelivered", undelivered)
            }
            None => ("digest", self.many(message)),
        };
        (format!("{about}.{kind}"), data)
    }

    fn one(&self, item: &Item) -> Value {
        let full =
            json!({ "event": item.event.name(), "alert": item.alert, "reason": item.reason });
        let fits = full.to_string().len() < BODY_BYTES_MAX - 1_000;
        match self.payload {
            Payload::Full if fits => full,
            _ => self.thin(item),
        }
    }

    /// No address, and nothing else that a third party could use.
    fn thin(&self, item: &Item) -> Value {
        let Item { event, alert, .. } = item;
        let mut thin = json!({
            "id": alert.id,
            "event": event.name(),
            "kind": alert.kind,
            "severity": alert.severity,
            "tlp": alert.tlp,
        });
        if alert.exercise {
            thin["exercise"] = true.into();
        }
        if let Some(url) = self.url(alert) {
            thin["url"] = url.into();
        }
        thin
    }

    /// As many as fit; the rest is counted.
    fn many(&self, message: &Message) -> Value {
        let room = BODY_BYTES_MAX - 1_000;
        let (mut alerts, mut bytes) = (Vec::new(), 0);
        for item in &message.said.items {
            let thin = self.thin(item);
            bytes += thin.to_string().len() + 1;
            if bytes > room {
                break;
            }
            alerts.push(thin);
        }
        let more = message.said.count() - alerts.len() as u64;
        json!({ "alerts": alerts, "more": more, "url": self.list() })
    }

    fn url(&self, alert: &Alert) -> Option<String> {
        let base = self.public_url.as_deref()?;
        Some(format!("{base}/v1/alerts/{}", alert.id))
    }

    fn list(&self) -> Option<String> {
        let base = self.public_url.as_deref()?;
        Some(format!("{base}/v1/alerts.jsonl"))
    }

    /// The value of `webhook-signature`: one signature a key, so that one can be changed for another.
    pub fn signature(&self, message: &Message, seconds: u64, body: &[u8]) -> String {
        let mut signed = format!("{}.{seconds}.", message.id).into_bytes();
        signed.extend_from_slice(body);
        let signatures: Vec<String> = self.keys.iter().map(|key| key.sign(&signed)).collect();
        signatures.join(" ")
    }

    /// Posts a message.
    pub async fn send(&self, outbound: &Outbound, message: &Message, now: Millis) -> Outcome {
        let request = match self.request(message, now) {
            Ok(request) => request,
            Err(error) => return Outcome::unreached(error),
        };
        match ask(outbound, request, PATIENCE).await {
            Ok(answer) => {
                let wait = answer.head.headers.get(RETRY_AFTER);
                let wait = wait.and_then(|value| value.to_str().ok()?.trim().parse().ok());
                outcome(answer.head.status, wait.map(Duration::from_secs))
            }
            Err(error) => Outcome::unreached(error),
        }
    }

    fn request(
        &self,
        message: &Message,
        now: Millis,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let body = self.body(message);
        let seconds = now.0 / 1000;
        Request::post(&self.uri)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id.to_string())
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.signature(message, seconds, &body))
            .body(Full::new(Bytes::from(body)))
    }
}

/// What an answer means. A redirection is not followed: whoever moves tells us.
fn outcome(status: StatusCode, wait: Option<Duration>) -> Outcome {
    let error = format!("answered {status}");
    match status.as_u16() {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Gone(error),
        408 | 429 | 502..=504 => Outcome::Unreached { error, wait },
        _ => Outcome::Refused(error),
    }
}

fn read_keys(path: &Path) -> Result<Vec<Key>, String> {
    let file = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{file}: {error}: check the path and its rights"))?;
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        keys.push(Key::parse(line).map_err(|problem| format!("{file}:{number}: {problem}"))?);
    }
    if keys.is_empty() {
        return Err(format!("{file}: there is no key in it: write one a line"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
