//! How fast typed rows go into the embedded engine and out again, through the official client.
//!
//! `cargo run --release -p noroshi-store --example insert_rate [ROWS]`
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::net::Ipv4Addr;
use std::time::Instant;

use clickhouse::Row;
use noroshi_store::engine::{Engine, testing};
use serde::{Deserialize, Serialize};

/// Thirteen columns, as many as a flow tuple has of interest.
#[derive(Row, Serialize, Deserialize)]
struct Flow {
    interval: u32,
    sensor: String,
    #[serde(with = "clickhouse::serde::ipv4")]
    source: Ipv4Addr,
    class: u8,
    protocol: u8,
    service: u16,
    packets: u64,
    bytes: u64,
    first: u64,
    last: u64,
    targets: u32,
    country: String,
    asn: u32,
}

const TABLE: &str = "CREATE TABLE flows (interval DateTime, sensor LowCardinality(String), \
    source IPv4, class UInt8, protocol UInt8, service UInt16, packets UInt64, bytes UInt64, \
    first UInt64, last UInt64, targets UInt32, country LowCardinality(String), asn UInt32) \
    ENGINE = MergeTree ORDER BY (service, source) SETTINGS fsync_after_insert = 1";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rows = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse::<u32>())?;
    let engine = Engine::throw_away(Some(testing::program())).await?;
    let client = engine.endpoint().client();
    client.query(TABLE).execute().await?;

    let started = Instant::now();
    for first in (0..rows).step_by(100_000) {
        let mut insert = client.insert::<Flow>("flows").await?;
        for number in first..rows.min(first + 100_000) {
            insert.write(&flow(number)).await?;
        }
        insert.end().await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "inserted {rows} rows in {seconds:.2} s: {:.0} rows/s",
        f64::from(rows) / seconds
    );

    let started = Instant::now();
    let mut cursor = client.query("SELECT ?fields FROM flows").fetch::<Flow>()?;
    let mut read = 0_u32;
    while cursor.next().await?.is_some() {
        read += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "read {read} rows in {seconds:.2} s: {:.0} rows/s",
        f64::from(read) / seconds
    );
    engine.stop().await;
    Ok(())
}

fn flow(number: u32) -> Flow {
    Flow {
        interval: 1_760_000_000 + number / 10_000 * 10,
        sensor: format!("jp-{}", number % 10),
        source: Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)),
        class: (number % 3) as u8,
        protocol: 6,
        service: (number % 1_000) as u16,
        packets: u64::from(number % 40),
        bytes: u64::from(number % 40) * 60,
        first: u64::from(number) * 10,
        last: u64::from(number) * 10 + 500,
        targets: number % 40,
        country: "TH".to_owned(),
        asn: 64_500 + number % 100,
    }
}
