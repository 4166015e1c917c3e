//! How things stand, every ten seconds: memory of both processes, how far the analyzer has come, what the store holds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use noroshi_sensor::clock;
use noroshi_store::store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::book::{Book, Sample};
use crate::centre::Centre;

const EVERY: Duration = Duration::from_secs(10);
/// What the store holds, without reading it.
const HELD: &str = "SELECT sumIf(rows, table = 'flow_tuples'), sum(bytes_on_disk), count() FROM system.parts \
                    WHERE database = currentDatabase() AND active";

/// Samples until told to stop.
pub async fn work(centre: &Centre, store: &Store, book: &Arc<Book>, stop: &watch::Receiver<bool>) {
    let mut stop = stop.clone();
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => book.sampled(sample(centre, store, book).await),
            _ = stop.wait_for(|told| *told) => return,
        }
    }
}

async fn sample(centre: &Centre, store: &Store, book: &Book) -> Sample {
    let (own, engine) = (centre.pid(), centre.engine().0);
    let (rows, disk, parts) = store
        .client()
        .query(HELD)
        .fetch_one::<(u64, u64, u64)>()
        .await
        .unwrap();
    let text = text(centre.metrics).await;
    let through = through(&text);
    Sample {
        at: book.at(),
        centre: mebibytes(own, "VmRSS:"),
        engine: mebibytes(engine, "VmRSS:"),
        centre_own: mebibytes(own, "RssAnon:"),
        engine_own: mebibytes(engine, "RssAnon:"),
        lag: through.map_or(f64::NAN, |through| {
            clock::now().0 as f64 / 1e3 - through as f64
        }),
        rows,
        disk,
        parts,
        tables: tables(&text),
    }
}

/// Until when the analyzer has examined everything, in seconds since 1970; `None` before it leads.
pub async fn examined_through(metrics: SocketAddr) -> Option<u64> {
    through(&text(metrics).await)
}

fn through(text: &str) -> Option<u64> {
    let words = "noroshi_analyzer_examined_through_timestamp_seconds ";
    let through = value(text, words)?;
    (through > 0.0).then_some(through as u64)
}

/// The value behind these words in what Prometheus is told.
pub async fn told(metrics: SocketAddr, words: &str) -> Option<f64> {
    value(&text(metrics).await, words)
}

fn value(text: &str, words: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(words));
    line?.trim().parse().ok()
}

/// How many entries each table of the analyzer has.
fn tables(text: &str) -> BTreeMap<String, f64> {
    let words = "noroshi_analyzer_table_entries{table=\"";
    let lines = text.lines().filter_map(|line| line.strip_prefix(words));
    let tables = lines.filter_map(|line| {
        let (table, entries) = line.split_once("\"} ")?;
        Some((table.to_owned(), entries.parse().ok()?))
    });
    tables.collect()
}

/// What Prometheus is told there.
async fn text(metrics: SocketAddr) -> String {
    let mut stream = TcpStream::connect(metrics).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// A line of what Linux says of a process's memory, in KiB there.
pub fn mebibytes(process: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kibibytes.unwrap_or(f64::NAN) / 1024.0
}
