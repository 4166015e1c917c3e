//! Partners that read all of their alerts, page by page.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use noroshi_feeds::rate::REQUEST_EVERY;
use noroshi_store::origin::PartnerId;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::client::Client;

/// Between two requests of a steady partner.
const STEADY_EVERY: Duration = Duration::from_secs(4);

/// How partners ask.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Every [`STEADY_EVERY`], each at its own moment within it.
    Steady,
    /// Again as soon as they are answered.
    AtOnce,
}

impl Pace {
    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::AtOnce => "at-once",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Steady, Self::AtOnce]
            .into_iter()
            .find(|pace| pace.name() == name)
    }
}

pub fn id(number: usize) -> PartnerId {
    PartnerId::new(&format!("cert-{number:03}")).unwrap()
}

pub fn token(number: usize) -> String {
    format!("token-of-a-partner-that-is-number-{number:03}")
}

/// What partners met.
#[derive(Serialize, Deserialize)]
pub struct Measured {
    pub alerts: usize,
    /// Refused for asking too often.
    refused: usize,
    seconds: f64,
    /// Of each page, in milliseconds, the shortest first.
    pages: Vec<f64>,
    /// Processor time of the feeds and of the engine meanwhile, in milliseconds.
    pub spent: [f64; 2],
}

impl Measured {
    pub fn percentile(&self, percent: usize) -> f64 {
        self.pages[(self.pages.len() * percent / 100).min(self.pages.len() - 1)]
    }

    pub fn tell(&self, pace: Pace, where_: &str) {
        println!(
            "{:8} {where_}: p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms; {} pages, {:.0} a second; \
             {} refused; processor a page: feeds {:.1} ms, engine {:.1} ms",
            pace.name(),
            self.percentile(50),
            self.percentile(99),
            self.percentile(100),
            self.pages.len(),
            self.pages.len() as f64 / self.seconds,
            self.refused,
            self.spent[0] / self.pages.len() as f64,
            self.spent[1] / self.pages.len() as f64
        );
    }
}

/// Has them read in a process of their own.
pub async fn poll(address: SocketAddr, (count, page): (usize, usize), pace: Pace) -> Measured {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["partners", &address.to_string()])
        .args([count.to_string(), page.to_string()])
        .arg(pace.name())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The process of the partners: says what they met.
pub async fn run(address: SocketAddr, (count, page): (usize, usize), pace: Pace) {
    let start = Instant::now();
    let mut reading = JoinSet::new();
    for number in 0..count {
        let own = STEADY_EVERY * number as u32 / count as u32;
        reading.spawn(async move {
            if let Pace::Steady = pace {
                tokio::time::sleep(own).await;
            }
            let reader = Reader {
                client: Client::new(address, token(number)),
                pages: Vec::new(),
                refused: 0,
            };
            reader.read(pace, page).await
        });
    }
    let mut all = Measured {
        alerts: 0,
        refused: 0,
        seconds: 0.0,
        pages: Vec::new(),
        spent: [0.0; 2],
    };
    while let Some(read) = reading.join_next().await {
        let (alerts, reader) = read.unwrap();
        all.alerts += alerts;
        all.refused += reader.refused;
        all.pages.extend(reader.pages);
    }
    all.seconds = start.elapsed().as_secs_f64();
    all.pages.sort_by(f64::total_cmp);
    println!("{}", serde_json::to_string(&all).unwrap());
}

struct Reader {
    client: Client,
    pages: Vec<f64>,
    refused: usize,
}

impl Reader {
    /// Reads until nothing is left; how many different alerts there were.
    async fn read(mut self, pace: Pace, page: usize) -> (usize, Self) {
        let (mut since, mut seen) = (String::new(), HashSet::new());
        let mut tick = tokio::time::interval(STEADY_EVERY);
        loop {
            if let Pace::Steady = pace {
                tick.tick().await;
            }
            let path = format!("/v1/alerts.jsonl?limit={page}&since={since}");
            let start = Instant::now();
            let answer = self.client.get(&path).await.unwrap();
            if answer.status == 429 {
                self.refused += 1;
                tokio::time::sleep(REQUEST_EVERY).await;
                continue;
            }
            assert_eq!(answer.status, 200, "{path}");
            self.pages.push(start.elapsed().as_secs_f64() * 1e3);
            for line in answer.body.split(|byte| *byte == b'\n') {
                if let Some(id) = line.get(..50) {
                    seen.insert(id.to_vec()); // each line begins with the alert's id
                }
            }
            since = answer.next;
            if !answer.more && answer.body.is_empty() {
                return (seen.len(), self);
            }
        }
    }
}
