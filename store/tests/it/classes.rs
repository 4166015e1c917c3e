//! What many questions ask for and the schema says once, and what an older store has of it after an upgrade.

use noroshi_proto::batch::Span;
use noroshi_proto::loss::{Loss, Losses};
use noroshi_proto::time::Interval;
use noroshi_proto::traffic::Traffic;
use noroshi_store::engine::testing;
use noroshi_store::retention::Retention;
use noroshi_store::sources::SEARCH_ROWS_MAX;
use noroshi_store::store::{Store, StoreConfig};

use crate::support::{MORNING, flow, number, of_spans, open, store};

const DAY: u64 = MORNING / 86_400 * 86_400;

/// One flow of each class, with losses of each reason, in every table.
async fn fill(store: &Store) {
    let one = |(number, traffic): (usize, Traffic)| {
        let mut flow = flow(number as u32, MORNING);
        flow.tuple.traffic = traffic;
        flow
    };
    let flows = Traffic::ALL.into_iter().enumerate().map(one).collect();
    let interval = Interval(MORNING);
    let mut admitted = of_spans("north", 0, vec![Span::Active { interval, flows }]);
    let mut losses = Losses::default();
    for (place, loss) in Loss::ALL.into_iter().enumerate() {
        losses.add(loss, 1 << place);
    }
    let counters = &mut admitted.batch.counters;
    counters.losses = losses;
    counters.frames = counters.packets + losses.total();
    store.append(admitted).await.unwrap();
    store.roll_up(DAY..DAY + 86_400).await.unwrap();
}

#[tokio::test]
async fn classes_and_losses_are_parted_as_the_protocol_parts_them() {
    let store = store().await;
    fill(&store).await;
    for table in [
        "flow_tuples",
        "minute_rollup",
        "ten_minute_rollup",
        "hour_rollup",
        "place_rollup",
        "day_rollup",
        "hourly_sources",
    ] {
        let classes =
            format!("SELECT DISTINCT toString(traffic), is_scan, is_backscatter FROM {table}");
        let classes = store
            .client()
            .query(&classes)
            .fetch_all::<(String, bool, bool)>();
        let classes = classes.await.unwrap();
        assert_eq!(classes.len(), Traffic::ALL.len(), "{table}");
        for (name, is_scan, is_backscatter) in classes {
            let class = Traffic::from_name(&name).unwrap();
            assert_eq!(is_scan, class.is_scan(), "{table}: {name}");
            assert_eq!(is_backscatter, class.is_backscatter(), "{table}: {name}");
        }
    }
    let losses = "SELECT epoch_unread, epoch_lost, toUInt64(epoch_frames - epoch_packets) FROM sensor_health";
    let losses = store.client().query(losses).fetch_one::<(u64, u64, u64)>();
    let (unread, lost, frames) = losses.await.unwrap();
    assert_eq!(unread, frames);
    assert_eq!(
        unread + lost,
        (1 << Loss::ALL.len()) - 1,
        "each reason is in one part"
    );
}

#[tokio::test]
async fn an_older_store_has_its_places_after_the_upgrade() {
    let config = StoreConfig {
        endpoint: testing::database().await,
        cluster: None,
        retention: Retention::forever(),
    };
    let store = open(config.clone()).await;
    fill(&store).await;
    let packets = "SELECT sum(packets) FROM place_rollup FINAL";
    let before = number(&store, packets).await;
    assert!(before > 0);
    for statement in [
        "DROP VIEW places",
        "DROP TABLE place_rollup",
        "ALTER TABLE migrations DELETE WHERE version > 10 SETTINGS mutations_sync = 2",
        "ALTER TABLE flow_tuples DROP COLUMN is_scan, DROP COLUMN is_backscatter",
    ] {
        store
            .client()
            .query(statement)
            .execute()
            .await
            .expect(statement);
    }
    let store = open(config).await;
    assert_eq!(number(&store, packets).await, before);
    let scans = "SELECT sum(packets) FROM flow_tuples WHERE is_scan";
    assert!(number(&store, scans).await > 0);
}

#[tokio::test]
async fn a_day_is_in_places_by_the_minute_and_a_week_by_the_hour() {
    let store = store().await;
    fill(&store).await;
    for (days, seconds) in [(1, 60), (7, 3_600)] {
        let (from, to) = (DAY + 86_400 - days * 86_400, DAY + 86_400);
        let places = format!(
            "SELECT any(seconds), sum(packets), uniqCombinedMerge(sources) \
             FROM places(from = toDateTime({from}), to = toDateTime({to}))"
        );
        let places = store.client().query(&places).fetch_one::<(u32, u64, u64)>();
        let flows = Traffic::ALL.len() as u64;
        assert_eq!(
            places.await.unwrap(),
            (seconds, 3 * flows, flows),
            "{days} days"
        );
    }
}

#[tokio::test]
async fn a_search_reaches_as_far_back_as_can_be_read() {
    let store = store().await;
    let range = MORNING..MORNING + 3_600;
    assert_eq!(
        store.within_reach(range.clone()).await.unwrap(),
        range,
        "nothing was kept"
    );
    // three minutes, each with half of what may be read
    for minute in [10, 20, 30] {
        let end = MORNING + minute * 60;
        let insert = format!(
            "INSERT INTO batch_ledger (sensor, epoch, sequence, first, last_end, flows) \
             SELECT 'north', 1, {minute}, toDateTime({end}) - 10, toDateTime({end}), {}",
            SEARCH_ROWS_MAX / 2
        );
        store.client().query(&insert).execute().await.unwrap();
    }
    let reach = store.within_reach(range.clone()).await.unwrap();
    assert_eq!(reach, MORNING + 600..range.end, "two of them");
    let last = MORNING + 1_799..MORNING + 1_800;
    assert_eq!(store.within_reach(last.clone()).await.unwrap(), last);
}
