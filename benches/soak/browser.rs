//! A browser without a screen: a connection a request, cookies kept, forms filled in.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::centre::PASSWORD;

/// Longest that anybody waits for a page.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Browser {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
}

/// What came back, and how long it took with all of its bytes.
pub struct Page {
    pub status: u16,
    pub body: String,
    pub took: Duration,
}

impl Page {
    /// The first link to something below `prefix`.
    pub fn link(&self, prefix: &str) -> Option<String> {
        let mark = format!("href=\"{prefix}");
        let (_, rest) = self.body.split_once(&mark)?;
        let (below, _) = rest.split_once('"')?;
        Some(format!("{prefix}{below}").replace("&amp;", "&"))
    }

    /// The value of a hidden field.
    fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.body.rsplit_once(&mark).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .to_owned()
    }
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: BTreeMap::new(),
        }
    }

    pub async fn get(&mut self, path: &str) -> io::Result<Page> {
        self.ask(format!("GET {path} HTTP/1.1\r\n"), "").await
    }

    /// As a page that refreshes itself.
    pub async fn glance(&mut self, path: &str) -> io::Result<Page> {
        self.ask(format!("GET {path} HTTP/1.1\r\nx-glance: 1\r\n"), "")
            .await
    }

    pub async fn sign_in(&mut self, name: &str) -> io::Result<Page> {
        let door = self.get("/sign-in").await?;
        let token = door.hidden("token");
        let fields = [
            ("token", token.as_str()),
            ("name", name),
            ("password", PASSWORD),
        ];
        self.post("/sign-in", &fields).await
    }

    pub async fn sign_out(&mut self) -> io::Result<Page> {
        let page = self.get("/alerts").await?;
        let token = page.hidden("token");
        self.post("/sign-out", &[("token", &token)]).await
    }

    /// Says what single sources are looked at for.
    pub async fn state_purpose(&mut self) -> io::Result<Page> {
        let page = self.get("/explore/sources").await?;
        let token = page.hidden("token");
        let fields = [
            ("token", token.as_str()),
            ("purpose", "to see that it holds for an hour"),
            ("case", ""),
            ("next", "/explore/sources"),
        ];
        self.post("/explore/purpose", &fields).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<Page> {
        let escape =
            |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escape(value)));
        let form = pairs.collect::<Vec<_>>().join("&");
        self.ask(format!("POST {path} HTTP/1.1\r\n"), &form).await
    }

    async fn ask(&mut self, mut request: String, body: &str) -> io::Result<Page> {
        request.push_str("host: console\r\nconnection: close\r\n");
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        request.push_str(&format!(
            "cookie: {cookies}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
        let begun = Instant::now();
        let asking = tokio::time::timeout(PATIENCE, exchange(self.address, &request));
        let answer = asking
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let took = begun.elapsed();
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        for line in head.lines() {
            let cookie = line
                .strip_prefix("set-cookie: ")
                .and_then(|cookie| cookie.split(';').next());
            if let Some((name, value)) = cookie.and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        Ok(Page {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            body: body.to_owned(),
            took,
        })
    }
}

async fn exchange(address: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
