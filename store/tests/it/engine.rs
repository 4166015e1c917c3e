//! The embedded engine through the official client: every test with the real engine.
#![allow(
    clippy::unwrap_used,
    reason = "what fails here fails the test, in helpers too"
)]

mod life;
mod speak;

use clickhouse::Row;
use noroshi_store::engine::Endpoint;
use serde::{Deserialize, Serialize};

/// A row with the types that the store uses.
#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
struct Flow {
    #[serde(with = "clickhouse::serde::ipv4")]
    source: std::net::Ipv4Addr,
    wide: std::net::Ipv6Addr,
    service: String,
    country: String,
    packets: u64,
    targets: Vec<u16>,
}

fn flow(number: u32) -> Flow {
    Flow {
        source: std::net::Ipv4Addr::from_bits(0x0a00_0000 + number),
        wide: std::net::Ipv6Addr::from_bits(u128::from(number)),
        service: format!("tcp/{}", number % 100),
        country: "TH".to_owned(),
        packets: u64::from(number),
        targets: vec![number as u16, 2],
    }
}

/// A table `flows`, which is on the disk when an insert is acknowledged.
async fn with_table(endpoint: &Endpoint) -> clickhouse::Client {
    let client = endpoint.client();
    let created = client.query(
        "CREATE TABLE flows (source IPv4, wide IPv6, service LowCardinality(String), \
         country LowCardinality(String), packets UInt64, targets Array(UInt16)) \
         ENGINE = MergeTree ORDER BY source SETTINGS fsync_after_insert = 1, fsync_part_directory = 1",
    );
    created.execute().await.unwrap();
    client
}

async fn insert(client: &clickhouse::Client, flows: impl IntoIterator<Item = Flow>) {
    let mut insert = client.insert::<Flow>("flows").await.unwrap();
    for flow in flows {
        insert.write(&flow).await.unwrap();
    }
    insert.end().await.unwrap();
}

async fn count(client: &clickhouse::Client, table: &str) -> u64 {
    let question = client.query("SELECT count() FROM ?");
    question
        .bind(clickhouse::sql::Identifier(table))
        .fetch_one()
        .await
        .unwrap()
}
