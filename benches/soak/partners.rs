//! Partners' machines at the feeds: each polls its lists, reads TAXII and MISP now and then, and two of them keep a
//! stream open as well, which must say what the list says.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noroshi_store::origin::PartnerId;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::book::{Asked, Book};
use crate::centre::{partners, token};
use crate::client::{Answer, Client};
use crate::stream::Stream;

/// From one look at what is due to the next.
const TICK: Duration = Duration::from_secs(1);
/// Seconds from one to the next.
const LIST_EVERY: u64 = 10;
const EVENTS_EVERY: u64 = 30;
const TAXII_EVERY: u64 = 30;
const STATUS_EVERY: u64 = 30;
const MISP_EVERY: u64 = 60;
const REPORTS_EVERY: u64 = 60;
/// Alerts of a page, and objects.
const PAGE: usize = 100;
/// Pages of TAXII objects that are read each time, from the beginning.
const TAXII_PAGES_MAX: usize = 3;
/// Partners that keep a stream open.
const STREAMS: usize = 2;
/// How long the stream may be behind the list.
const BEHIND_MAX: Duration = Duration::from_secs(20);

/// Reads until told to stop; how many alerts all of them have seen.
pub async fn work(feeds: SocketAddr, book: &Arc<Book>, stop: &watch::Receiver<bool>) -> usize {
    let mut working = JoinSet::new();
    for (number, partner) in partners().into_iter().enumerate() {
        let (book, mut stop) = (Arc::clone(book), stop.clone());
        working.spawn(async move {
            let stream = (number < STREAMS).then(|| Stream::open(feeds, &partner, &book));
            let mut reader = Reader::new(feeds, partner, &book);
            tokio::select! {
                ended = reader.poll() => book.trouble(format!("a reader of the feeds: {ended:?}")),
                _ = stop.wait_for(|told| *told) => {}
            }
            if let Err(error) = reader.finish(stream).await {
                book.trouble(format!("{}: {error}", reader.partner));
            }
            reader.seen.len()
        });
    }
    let mut seen = 0;
    while let Some(own) = working.join_next().await {
        seen += own.expect("nobody breaks off");
    }
    seen
}

/// The id with which each line begins: `{"id":"…`.
pub fn id_of(line: &str) -> Option<String> {
    line.split('"').nth(3).map(str::to_owned)
}

struct Reader<'a> {
    client: Client,
    partner: PartnerId,
    since: String,
    events_since: String,
    /// Alerts by id.
    seen: BTreeSet<String>,
    book: &'a Book,
}

impl<'a> Reader<'a> {
    fn new(feeds: SocketAddr, partner: PartnerId, book: &'a Book) -> Self {
        Self {
            client: Client::new(feeds, token(&partner)),
            partner,
            since: String::new(),
            events_since: String::new(),
            seen: BTreeSet::new(),
            book,
        }
    }

    /// Ends only where a connection does.
    async fn poll(&mut self) -> io::Result<()> {
        let mut tick = tokio::time::interval(TICK);
        for second in 0_u64.. {
            tick.tick().await;
            let is_due = |every: u64| second.is_multiple_of(every);
            if is_due(LIST_EVERY) {
                self.list().await?;
            }
            if is_due(EVENTS_EVERY) {
                self.events().await?;
            }
            if is_due(TAXII_EVERY) {
                self.taxii().await?;
            }
            if is_due(STATUS_EVERY) {
                self.get("/v1/status", "/v1/status").await?;
            }
            if is_due(MISP_EVERY) {
                self.misp().await?;
            }
            if is_due(REPORTS_EVERY) {
                self.get("/v1/reports/", "/v1/reports/").await?;
            }
        }
        Ok(())
    }

    /// Everything that is new.
    async fn list(&mut self) -> io::Result<()> {
        loop {
            let path = format!("/v1/alerts.jsonl?limit={PAGE}&since={}", self.since);
            let answer = self.get(&path, "/v1/alerts.jsonl").await?;
            let text = String::from_utf8_lossy(&answer.body);
            self.seen.extend(text.lines().filter_map(id_of));
            self.since = answer.next;
            if !answer.more {
                return Ok(());
            }
        }
    }

    async fn events(&mut self) -> io::Result<()> {
        let path = format!("/v1/events.jsonl?limit={PAGE}&since={}", self.events_since);
        let answer = self.get(&path, "/v1/events.jsonl").await?;
        self.events_since = answer.next;
        Ok(())
    }

    async fn taxii(&mut self) -> io::Result<()> {
        let partner = &self.partner;
        let collection = noroshi_feeds::taxii::collection(partner);
        let objects = format!("/taxii2/{partner}/collections/{collection}/objects/?limit={PAGE}");
        let mut path = objects.clone();
        for _ in 0..TAXII_PAGES_MAX {
            let answer = self.get(&path, "/taxii2/…/objects/").await?;
            let told: Value = serde_json::from_slice(&answer.body)?;
            let Some(next) = told["next"].as_str() else {
                break;
            };
            path = format!("{objects}&next={next}");
        }
        Ok(())
    }

    /// The manifest, and today's event.
    async fn misp(&mut self) -> io::Result<()> {
        let answer = self
            .get("/misp/manifest.json", "/misp/manifest.json")
            .await?;
        let told: Value = serde_json::from_slice(&answer.body)?;
        let events = told
            .as_object()
            .map(|events| events.keys().cloned().collect::<Vec<_>>());
        for event in events.unwrap_or_default() {
            self.get(&format!("/misp/{event}.json"), "/misp/….json")
                .await?;
        }
        self.get("/misp/hashes.csv", "/misp/hashes.csv").await?;
        Ok(())
    }

    async fn get(&mut self, path: &str, what: &str) -> io::Result<Answer> {
        let begun = Instant::now();
        let answer = self.client.get(path).await?;
        if answer.status != 200 {
            let partner = &self.partner;
            self.book
                .trouble(format!("{partner}: {path} answers {}", answer.status));
        }
        self.book.answered(Asked::Feeds, what, begun.elapsed());
        Ok(answer)
    }

    /// Reads the list to its end, and waits for the stream to say all of it.
    async fn finish(&mut self, stream: Option<Stream>) -> io::Result<()> {
        self.list().await?;
        let Some(stream) = stream else {
            return Ok(());
        };
        let until = Instant::now() + BEHIND_MAX;
        while !stream.seen().is_superset(&self.seen) && Instant::now() < until {
            tokio::time::sleep(TICK).await;
        }
        let missing = self.seen.difference(&stream.seen()).count();
        if missing > 0 {
            let partner = &self.partner;
            self.book
                .trouble(format!("the stream of {partner} lacks {missing} alerts"));
        }
        Ok(())
    }
}
