//! How long a page of alerts takes while every partner polls, and what a crowd of idle, slow and
//! senseless clients does to that.
//!
//! ```text
//! cargo bench -p noroshi-feeds --bench load      200 partners, 100,000 alerts, 10,000 idle connections
//! ```
//! Without `--bench` one small round. The feeds are real, on the embedded engine; partners and crowd
//! are processes of their own over loopback, so that the memory that is told is the feeds' alone. They
//! share the machine's processors: on two cores nothing else may run. Each process needs as many
//! open files as there are connections (`ulimit -n 16384`).
//!
//! - *steady*: each partner asks every four seconds, fifteen times as often as a poll a minute;
//! - *at once*: each partner asks again as soon as it is answered, as after an outage.

#![allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that fails has no result")]

#[path = "load/centre.rs"]
mod centre;
#[path = "load/client.rs"]
mod client;
#[path = "load/crowd.rs"]
mod crowd;
#[path = "load/partners.rs"]
mod partners;
#[path = "load/process.rs"]
mod process;

use std::net::SocketAddr;
use std::time::Instant;

use centre::Centre;
use client::Client;
use partners::{Measured, Pace};

/// How much of everything.
#[derive(Clone, Copy)]
struct Size {
    partners: usize,
    /// Of each partner.
    alerts: usize,
    /// Alerts of a page: each partner reads several, and none more than it may ask for at once.
    page: usize,
    idle: usize,
}

const FULL: Size = Size {
    partners: 200,
    alerts: 500,
    page: 50,
    idle: 10_000,
};
/// To show that it runs.
const SMALL: Size = Size {
    partners: 5,
    alerts: 60,
    page: 20,
    idle: 200,
};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    match words.as_slice() {
        ["crowd", address, idle] => {
            crowd::run(address.parse().unwrap(), idle.parse().unwrap()).await;
        }
        ["partners", address, count, page, pace] => {
            let (count, page) = (count.parse().unwrap(), page.parse().unwrap());
            partners::run(
                address.parse().unwrap(),
                (count, page),
                Pace::named(pace).unwrap(),
            )
            .await;
        }
        _ => {
            let is_full = arguments.iter().any(|argument| argument == "--bench");
            measure(if is_full { FULL } else { SMALL }).await;
        }
    }
}

async fn measure(size: Size) {
    let centre = Centre::open(size.partners, size.alerts).await;
    let address = centre.address;
    println!(
        "{} partners, {} alerts, {}",
        size.partners,
        size.partners * size.alerts,
        process::memory(centre.engine())
    );
    let mut alone = Vec::new();
    for pace in [Pace::Steady, Pace::AtOnce] {
        let measured = poll(&centre, size, pace).await;
        measured.tell(pace, "alone");
        alone.push(measured);
    }
    println!("{}", process::memory(centre.engine()));
    taxii(address).await;
    let crowd = crowd::Crowd::gather(address, size.idle).await;
    for (pace, before) in [Pace::Steady, Pace::AtOnce].into_iter().zip(alone) {
        let measured = poll(&centre, size, pace).await;
        measured.tell(pace, "in a crowd");
        println!(
            "{:8} p99 in a crowd / p99 alone: {:.2}",
            pace.name(),
            measured.percentile(99) / before.percentile(99)
        );
    }
    println!("{}", process::memory(centre.engine()));
    println!("crowd: {}", crowd.leave().await);
    println!("{}", process::memory(centre.engine()));
    centre.close().await;
}

/// Every partner reads all of its alerts.
async fn poll(centre: &Centre, size: Size, pace: Pace) -> Measured {
    let before = process::spent(centre.engine());
    let mut measured = partners::poll(centre.address, (size.partners, size.page), pace).await;
    let after = process::spent(centre.engine());
    measured.spent = [after[0] - before[0], after[1] - before[1]];
    assert_eq!(
        measured.alerts,
        size.partners * size.alerts,
        "each partner has all of its own"
    );
    measured
}

/// One partner reads the beginning of its STIX objects.
async fn taxii(address: SocketAddr) {
    let partner = partners::id(0);
    let collection = noroshi_feeds::taxii::collection(&partner);
    let path = format!("/taxii2/{partner}/collections/{collection}/objects/?limit=100");
    let mut client = Client::new(address, partners::token(0));
    let start = Instant::now();
    let answer = client.get(&path).await.unwrap();
    assert_eq!(answer.status, 200, "{path}");
    println!(
        "taxii    a page of 100 objects: {:.1} ms, {} KiB",
        start.elapsed().as_secs_f64() * 1e3,
        answer.body.len() / 1024
    );
}
