//! How partners show who they are, and what they are told again.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use noroshi_feeds::keyring::LOOK_EVERY;
use noroshi_web::tls::TlsFiles;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::desk::{Desk, NORTH, SOUTH};

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn a_token_is_good_in_each_way_that_tools_can_send_it() {
    let desk = Desk::open().await;
    let line = "GET /v1/alerts.jsonl";
    let good = [
        format!("Bearer {NORTH}"),
        format!("bearer {NORTH}"),
        format!("Token {NORTH}"),
        basic("th-cert", NORTH),
    ];
    for value in good {
        let answer = desk.ask(line, Some(&value)).await;
        assert_eq!(answer.status, 200, "{value}");
    }
    let bad = [
        basic("my-cert", NORTH),
        basic("", NORTH),
        basic("th-cert", ""),
        "Basic ????".to_owned(),
        format!("Digest {NORTH}"),
        NORTH.to_owned(),
    ];
    for value in bad {
        let answer = desk.ask(line, Some(&value)).await;
        assert_eq!(answer.status, 401, "{value}");
        assert!(
            answer
                .header("www-authenticate")
                .starts_with("Basic realm=")
        );
    }
    desk.close().await;
}

#[tokio::test]
async fn a_token_is_rotated_without_a_gap_and_revoked_soon() {
    let desk = Desk::open().await;
    let line = "GET /v1/alerts.jsonl";
    let (old, new) = (format!("Bearer {NORTH}"), format!("Bearer {NORTH}-new"));
    desk.give("th-cert", &format!("{NORTH}\n{NORTH}-new\n"));
    until(&desk, &new, 200).await;
    assert_eq!(desk.ask(line, Some(&old)).await.status, 200);
    desk.give("th-cert", &format!("{NORTH}-new\n"));
    until(&desk, &old, 401).await;
    assert_eq!(desk.ask(line, Some(&new)).await.status, 200);
    desk.give("th-cert", "short\n");
    until(&desk, &new, 401).await;
    let other = desk.ask(line, Some(&format!("Bearer {SOUTH}"))).await;
    assert_eq!(other.status, 200, "another's fault is nobody else's");
    desk.close().await;
}

async fn until(desk: &Desk, authorization: &str, status: u16) {
    for _ in 0..40 {
        tokio::time::sleep(LOOK_EVERY / 4).await;
        let answer = desk.ask("GET /v1/alerts.jsonl", Some(authorization)).await;
        if answer.status == status {
            return;
        }
    }
    panic!("the credential is not in force after ten looks");
}

#[tokio::test]
async fn who_has_it_already_is_told_so_and_no_more() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.shows(1).await;
    let authorization = format!("Bearer {NORTH}");
    let line = "GET /v1/alerts.jsonl";
    let first = desk.ask(line, Some(&authorization)).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{first:?}");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let headers = [
        ("authorization", authorization.as_str()),
        ("if-none-match", &tag),
    ];
    let again = desk.ask_with(line, &headers).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    desk.record(2, 1, Some("th-cert")).await;
    desk.shows(2).await;
    assert_eq!(desk.ask_with(line, &headers).await.status, 200);
    desk.close().await;
}

#[tokio::test]
async fn answers_are_compressed_for_who_takes_it() {
    let desk = Desk::open().await;
    desk.record(1, 1, Some("th-cert")).await;
    desk.shows(1).await;
    let authorization = format!("Bearer {NORTH}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("accept-encoding", "gzip"),
    ];
    let answer = desk.ask_with("GET /v1/alerts.jsonl", &headers).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(!answer.body.contains("infected_host"), "{answer:?}");
    desk.close().await;
}

