//! A week of a region in a real store: raw rows with all that is made of them, and cases with what people did.

use std::ops::Range;
use std::time::Instant;

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Kind, State, Subject};
use noroshi_store::cases::{Case, Transition};
use noroshi_store::deliveries::Delivery;
use noroshi_store::engine::testing;
use noroshi_store::positions::Access;
use noroshi_store::remedy::Event;
use noroshi_store::retention::Retention;
use noroshi_store::steps::Step;
use noroshi_store::store::{Store, StoreConfig};
use uuid::Uuid;

use crate::alerts;

const DAY: u64 = 86_400;
/// Days that are kept.
const DAYS: u64 = 8;
/// 26 October 2026, 00:00 UTC.
const START: u64 = 1_792_972_800;
/// The week that is asked about: people look at any time of a day, so it begins and ends within one.
pub(crate) const WEEK: Range<u64> = START + 19_020..START + 19_020 + 7 * DAY;
/// Sensors, each with a batch every ten seconds.
const SENSORS: u64 = 8;
const BATCHES_A_DAY: u64 = DAY / 10;
/// Cases of the week, and half of them answered.
const CASES: u64 = 5_000;
/// Readings of the feeds and views of the console.
const ACCESSES: u64 = 50_000;
/// Recorded together.
const TOGETHER: usize = 1_000;
const PARTNERS: [&str; 3] = ["th-cert", "my-cert", "id-cert"];

/// With so many flow tuples a batch.
pub(crate) async fn store(flows: u64) -> Store {
    let config = StoreConfig {
        endpoint: testing::database().await,
        cluster: None,
        retention: Retention::forever(),
    };
    let store = Store::open(&config).await.unwrap();
    let begun = Instant::now();
    for day in 0..DAYS {
        let question = include_str!("made_up_week.sql");
        let insert = store.client().query(question);
        let insert = insert
            .param("start", START + day * DAY)
            .param("first_sequence", day * BATCHES_A_DAY)
            .param("sensors", SENSORS)
            .param("flows", flows)
            .param("rows", BATCHES_A_DAY * SENSORS * flows);
        insert.execute().await.unwrap();
    }
    let insert = store.client().query(include_str!("made_up_ledger.sql"));
    let insert = insert
        .param("start", START)
        .param("sensors", SENSORS)
        .param("flows", flows)
        .param("batches", DAYS * BATCHES_A_DAY * SENSORS);
    insert.execute().await.unwrap();
    store.roll_up(START..START + DAYS * DAY).await.unwrap();
    people(&store).await;
    tell(&store, begun).await;
    store
}

/// Rows of each table.
async fn tell(store: &Store, begun: Instant) {
    let tables = "SELECT table, sum(rows) AS held, sum(bytes_on_disk) FROM system.parts \
                  WHERE database = currentDatabase() AND active GROUP BY table HAVING held > 0 ORDER BY held DESC";
    let tables = store
        .client()
        .query(tables)
        .fetch_all::<(String, u64, u64)>()
        .await
        .unwrap();
    println!("a week, kept in {:.0} s:", begun.elapsed().as_secs_f64());
    for (table, rows, bytes) in tables {
        println!(
            "    {table:<20} {rows:>10} rows {:>8.1} MiB",
            bytes as f64 / 1048576.0
        );
    }
}

/// Cases as they open throughout the week, steps, deliveries, and who read.
async fn people(store: &Store) {
    let numbers: Vec<u64> = (0..CASES).collect();
    for some in numbers.chunks(TOGETHER) {
        let opened: Vec<Transition> = some.iter().map(|number| opened(*number)).collect();
        store.record(&opened).await.unwrap();
        let steps: Vec<Step> = some
            .iter()
            .filter(|number| **number % 2 == 0)
            .map(|number| step(*number))
            .collect();
        store.record_steps(&steps).await.unwrap();
        let told: Vec<Delivery> = some.iter().map(|number| delivery(*number)).collect();
        store.record_deliveries(&told).await.unwrap();
    }
    let numbers: Vec<u64> = (0..ACCESSES).collect();
    for some in numbers.chunks(TOGETHER) {
        let access = |number: &u64| Access {
            at: at(*number, ACCESSES),
            ..alerts::access()
        };
        store
            .note_accesses(&some.iter().map(access).collect::<Vec<_>>())
            .await
            .unwrap();
    }
}

/// When the one of so many comes.
fn at(number: u64, of: u64) -> Millis {
    Millis((START + number * DAYS * DAY / of) * 1_000)
}

fn opened(number: u64) -> Transition {
    let at = at(number, CASES);
    let source = std::net::Ipv4Addr::from_bits(0x6440_0000 + number as u32).into();
    let (kind, subject) = match number % 10 {
        0 => {
            let service = format!("tcp/{}", 1_000 + number % 500);
            let scope = "region".to_owned();
            (Kind::ScanSurge, Subject::Service { service, scope })
        }
        1 => {
            let victim = format!("{source}/32");
            (Kind::DdosVictim, Subject::Victim { victim, asn: None })
        }
        _ => (Kind::InfectedHost, Subject::Source { source, asn: None }),
    };
    let place = number as usize % PARTNERS.len();
    let alert = Alert {
        id: Uuid::from_u128(number.into()),
        partner: Some(PARTNERS[place].to_owned()),
        country: Some(["TH", "MY", "ID"][place].to_owned()),
        state: if number.is_multiple_of(3) {
            State::Closed
        } else {
            State::New
        },
        ..alerts::alert(kind, subject, at)
    };
    Transition {
        case: Case { alert, version: 1 },
        by: "analyzer".to_owned(),
        at,
        note: String::new(),
    }
}

fn step(number: u64) -> Step {
    Step {
        case: Uuid::from_u128(number.into()),
        id: Uuid::from_u128((1 << 64) + u128::from(number)),
        event: [Event::Acknowledge, Event::Resolve][number as usize / 2 % 2],
        at: at(number, CASES),
        by: "partner:th-cert".to_owned(),
        note: String::new(),
        probability: None,
        partner: PARTNERS[number as usize % PARTNERS.len()].to_owned(),
    }
}

fn delivery(number: u64) -> Delivery {
    let at = at(number, CASES);
    Delivery {
        id: Uuid::from_u128(number.into()),
        case: Uuid::from_u128(number.into()),
        planned_at: at,
        released_at: at,
        next_at: at,
        ..alerts::delivery()
    }
}
