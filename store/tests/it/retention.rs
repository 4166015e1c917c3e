//! Old rows go, in time and no sooner, and the schema knows its own past.

use noroshi_proto::time::Millis;
use noroshi_store::cases::Case;
use noroshi_store::notices::Notice;
use noroshi_store::retention::{Keep, Retention};
use noroshi_store::store::{Store, StoreError};

use crate::cases::alert;
use crate::support::{batch, config, number, open};

const TABLES: [&str; 15] = [
    "flow_tuples",
    "minute_rollup",
    "ten_minute_rollup",
    "ten_minute_places",
    "ten_minute_services",
    "ten_minute_place_services",
    "hour_rollup",
    "place_rollup",
    "hour_services",
    "hour_place_services",
    "day_rollup",
    "day_services",
    "day_place_services",
    "hourly_sources",
    "batch_ledger",
];

/// Rows of each table after the engine looked at their age.
async fn rows(store: &Store) -> Vec<(&'static str, u64)> {
    let mut rows = Vec::new();
    for table in TABLES {
        let optimize = format!("OPTIMIZE TABLE {table} FINAL");
        store
            .client()
            .query(&optimize)
            .execute()
            .await
            .expect(table);
        rows.push((
            table,
            number(store, &format!("SELECT count() FROM {table}")).await,
        ));
    }
    rows
}

/// A flow from `days` ago, and one of an hour ago, everywhere.
async fn keep_old_and_new(store: &Store, days: u64) {
    let now = store.wall_time().await.unwrap().seconds() / 86_400 * 86_400;
    for (sequence, start) in [now - days * 86_400, now - 86_400].into_iter().enumerate() {
        store
            .append(batch("north", sequence as u64, start, 1))
            .await
            .unwrap();
        store.roll_up(start..start + 86_400).await.unwrap();
    }
}

#[tokio::test]
async fn old_rows_go_from_every_table_and_new_ones_stay() {
    let days = Keep::days(10);
    let retention = Retention {
        flow_tuples: days,
        minute_rollup: days,
        ten_minute_rollup: days,
        hour_rollup: days,
        day_rollup: days,
        hourly_sources: days,
        batch_ledger: days,
        ..Retention::default()
    };
    let store = open(config(retention).await).await;
    keep_old_and_new(&store, 12).await;
    assert_eq!(rows(&store).await, TABLES.map(|table| (table, 1)));
}

#[tokio::test]
async fn a_store_without_retention_keeps_captures_of_any_age() {
    let store = open(config(Retention::forever()).await).await;
    keep_old_and_new(&store, 9_000).await;
    assert_eq!(rows(&store).await, TABLES.map(|table| (table, 2)));
}

#[tokio::test]
async fn the_longest_retention_does_not_overflow() {
    let ages = Retention {
        flow_tuples: Keep::days(u16::MAX),
        ..Retention::forever()
    };
    let store = open(config(ages).await).await;
    store
        .append(batch("north", 0, 4_294_000_000, 2))
        .await
        .unwrap();
    assert_eq!(number(&store, "SELECT count() FROM flow_tuples").await, 2);
    store
        .client()
        .query("OPTIMIZE TABLE flow_tuples FINAL")
        .execute()
        .await
        .unwrap();
    assert_eq!(number(&store, "SELECT count() FROM flow_tuples").await, 2);
}

async fn ttl(store: &Store, table: &str) -> String {
    let engine =
        "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = ?";
    let engine: String = store
        .client()
        .query(engine)
        .bind(table)
        .fetch_one()
        .await
        .unwrap();
    let ttl = engine.split(" TTL ").nth(1).unwrap_or("none");
    ttl.split(" SETTINGS ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_changed_retention_is_set_at_the_next_start() {
    let mut config = config(Retention::default()).await;
    let store = open(config.clone()).await;
    let thirty = "toDateTime64(interval, 0, 'UTC') + toIntervalDay(30)";
    assert_eq!(ttl(&store, "flow_tuples").await, thirty);
    assert_eq!(ttl(&store, "day_rollup").await, "none");
    config.retention.flow_tuples = Keep::days(14);
    config.retention.audit = Keep::Forever;
    let store = open(config).await;
    assert_eq!(ttl(&store, "flow_tuples").await, thirty.replace("30", "14"));
    assert_eq!(ttl(&store, "audit").await, "none");
}

#[tokio::test]
async fn opening_twice_changes_no_table() {
    let config = config(Retention::default()).await;
    let store = open(config.clone()).await;
    let changed = "SELECT toString(max(metadata_modification_time)), count() FROM system.tables \
                   WHERE database = currentDatabase()";
    let first: (String, u64) = store.client().query(changed).fetch_one().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let store = open(config).await;
    let second: (String, u64) = store.client().query(changed).fetch_one().await.unwrap();
    assert_eq!(first, second);
    let applied = "SELECT count() = uniqExact(version) AND count() = max(version) FROM migrations";
    let once: bool = store.client().query(applied).fetch_one().await.unwrap();
    assert!(once, "each migration once");
}

#[tokio::test]
async fn a_newer_or_altered_schema_is_refused() {
    let config = config(Retention::default()).await;
    let store = open(config.clone()).await;
    let newest = number(&store, "SELECT toUInt64(max(version)) FROM migrations").await;
    let newer = format!(
        "INSERT INTO migrations (version, name, checksum) VALUES ({}, 'later', '')",
        newest + 1
    );
    store.client().query(&newer).execute().await.unwrap();
    let refused = Store::open(&config).await.err().unwrap();
    let StoreError::Newer {
        store: theirs,
        program,
    } = refused
    else {
        panic!("{refused}");
    };
    assert_eq!(
        (u64::from(theirs), u64::from(program)),
        (newest + 1, newest)
    );
    let altered =
        "INSERT INTO migrations (version, name, checksum) VALUES (2, 'batch_ledger', 'x')";
    store.client().query(altered).execute().await.unwrap();
    let refused = Store::open(&config).await.err().unwrap();
    assert!(
        refused.to_string().contains("0002_batch_ledger"),
        "{refused}"
    );
}

#[tokio::test]
async fn imported_evidence_goes_thirty_days_after_the_notice() {
    let store = open(config(Retention::default()).await).await;
    let thirty = "toDateTime64(at, 0, 'UTC') + toIntervalDay(30)";
    assert_eq!(ttl(&store, "notices").await, thirty);
    let now = store.wall_time().await.unwrap();
    for (number, age_days) in [(1, 31), (2, 29)] {
        let at = Millis(now.0 - age_days * 86_400_000);
        let notice = Notice {
            case: Case {
                alert: alert(number, "th-cert"),
                version: 1,
            },
            at,
            by: "operator:anan".to_owned(),
            purpose: "take-down".to_owned(),
        };
        store.record_notices(&[notice]).await.unwrap();
    }
    let optimize = store.client().query("OPTIMIZE TABLE notices FINAL");
    optimize.execute().await.unwrap();
    let left = store.notices(None, 10).await.unwrap();
    let ids: Vec<u128> = left.iter().map(|case| case.alert.id.as_u128()).collect();
    assert_eq!(ids, [2]);
}
