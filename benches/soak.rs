//! Whether the centre holds: console and feeds open for an hour of generated traffic, and for one before it to warm up.
//!
//! ```text
//! cargo bench -p noroshi --bench soak                two hours at 20,000 flow tuples a second
//! cargo bench -p noroshi --bench soak -- MINUTES     or as long
//! cargo bench -p noroshi --bench soak -- ahead MINUTES     the analyzer alone, as fast as it can
//! ```
//! Before it begins, eight sensors deliver an hour that they kept, to the collector alone: what a young analyzer first
//! has to get to know (an hour of sources, every service that is asked for) it knows from its start, as it does after
//! any start on a store with a past. Who asked for a quiet service within the hour it learns in its first.
//! Then the program runs as an operator runs it, `noroshi up` with all roles and its engine, as processes of their own.
//! The sensors go on, a batch each every ten seconds; people look at the console and partners' machines read the feeds
//! meanwhile. Every ten seconds the memory of both processes, the analyzer's lag and the store are looked at.
//! At the end a table per quarter, and a judgement: every flow tuple, packet and frame that was sent is acknowledged and
//! kept, nobody met an error, memory has no trend in the second half, the analyzer does not fall behind.
//! Without `--bench` twenty seconds after twenty, of which all but the trend is judged.

#![allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that fails has no result")]

#[path = "soak/ahead.rs"]
mod ahead;
#[path = "soak/book.rs"]
mod book;
#[path = "soak/browser.rs"]
mod browser;
#[path = "soak/centre.rs"]
mod centre;
#[path = "../feeds/benches/load/client.rs"]
mod client;
#[allow(
    dead_code,
    reason = "written for the collector's tests, which need more of it"
)]
#[path = "../collector/src/enrich/mmdb.rs"]
mod mmdb;
#[path = "soak/partners.rs"]
mod partners;
#[path = "soak/people.rs"]
mod people;
#[path = "soak/sampler.rs"]
mod sampler;
#[path = "soak/sensors.rs"]
mod sensors;
#[path = "soak/stream.rs"]
mod stream;
#[path = "soak/traffic.rs"]
mod traffic;
#[path = "soak/verdict.rs"]
mod verdict;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noroshi_sensor::clock;
use noroshi_store::store::Store;
use tempfile::TempDir;
use tikv_jemallocator::Jemalloc;
use tokio::sync::watch;

use book::Book;
use centre::Centre;
use sensors::Delivered;
use traffic::Traffic;

/// As the program itself has it.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How much, and how long.
pub struct Size {
    tuples_per_second: u64,
    /// Sources of background at one time.
    sources: u32,
    /// What sensors kept before.
    past_seconds: u64,
    /// How long everybody is there.
    seconds: u64,
}

