//! How things stand, every ten seconds: memory of both processes, how far the analyzer has come, what the store holds.

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
    let through = examined_through(centre.metrics).await;
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
    }
}

/// Until when the analyzer has examined everything, in seconds since 1970; `None` before it leads.
pub async fn examined_through(metrics: SocketAddr) -> Option<u64> {
    let through = told(
        metrics,
        "noroshi_analyzer_examined_through_timestamp_seconds ",
    )
    .await?;
    (through > 0.0).then_some(through as u64)
}

/// The value behind these words in what Prometheus is told.
pub async fn told(metrics: SocketAddr, words: &str) -> Option<f64> {
    let mut stream = TcpStream::connect(metrics).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(words));
    line.and_then(|value| value.trim().parse().ok())
}

/// A line of what Linux says of a process's memory, in KiB there.
pub fn mebibytes(process: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kibibytes.unwrap_or(f64::NAN) / 1024.0
}