#[tokio::test]
async fn every_access_is_noted() {
    let desk = Desk::open().await;
    let authorization = format!("Bearer {NORTH}");
    desk.ask("GET /v1/alerts.jsonl?limit=3", Some(&authorization))
        .await;
    desk.ask("GET /nothing", Some(&authorization)).await;
    let store = desk.store.clone();
    desk.close().await;
    let noted = store
        .client()
        .query("SELECT who, action FROM audit ORDER BY action")
        .fetch_all::<(String, String)>()
        .await
        .expect("the store answers");
    let told: Vec<String> = noted
        .iter()
        .map(|(who, did)| format!("{who} {did}"))
        .collect();
    assert_eq!(
        told,
        [
            "partner:th-cert GET /nothing 404",
            "partner:th-cert GET /v1/alerts.jsonl?limit=3 200"
        ]
    );
}

/// A key and a certificate for it, made here.
fn certificate(directory: &Path) -> (CertifiedKey<rcgen::KeyPair>, TlsFiles) {
    let made = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let files = TlsFiles {
        certificate: directory.join("feeds.pem"),
        key: directory.join("feeds-key.pem"),
    };
    fs::write(&files.certificate, made.cert.pem()).expect("it is written");
    fs::write(&files.key, made.signing_key.serialize_pem()).expect("it is written");
    (made, files)
}

#[tokio::test]
async fn a_client_certificate_is_a_credential() {
    let mut server = None;
    let desk = Desk::open_with(|directory| {
        let (made, files) = certificate(directory);
        server = Some(made.cert.der().clone());
        Some(files)
    })
    .await;
    let mut roots = RootCertStore::empty();
    roots
        .add(server.expect("it was made"))
        .expect("it is a certificate");
    let client = generate_simple_self_signed(["th-cert".to_owned()]).expect("a certificate");
    let digest: String = Sha256::digest(client.cert.der())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    desk.give("th-cert", &format!("{NORTH}\ncertificate:{digest}\n"));
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots.clone())
    };
    let key = PrivateKeyDer::try_from(client.signing_key.serialize_der()).expect("a key");
    let known = builder().with_client_auth_cert(vec![client.cert.der().clone()], key);
    let known = Arc::new(known.expect("they are each other's"));
    let nobody = Arc::new(builder().with_no_client_auth());
    let mut status = 0;
    for _ in 0..40 {
        tokio::time::sleep(LOOK_EVERY / 4).await;
        status = ask_in_secret(&desk, &known, "").await;
        if status == 200 {
            break;
        }
    }
    assert_eq!(status, 200, "its certificate is its credential");
    assert_eq!(ask_in_secret(&desk, &nobody, "").await, 401);
    let token = format!("authorization: Bearer {NORTH}\r\n");
    assert_eq!(ask_in_secret(&desk, &nobody, &token).await, 200);
    let wrong = "authorization: Bearer wrong\r\n";
    assert_eq!(ask_in_secret(&desk, &known, wrong).await, 401);
    desk.close().await;
}

/// The status of an answer over TLS.
async fn ask_in_secret(desk: &Desk, config: &Arc<ClientConfig>, headers: &str) -> u16 {
    let (address, config) = (desk.address, Arc::clone(config));
    let request = format!(
        "GET /v1/alerts.jsonl HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"
    );
    let asking = tokio::task::spawn_blocking(move || {
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(config, name).expect("a session");
        let stream = TcpStream::connect(address).expect("the port is open");
        let wait = Some(Duration::from_secs(20));
        stream.set_read_timeout(wait).expect("a limit");
        let mut stream = StreamOwned::new(session, stream);
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer); // the end without a farewell is no matter
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
    });
    asking.await.expect("no panic").expect("a status")
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let desk = Desk::open().await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(connect(&desk).await);
    }
    let mut garbage = connect(&desk).await;
    garbage.write_all(&[0xff; 4096]).await.expect("it is sent");
    let mut slow = connect(&desk).await;
    slow.write_all(b"GET /v1/al").await.expect("it is sent");
    let answer = desk.page(NORTH, "").await;
    assert_eq!(answer.status, 200);
    drop((idle, garbage, slow));
    desk.close().await;
}

/// What the test may open beside what it needs itself; the bench opens ten thousand.
const IDLE: usize = 400;

async fn connect(desk: &Desk) -> tokio::net::TcpStream {
    let stream = tokio::net::TcpStream::connect(desk.address).await;
    stream.expect("the port is open")
}
