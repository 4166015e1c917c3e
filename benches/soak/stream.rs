//! A partner's client that waits for server-sent events, and comes back where it was when a stream has ended.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use noroshi_store::origin::PartnerId;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::book::{Asked, Book};
use crate::centre::token;
use crate::partners::id_of;

/// Open until it is dropped.
pub struct Stream {
    seen: Arc<Mutex<BTreeSet<String>>>,
    following: JoinHandle<()>,
}

impl Stream {
    pub fn open(feeds: SocketAddr, partner: &PartnerId, book: &Arc<Book>) -> Self {
        let seen = Arc::default();
        let follower = Follower {
            feeds,
            partner: partner.clone(),
            last: String::new(),
            seen: Arc::clone(&seen),
            book: Arc::clone(book),
        };
        Self {
            seen,
            following: tokio::spawn(follower.follow()),
        }
    }

    /// Alerts by id.
    pub fn seen(&self) -> BTreeSet<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.following.abort();
    }
}

struct Follower {
    feeds: SocketAddr,
    partner: PartnerId,
    /// The id of the last event.
    last: String,
    seen: Arc<Mutex<BTreeSet<String>>>,
    book: Arc<Book>,
}

impl Follower {
    async fn follow(mut self) {
        loop {
            if let Err(error) = self.one().await {
                let partner = &self.partner;
                self.book
                    .trouble(format!("the stream of {partner}: {error}"));
                return;
            }
        }
    }

    /// One stream, until the feeds end it.
    async fn one(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        let mut stream = BufReader::new(TcpStream::connect(self.feeds).await?);
        let mut request = format!(
            "GET /v1/alerts/stream HTTP/1.1\r\nhost: feeds\r\nauthorization: Bearer {}\r\n",
            token(&self.partner)
        );
        if !self.last.is_empty() {
            request.push_str(&format!("last-event-id: {}\r\n", self.last));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(line));
        }
        self.book
            .answered(Asked::Feeds, "/v1/alerts/stream", begun.elapsed());
        loop {
            line.clear();
            // an event is a chunk, so that no line of one is broken
            if stream.read_line(&mut line).await? == 0 || line == "0\r\n" {
                return Ok(());
            }
            if let Some(id) = line.strip_prefix("id: ") {
                id.trim_end().clone_into(&mut self.last);
            }
            if let Some(id) = line.strip_prefix("data: ").and_then(id_of) {
                self.seen
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(id);
            }
        }
    }
}
