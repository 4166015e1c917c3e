//! A provider of identities that does what it is told, right or wrong.

#![allow(
    dead_code,
    reason = "two include this file, and neither needs all of it"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

/// The console's name and secret there.
pub(crate) const CLIENT: &str = "noroshi";
pub(crate) const SECRET: &str = "told to nobody";

/// What it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// All of it right.
    Right,
    /// One claim is another's.
    Claim(&'static str, Value),
    /// The signature is of a key that it does not own up to.
    OtherKey,
    /// There is no signature, and the token says so.
    Unsigned,
    /// There is no ID token at all.
    NoToken,
    /// Tokens are refused.
    Refuse,
    /// It does not find its own description.
    Redirect,
    /// Its description has no end in sight.
    Endless,
    /// It calls itself by another name.
    OtherName,
    /// It has no place to sign out.
    NoEnd,
}

/// Runs until the test ends.
#[derive(Clone)]
pub(crate) struct Forger {
    pub(crate) address: SocketAddr,
    told: Arc<Mutex<Told>>,
}

struct Told {
    deed: Deed,
    /// The nonce and challenge of the sign-in under way.
    nonce: String,
    challenge: String,
    /// How often it was asked to describe itself.
    asked: usize,
    key: u8,
}

impl Forger {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let told = Told {
            deed: Deed::Right,
            nonce: String::new(),
            challenge: String::new(),
            asked: 0,
            key: 1,
        };
        let forger = Self {
            address: listener.local_addr().expect("an address"),
            told: Arc::new(Mutex::new(told)),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(forger.clone());
        tokio::spawn(async move { axum_serve(listener, router).await });
        forger
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn does(&self, deed: Deed) {
        self.told.lock().expect("no panic while it was held").deed = deed;
    }

    /// It has another key from now on, and says so.
    pub(crate) fn changes_its_key(&self) {
        self.told.lock().expect("no panic while it was held").key = 2;
    }

    pub(crate) fn asked(&self) -> usize {
        self.told.lock().expect("no panic while it was held").asked
    }

    /// What a person's browser is asked for; returns the state.
    pub(crate) fn is_asked(&self, address: &str) -> String {
        let (place, query) = address.split_once('?').expect("a query");
        assert_eq!(place, format!("{}/authorize", self.issuer()));
        let field = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        assert_eq!(field("response_type"), "code");
        assert_eq!(field("client_id"), CLIENT);
        assert_eq!(field("code_challenge_method"), "S256");
        assert!(field("scope").split(' ').any(|scope| scope == "openid"));
        let mut told = self.told.lock().expect("no panic while it was held");
        told.nonce = field("nonce");
        told.challenge = field("code_challenge");
        field("state")
    }
}

async fn axum_serve(listener: TcpListener, router: Router) {
    let server = noroshi_web::serve::Server {
        listener,
        acceptor: None,
        router,
        limits: noroshi_web::serve::Limits {
            connections: 16,
            connections_per_address: 16,
            header_bytes: 16 * 1024,
        },
        connections: Arc::default(),
    };
    server.run(std::future::pending()).await;
}

async fn describe(State(forger): State<Forger>) -> Response {
    let mut told = forger.told.lock().expect("no panic while it was held");
    told.asked += 1;
    let at = |path: &str| format!("{}{path}", forger.issuer());
    let mut said = json!({
        "issuer": forger.issuer(),
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "end_session_endpoint": at("/end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    });
    match told.deed {
        Deed::Redirect => (StatusCode::FOUND, [(header::LOCATION, at("/token"))]).into_response(),
        Deed::Endless => vec![b' '; 3 << 20].into_response(),
        Deed::OtherName => {
            said["issuer"] = "https://id.example.org".into();
            Json(said).into_response()
        }
        Deed::NoEnd => {
            said["end_session_endpoint"] = Value::Null;
            Json(said).into_response()
        }
        _ => Json(said).into_response(),
    }
}

async fn keys(State(forger): State<Forger>) -> Json<Value> {
    let key = signing_key(forger.told.lock().expect("no panic while it was held").key);
    let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "x": public,
    });
    Json(json!({ "keys": [key] }))
}

async fn token(
    State(forger): State<Forger>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let told = forger.told.lock().expect("no panic while it was held");
    let field = |name: &str| {
        let mut pairs = form_urlencoded::parse(&form);
        let found = pairs.find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let proof = headers
        .get(header::AUTHORIZATION)
        .expect("it proves who it is");
    let expected = STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+")));
    assert_eq!(proof, &format!("Basic {expected}"));
    assert_eq!(field("grant_type"), "authorization_code");
    assert_eq!(field("code"), "a-code");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    assert_eq!(
        challenge, told.challenge,
        "who asked for the code trades it in"
    );
    if told.deed == Deed::Refuse {
        let why = Json(json!({ "error": "invalid_grant" }));
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let mut answer = json!({ "access_token": "access", "token_type": "Bearer", "expires_in": 60 });
    if told.deed != Deed::NoToken {
        answer["id_token"] = id_token(&forger, &told).into();
    }
    Json(answer).into_response()
}

fn id_token(forger: &Forger, told: &Told) -> String {
    let now = now();
    let mut claims = json!({
        "iss": forger.issuer(), "aud": CLIENT, "sub": "248289761001", "nonce": told.nonce,
        "iat": now, "exp": now + 300, "email": "aiko@example.org", "email_verified": false,
    });
    if let Deed::Claim(name, value) = &told.deed {
        claims[*name] = value.clone();
    }
    let algorithm = if told.deed == Deed::Unsigned {
        "none"
    } else {
        "EdDSA"
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": algorithm })), part(&claims));
    let key = signing_key(if told.deed == Deed::OtherKey {
        9
    } else {
        told.key
    });
    let signature = match told.deed {
        Deed::Unsigned => String::new(),
        _ => URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).to_bytes()),
    };
    format!("{signed}.{signature}")
}

fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

#[allow(clippy::disallowed_methods, reason = "tokens are judged by the clock")]
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or(Duration::ZERO).as_secs()
}
