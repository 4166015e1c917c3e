//! Rollups agree with raw rows, whatever comes late, and every packet is accounted for.

use std::sync::Arc;

use noroshi_proto::traffic::{Protocol, Service, Traffic};
use noroshi_store::origin::{Country, Origin};
use noroshi_store::rollups::{Bin, Scanners, Scope, ServiceBin};
use noroshi_store::store::Store;

use crate::support::{MORNING, batch, number, store};

const DAY: u64 = MORNING / 86_400 * 86_400;

async fn sums(store: &Store) -> Vec<(String, u64)> {
    let accounting = store.accounting().await.unwrap();
    assert!(accounting.balances(), "{accounting:?}");
    accounting
        .rollups
        .into_iter()
        .map(|(table, sum)| (table, sum.packets))
        .collect()
}

#[tokio::test]
async fn every_table_has_every_packet() {
    let store = store().await;
    for (sequence, minutes) in [0, 1, 61, 700].into_iter().enumerate() {
        let admitted = batch("north", sequence as u64, MORNING + minutes * 60, 10);
        store.append(admitted).await.unwrap();
    }
    store.append(batch("south", 0, MORNING, 0)).await.unwrap();
    store.roll_up(DAY..DAY + 86_400).await.unwrap();
    store.roll_up(DAY..DAY + 86_400).await.unwrap();
    for (table, packets) in sums(&store).await {
        assert_eq!(packets, 120, "{table}");
    }
    // A batch that comes late reaches them all.
    store
        .append(batch("late", 0, MORNING + 10, 5))
        .await
        .unwrap();
    store.roll_up(DAY..DAY + 86_400).await.unwrap();
    for (table, packets) in sums(&store).await {
        assert_eq!(packets, 135, "{table}");
    }
    let accounting = store.accounting().await.unwrap();
    let north = accounting
        .sensors
        .iter()
        .find(|account| account.sensor.as_str() == "north")
        .unwrap();
    assert_eq!(
        (north.kept.packets, north.packets, north.frames),
        (120, 120, 122)
    );
    assert_eq!(north.losses.total(), 2);
}

#[tokio::test]
async fn a_period_still_open_is_left() {
    let store = store().await;
    store.append(batch("north", 0, MORNING, 1)).await.unwrap();
    store.roll_up(DAY..MORNING + 900).await.unwrap();
    let sums = sums(&store).await;
    let packets = |name| sums.iter().find(|(table, _)| table == name).unwrap().1;
    assert_eq!(packets("ten_minute_rollup"), 3);
    assert_eq!(packets("hour_rollup"), 0);
    assert_eq!(packets("day_rollup"), 0);
    assert_eq!(packets("hourly_sources"), 0);
}

#[tokio::test]
async fn series_count_distinct_sources_and_can_leave_scanners_out() {
    let store = store().await;
    store.append(batch("north", 0, MORNING, 6)).await.unwrap();
    store
        .append(batch("south", 0, MORNING + 300, 4))
        .await
        .unwrap();
    let mut scanners = batch("west", 0, MORNING + 310, 8);
    let census = Origin {
        scanner: Some("census".into()),
        country: Country::new("US"),
        ..Origin::default()
    };
    let census = Arc::new(census);
    scanners
        .origins
        .iter_mut()
        .for_each(|origin| *origin = Arc::clone(&census));
    store.append(scanners).await.unwrap();
    store.roll_up(DAY..DAY + 86_400).await.unwrap();

    let telnet = ServiceBin {
        start: MORNING,
        service: Service {
            protocol: Protocol::Tcp,
            port: 23,
        },
        traffic: Traffic::ScanSyn,
        country: None,
        packets: 30,
        flows: 10,
        sources: 6,
        networks: 2,
    };
    let range = DAY..DAY + 86_400;
    for (bin, start) in [
        (Bin::TenMinutes, MORNING),
        (Bin::Hour, MORNING),
        (Bin::Day, DAY),
    ] {
        let without = store.service_series(range.clone(), bin, Scanners::Excluded, Scope::Region);
        assert_eq!(
            without.await.unwrap(),
            [ServiceBin {
                start,
                ..telnet.clone()
            }],
            "{bin:?}"
        );
    }
    let with = store.service_series(range.clone(), Bin::Hour, Scanners::Included, Scope::Region);
    let with = with.await.unwrap();
    assert_eq!((with[0].sources, with[0].packets), (8, 54));
    let countries = store.service_series(range, Bin::Hour, Scanners::Included, Scope::Countries);
    let countries: Vec<_> = countries
        .await
        .unwrap()
        .into_iter()
        .map(|bin| (bin.country.unwrap().to_string(), bin.sources))
        .collect();
    assert_eq!(countries, [("TH".to_owned(), 6), ("US".to_owned(), 8)]);
}

#[tokio::test]
async fn hourly_sources_say_what_one_source_did() {
    let store = store().await;
    store.append(batch("north", 0, MORNING, 2)).await.unwrap();
    store
        .append(batch("south", 0, MORNING + 600, 2))
        .await
        .unwrap();
    store.roll_up(DAY..DAY + 86_400).await.unwrap();
    let found: (u64, u64, Vec<String>, Vec<String>, u64, u8) = store
        .client()
        .query(
            "SELECT flows, packets, services, sensors, mirai, ttl_max FROM hourly_sources FINAL \
             WHERE source = toIPv6('203.0.113.100')",
        )
        .fetch_one::<HourRow>()
        .await
        .map(|row| {
            (
                row.flows,
                row.packets,
                row.services,
                row.sensors,
                row.mirai,
                row.ttl_max,
            )
        })
        .unwrap();
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found,
        (2, 6, words(&["tcp/23"]), words(&["north", "south"]), 6, 51)
    );
}

#[derive(clickhouse::Row, serde::Deserialize)]
struct HourRow {
    flows: u64,
    packets: u64,
    services: Vec<String>,
    sensors: Vec<String>,
    mirai: u64,
    ttl_max: u8,
}

#[tokio::test]
async fn sensors_say_how_they_fare() {
    let store = store().await;
    store.append(batch("north", 0, MORNING, 2)).await.unwrap();
    store
        .append(batch("north", 1, MORNING + 10, 2))
        .await
        .unwrap();
    assert_eq!(
        number(
            &store,
            "SELECT maxMap(epoch_losses)['not_ip'] FROM sensor_health"
        )
        .await,
        2
    );
    assert_eq!(
        number(&store, "SELECT sum(packets) FROM sensor_health").await,
        12
    );
    assert_eq!(
        number(&store, "SELECT max(epoch_frames) FROM sensor_health").await,
        14
    );
    let marks = store.watermarks(MORNING).await.unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(
        (marks[0].complete_through, marks[0].addresses),
        (MORNING + 20, 4_096)
    );
    assert!(store.watermarks(MORNING + 3_600).await.unwrap().is_empty());
}