const FULL: Size = Size {
    tuples_per_second: 20_000,
    sources: 200_000,
    past_seconds: 3_600,
    seconds: 7_200,
};
/// To show that it runs: two intervals, and two before.
const SMALL: Size = Size {
    tuples_per_second: 500,
    sources: 5_000,
    past_seconds: 20,
    seconds: 20,
};
/// Longest the analyzer may take for the last interval.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_full = arguments.iter().any(|argument| argument == "--bench");
    let mut size = if is_full { FULL } else { SMALL };
    let minutes = arguments
        .iter()
        .find_map(|argument| argument.parse::<u64>().ok());
    if let Some(minutes) = minutes {
        size.seconds = minutes * 60;
    }
    if arguments.iter().any(|argument| argument == "ahead") {
        ahead::run(&size, sensors::next_interval(clock::now()));
        return ExitCode::SUCCESS;
    }
    let faults = hold(&size, is_full).await;
    for fault in &faults {
        println!("FAULT: {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Has everybody work for so long; what did not hold.
async fn hold(size: &Size, is_full: bool) -> Vec<String> {
    let directory = centre::lay_out();
    let from = sensors::next_interval(clock::now()) - size.past_seconds;
    let past = past(&directory, Traffic::new(size, from)).await;
    let centre = Centre::start(directory, "up").await;
    let store = centre.store().await;
    let book = Arc::new(Book::open());
    let (stop, stopped) = watch::channel(false);
    let all = async {
        let delivered = traffic(&centre, past.rest, &book).await;
        stop.send(true).unwrap();
        delivered
    };
    let (delivered, seen, (), ()) = tokio::join!(
        all,
        partners::work(centre.feeds, &book, &stopped),
        people::work(centre.console, &book, &stopped),
        sampler::work(&centre, &store, &book, &stopped),
    );
    let seconds = book.at();
    let mut faults = past.faults;
    faults.extend(account(&centre, &store, (&past.delivered, &delivered)).await);
    store.close().await;
    faults.extend(closed(centre, &book).await);
    let pages = book.pages();
    verdict::tell(&pages, seconds);
    println!("{seen} alerts were read from the feeds");
    if is_full {
        faults.extend(verdict::growth(&pages, seconds));
    }
    if seen == 0 {
        faults.push("no case arose: it shows nothing of the feeds".to_owned());
    }
    faults
}

/// What was before everybody came.
struct Past {
    delivered: Delivered,
    rest: Traffic,
    faults: Vec<String>,
}

/// Delivers to the collector alone what has ended, as fast as it is taken, until that is all.
async fn past(directory: &Arc<TempDir>, traffic: Traffic) -> Past {
    let collector = Centre::start(Arc::clone(directory), "collector").await;
    let book = Arc::new(Book::open());
    let is_behind = |traffic: &Traffic| traffic.is_behind(clock::now());
    let (delivered, rest) = sensors::send(collector.collector, traffic, is_behind, &book).await;
    println!(
        "the past: {} flow tuples of {} seconds, in {:.0} s",
        delivered.sent.tuples,
        rest.through - rest.from,
        book.at()
    );
    Past {
        delivered,
        rest,
        faults: closed(collector, &book).await,
    }
}

/// Ends it; what it complained of, how it ended if not well, and what anybody met.
async fn closed(centre: Centre, book: &Book) -> Vec<String> {
    let (complaints, status) = centre.close().await;
    let mut faults: Vec<String> = complaints
        .iter()
        .map(|line| format!("the centre says: {line}"))
        .collect();
    if !status.success() {
        faults.push(format!("the centre ends with {status}"));
    }
    let pages = book.pages();
    if let Some(first) = pages.troubles.first() {
        let troubles = pages.troubles.len() + pages.more_troubles;
        faults.push(format!("{troubles} troubles, the first: {first}"));
    }
    faults
}

/// Sends all that is left, and waits until the analyzer has seen the last of it.
async fn traffic(centre: &Centre, rest: Traffic, book: &Arc<Book>) -> Delivered {
    let (delivered, rest) = sensors::send(centre.collector, rest, |_| true, book).await;
    let until = Instant::now() + PATIENCE;
    while sampler::examined_through(centre.metrics).await < Some(rest.through) {
        if Instant::now() > until {
            book.trouble("the analyzer has not examined the last interval".to_owned());
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    delivered
}

/// Sent = acknowledged = kept; frames = packets and losses.
async fn account(
    centre: &Centre,
    store: &Store,
    (past, live): (&Delivered, &Delivered),
) -> Vec<String> {
    let sent = past.sent.and(live.sent);
    let acknowledged = past.acknowledged.and(live.acknowledged);
    let frames = past.frames.max(live.frames); // a running count; where nothing was left, of the past
    let kept = store.accounting().await.unwrap();
    let said: u64 = kept.sensors.iter().map(|sensor| sensor.frames).sum();
    println!(
        "sent {} batches, {} flow tuples, {} packets of {frames} frames; acknowledged {} flow tuples, {} packets; \
         kept {} flow tuples, {} packets of {said} frames",
        sent.batches,
        sent.tuples,
        sent.packets,
        acknowledged.tuples,
        acknowledged.packets,
        kept.raw.flows,
        kept.raw.packets
    );
    let counted = sampler::told(centre.metrics, "noroshi_collector_packets_kept_total ").await;
    let mut faults = Vec::new();
    let mut hold = |is_so: bool, what: &str| {
        if !is_so {
            faults.push(format!("{what}: {kept:?}"));
        }
    };
    hold(
        sent == acknowledged,
        "what was sent is not what was acknowledged",
    );
    hold(
        (kept.raw.flows, kept.raw.packets) == (sent.tuples, sent.packets),
        "what was sent is not what is kept",
    );
    hold(
        said == frames,
        "frames that sensors saw are not those of the ledger",
    );
    hold(kept.balances(), "raw rows, ledger and rollup differ");
    hold(
        counted == Some(live.sent.packets as f64),
        "metrics count other packets",
    );
    faults
}
