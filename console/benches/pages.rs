//! How long each page of the console takes over a busy day, on the embedded engine.
//!
//! ```text
//! cargo bench -p noroshi-console --bench pages                  10 million flow tuples of one day
//! cargo bench -p noroshi-console --bench pages -- MILLIONS      or as many
//! ```
//! The rows are appended as the collector appends them, rollups included. A page is asked for over a connection of its
//! own by somebody who is signed in, and counts with all of its bytes; its style sheet and script are constant and kept
//! by the browser. Beside each time stands its share of the limit, one second, and its ratio to a bare pass over the
//! same rows in the same run. Without `--bench` among its arguments it makes one small round.

#![allow(clippy::disallowed_methods, reason = "a bench measures by the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that fails has no result")]

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/desk.rs"]
mod desk;
#[path = "pages/traffic.rs"]
mod traffic;

use std::time::{Duration, Instant};

use desk::{Browser, Desk, host, surge};
use noroshi_store::alert::{Alert, Subject};
use noroshi_store::cases::{Case, Transition};
use tokio::task::JoinSet;
use traffic::{DAY_SECONDS, FROM, Traffic};
use uuid::Uuid;

/// Flow tuples of the day, in millions.
const MILLIONS: f64 = 10.0;
/// And of the small round.
const MILLIONS_SMALL: f64 = 0.02;
/// Minutes of the day that are played: all of it, and in the small round the last ones.
const MINUTES: u64 = DAY_SECONDS / 60;
const MINUTES_SMALL: u64 = 20;
/// Cases that are open.
const CASES: u128 = 1_000;
/// A page is usable after so long.
const LIMIT: Duration = Duration::from_secs(1);
/// How often each page is asked for; the median counts.
const ROUNDS: usize = 7;
/// Batches on their way to the store at a time.
const WAITING_MAX: usize = 16;
/// Reads a column of every row, and keeps nothing.
const BARE_PASS: &str = "SELECT count() FROM flow_tuples WHERE packets > 0";

#[tokio::main]
async fn main() {
    let is_full = std::env::args().any(|argument| argument == "--bench");
    let millions = std::env::args().find_map(|argument| argument.parse().ok());
    let (millions, minutes, rounds) = if is_full {
        (millions.unwrap_or(MILLIONS), MINUTES, ROUNDS)
    } else {
        (MILLIONS_SMALL, MINUTES_SMALL, 1)
    };
    let desk = Desk::open().await;
    let loud = fill(&desk, millions, minutes).await;
    let bare = bare_pass(&desk, rounds).await;
    println!("a bare pass over these rows: {} ms", millis(bare));
    let mut centre = desk.signed_in("operator").await;
    let mut partner = desk.signed_in("th-cert").await;
    let case = format!("/alerts/{}", Uuid::from_u128(1));
    state_purpose(&mut centre, &case).await;
    let surge = format!("/alerts/{}", Uuid::from_u128(CASES + 1));
    for path in [
        "/now",
        "/alerts",
        "/alerts?order=severity&partner=th-cert",
        &case,
        &surge,
        "/explore",
        "/explore?service=tcp/23",
        "/explore?country=TH",
        "/shift",
        "/sensors",
    ] {
        measure(&mut centre, path, (rounds, bare)).await;
    }
    look_through(&mut centre, &loud, (rounds, bare)).await;
    for path in ["/mine", "/alerts"] {
        measure(&mut partner, path, (rounds, bare)).await;
    }
}

/// Explore beyond what rollups tell apart: by sensor, by network, and single sources once their purpose is stated.
async fn look_through(centre: &mut Browser, loud: &str, measured: (usize, Duration)) {
    let token = centre.token().await;
    let fields = [
        ("token", token.as_str()),
        ("purpose", "to see how long it takes"),
        ("case", ""),
        ("next", "/explore/sources"),
    ];
    let answer = centre.post("/explore/purpose", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let one = format!("/explore/sources/{loud}");
    for path in [
        "/explore/sensors",
        "/explore/sensors?service=tcp/23",
        "/explore/networks",
        "/explore/networks?service=tcp/23",
        "/explore/networks?asn=1037",
        "/explore/sources",
        "/explore/sources?service=tcp/23",
        &one,
        &format!("{one}/rows"),
        &format!("{one}/rows?service=tcp/23"),
    ] {
        measure(centre, path, measured).await;
    }
}

/// The last minutes of a day of traffic, and cases that follow from it; a loud source that is nobody's.
async fn fill(desk: &Desk, millions: f64, minutes: u64) -> String {
    let start = Instant::now();
    let traffic = Traffic::new(millions);
    let mut waiting = JoinSet::new();
    for minute in MINUTES - minutes..MINUTES {
        if waiting.len() == WAITING_MAX {
            waiting.join_next().await.unwrap().unwrap();
        }
        let (store, batch) = (desk.store.clone(), traffic.minute(minute));
        waiting.spawn(async move { store.append(batch).await.map(drop).unwrap() });
    }
    while let Some(kept) = waiting.join_next().await {
        kept.unwrap();
    }
    desk.store.roll_up(FROM..FROM + DAY_SECONDS).await.unwrap();
    desk.store.record(&cases(&traffic)).await.unwrap();
    let rows = "SELECT count() FROM flow_tuples";
    let rows: u64 = desk.store.client().query(rows).fetch_one().await.unwrap();
    println!(
        "{rows} flow tuples of a day and {} cases, kept in {:.0} s",
        CASES + 1,
        start.elapsed().as_secs_f64()
    );
    traffic.source(CASES + 1)
}

/// Infected hosts of two partners, and a surge.
fn cases(traffic: &Traffic) -> Vec<Transition> {
    let hosts = (1..=CASES).map(|number| {
        let partner = ["th-cert", "my-cert"][number as usize % 2];
        host(number, Some(partner), &traffic.source(number))
    });
    let surge = Alert {
        subject: Subject::Service {
            service: "tcp/23".to_owned(),
            scope: "region".to_owned(),
        },
        ..surge(CASES + 1)
    };
    let opened = hosts.chain([surge]).map(|alert| Transition {
        at: alert.opened_at,
        case: Case { alert, version: 1 },
        by: "analyzer".to_owned(),
        note: String::new(),
    });
    opened.collect()
}

async fn bare_pass(desk: &Desk, rounds: usize) -> Duration {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let counted = desk.store.client().query(BARE_PASS).fetch_one::<u64>();
        assert!(counted.await.unwrap() > 0);
        times.push(start.elapsed());
    }
    median(&mut times)
}

async fn state_purpose(browser: &mut Browser, case: &str) {
    let token = browser.token().await;
    let fields = [
        ("token", token.as_str()),
        ("purpose", "to see how long it takes"),
    ];
    let answer = browser.post(&format!("{case}/purpose"), &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

/// Prints what one page takes: the first time, and as a rule.
async fn measure(browser: &mut Browser, path: &str, (rounds, bare): (usize, Duration)) {
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..rounds {
        let start = Instant::now();
        let answer = browser.get(path).await;
        times.push(start.elapsed());
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        bytes = answer.head.len() + answer.body.len();
    }
    let first = times[0];
    let usual = median(&mut times);
    println!(
        "{path:<40} {:>6} ms, at first {:>6} ms: {:.2} of the limit, {:.1} bare passes; {bytes} bytes",
        millis(usual),
        millis(first),
        usual.as_secs_f64() / LIMIT.as_secs_f64(),
        usual.as_secs_f64() / bare.as_secs_f64(),
    );
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}
