//! Receivers on loopback: they keep what they get, and answer as they are told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Everything that came in, in the order it did.
#[derive(Clone, Debug)]
pub(crate) struct Inbox<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Inbox<T> {
    fn put(&self, one: T) -> usize {
        let mut all = self.0.lock().expect("nobody panics");
        all.push(one);
        all.len() - 1
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().expect("nobody panics").clone()
    }

    /// Waits until so many are there.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<T> {
        for _ in 0..30_000 {
            let all = self.all();
            if all.len() >= count {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "{count} messages do not come within minutes: {}",
            self.all().len()
        );
    }
}

/// A request as it was posted.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Posted {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// What a receiver of webhooks answers to its n-th request, from 0.
pub(crate) type Answer = fn(usize) -> &'static str;

pub(crate) fn ok(_: usize) -> &'static str {
    "HTTP/1.1 204 No Content\r\n\r\n"
}

/// Takes a request and never says a word.
pub(crate) fn silent(_: usize) -> &'static str {
    ""
}

/// A receiver; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Sink<T> {
    pub(crate) port: u16,
    pub(crate) inbox: Inbox<T>,
    task: JoinHandle<()>,
}

impl<T> Drop for Sink<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server's side of TLS for `localhost`, and its own certificate as PEM.
pub(crate) fn tls() -> (TlsAcceptor, String) {
    let certified =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(
        certified.signing_key.serialize_der(),
    ));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let chain = vec![certified.cert.der().clone()];
            builder.with_no_client_auth().with_single_cert(chain, key)
        })
        .expect("a server");
    (TlsAcceptor::from(Arc::new(config)), certified.cert.pem())
}

/// A receiver of webhooks.
pub(crate) async fn webhook(answer: Answer, tls: Option<TlsAcceptor>) -> Sink<Posted> {
    serve(tls, move |stream, inbox| async move {
        let mut stream = BufReader::new(stream);
        let Some(posted) = read_request(&mut stream).await else {
            return;
        };
        let answer = answer(inbox.put(posted));
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await; // as a receiver far away
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await
}

/// A collector of syslog: keeps each line without its count.
pub(crate) async fn syslog(tls: Option<TlsAcceptor>) -> Sink<String> {
    serve(tls, |stream, inbox| async move {
        let mut stream = BufReader::new(stream);
        loop {
            let mut count = Vec::new();
            if stream.read_until(b' ', &mut count).await.unwrap_or(0) == 0 {
                return;
            }
            let count = std::str::from_utf8(&count).expect("digits").trim_end();
            let mut line = vec![0; count.parse().expect("octet counting")];
            stream.read_exact(&mut line).await.expect("so many octets");
            inbox.put(String::from_utf8(line).expect("UTF-8"));
        }
    })
    .await
}

/// A mail as it was handed over.
#[derive(Clone, Debug)]
pub(crate) struct Mailed {
    pub(crate) to: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Mailed {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A mail server. With `start_tls` it takes no mail before TLS has begun.
pub(crate) async fn smtp(tls: Option<TlsAcceptor>, start_tls: Option<TlsAcceptor>) -> Sink<Mailed> {
    serve(tls, move |stream, inbox| {
        let start_tls = start_tls.clone();
        async move {
            let mut stream = BufReader::new(stream);
            let _ = stream.write_all(b"220 sink ESMTP\r\n").await;
            let Some(acceptor) = start_tls else {
                talk_smtp(&mut stream, &inbox, false).await;
                return;
            };
            if !talk_smtp(&mut stream, &inbox, true).await {
                return;
            }
            if let Ok(stream) = acceptor.accept(stream.into_inner()).await {
                talk_smtp(&mut BufReader::new(stream), &inbox, false).await;
            }
        }
    })
    .await
}

/// Whether it ended with the word to begin TLS, which `offers_tls`; then nothing else is taken.
async fn talk_smtp(
    stream: &mut (impl AsyncBufReadExt + AsyncWrite + Unpin),
    inbox: &Inbox<Mailed>,
    offers_tls: bool,
) -> bool {
    let (mut line, mut to) = (String::new(), Vec::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return false;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if offers_tls => "250-sink\r\n250 STARTTLS\r\n",
            "EHLO" => "250-sink\r\n250 PIPELINING\r\n",
            "QUIT" => "221 bye\r\n",
            "STAR" if offers_tls => {
                let _ = stream.write_all(b"220 go on\r\n").await;
                return true;
            }
            _ if offers_tls => "530 begin TLS first\r\n",
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).expect("an address");
                to.push(address.to_owned());
                "250 good\r\n"
            }
            "DATA" => {
                let _ = stream.write_all(b"354 go on\r\n").await;
                let bytes = read_mail(stream).await;
                let to = std::mem::take(&mut to);
                inbox.put(Mailed { to, bytes });
                "250 taken\r\n"
            }
            _ => "250 good\r\n",
        };
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// Lines up to the one with the dot alone, dots taken off again (RFC 5321 §4.5.2).
async fn read_mail(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Vec<u8> {
    let (mut mail, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let count = stream.read_until(b'\n', &mut line).await.unwrap_or(0);
        if count == 0 || line == b".\r\n" {
            return mail;
        }
        mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

async fn read_request(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Posted> {
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    stream.read_line(&mut line).await.ok()?;
    assert!(
        line.starts_with("POST ") && line.ends_with(" HTTP/1.1\r\n"),
        "{line}"
    );
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(Posted { headers, body })
}

/// A stream in the clear or in TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn serve<T, F>(
    tls: Option<TlsAcceptor>,
    talk: impl Fn(Box<dyn Stream>, Inbox<T>) -> F + Send + 'static,
) -> Sink<T>
where
    T: Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let inbox = Inbox::default();
    let kept = inbox.clone();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream: Box<dyn Stream> = match &tls {
                None => Box::new(stream),
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => Box::new(stream),
                    Err(_) => continue, // a client that does not trust us
                },
            };
            tokio::spawn(talk(stream, kept.clone()));
        }
    });
    Sink { port, inbox, task }
}
