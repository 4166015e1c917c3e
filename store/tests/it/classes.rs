//! What many questions ask for and the schema says once, and what an older store has of it after an upgrade.

use std::ops::Range;

use noroshi_proto::batch::Span;
use noroshi_proto::loss::{Loss, Losses};
use noroshi_proto::time::Interval;
use noroshi_proto::traffic::Traffic;
use noroshi_store::explore::grain;
use noroshi_store::retention::Retention;
use noroshi_store::sources::SEARCH_ROWS_MAX;
use noroshi_store::store::Store;

use crate::support::{MORNING, batch, config, flow, number, of_spans, open, store};

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
    let config = config(Retention::forever()).await;
    let store = open(config.clone()).await;
    fill(&store).await;
    let tables = [
        "place_rollup",
        "hour_services",
        "hour_place_services",
        "day_services",
        "day_place_services",
        "ten_minute_places",
        "ten_minute_services",
        "ten_minute_place_services",
    ];
    let packets = number(&store, "SELECT sum(packets) FROM flow_tuples").await;
    for statement in [
        "DROP VIEW places",
        "DROP VIEW service_places",
        "DROP VIEW service_sums",
        "DROP VIEW service_place_sums",
        "DROP VIEW place_service_sums",
        "DROP TABLE place_rollup",
        "DROP TABLE ten_minute_places",
        "DROP TABLE ten_minute_services",
        "DROP TABLE ten_minute_place_services",
        "DROP TABLE hour_services",
        "DROP TABLE hour_place_services",
        "DROP TABLE day_services",
        "DROP TABLE day_place_services",
        "DROP TABLE rolled_up",
        "ALTER TABLE migrations DELETE WHERE version > 10 SETTINGS mutations_sync = 2",
        "ALTER TABLE flow_tuples DROP COLUMN is_scan, DROP COLUMN is_backscatter",
        "ALTER TABLE flow_tuples DROP INDEX by_source",
    ] {
        store
            .client()
            .query(statement)
            .execute()
            .await
            .expect(statement);
    }
    let store = open(config).await;
    for table in tables {
        let kept = format!("SELECT sum(packets) FROM {table} FINAL");
        assert_eq!(number(&store, &kept).await, packets, "{table}");
    }
    let scans = "SELECT sum(packets) FROM flow_tuples WHERE is_scan";
    assert!(number(&store, scans).await > 0);
}

#[tokio::test]
async fn hours_and_days_keep_everything_wherever_their_upgrade_was_cut() {
    let config = config(Retention::forever()).await;
    let store = open(config.clone()).await;
    fill(&store).await;
    let packets = number(&store, "SELECT sum(packets) FROM flow_tuples").await;
    let forget = "ALTER TABLE migrations DELETE WHERE version > 13 SETTINGS mutations_sync = 2";
    let begun = "CREATE TABLE {table}_next AS {table}";
    let copied = "INSERT INTO {table}_next SELECT * FROM {table}";
    let dropped = "RENAME TABLE {table} TO {table}_next";
    for cut in [&[][..], &[begun], &[begun, copied], &[dropped]] {
        for table in ["hour_rollup", "day_rollup"] {
            for statement in cut.iter().chain([&forget]) {
                let statement = statement.replace("{table}", table);
                store.client().query(&statement).execute().await.unwrap();
            }
            let store = open(config.clone()).await;
            let kept = format!("SELECT sum(packets) FROM {table} FINAL");
            assert_eq!(number(&store, &kept).await, packets, "{table}, {cut:?}");
            let tables = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE";
            let small = format!("{tables} '{table}' AND engine_full LIKE '%granularity = 256%'");
            assert_eq!(number(&store, &small).await, 1, "{table}, {cut:?}");
            let left = number(&store, &format!("{tables} '%_next'")).await;
            assert_eq!(left, 0, "{table}, {cut:?}");
        }
    }
}

/// Of a view over this time: seconds of a bin, flow tuples or packets, and distinct sources.
async fn seen(store: &Store, view: &str, range: Range<u64>) -> (u64, u64, u64) {
    let Range { start, end } = range;
    let seen = format!(
        "SELECT toUInt64(max(seconds)), sum(packets), uniqCombinedMerge(sources) \
         FROM {view}(from = toDateTime({start}), to = toDateTime({end} - 1)) \
         WHERE toUnixTimestamp(time) % seconds = 0"
    );
    let seen = store.client().query(&seen).fetch_one();
    seen.await.unwrap()
}

/// Of a view without steps of time: packets, and distinct sources.
async fn summed(store: &Store, view: &str, range: Range<u64>) -> (u64, u64) {
    let Range { start, end } = range;
    let summed = format!(
        "SELECT sum(packets), uniqCombinedMerge(sources) \
         FROM {view}(from = toDateTime({start}), to = toDateTime({end} - 1))"
    );
    store.client().query(&summed).fetch_one().await.unwrap()
}

#[tokio::test]
async fn views_have_everything_whatever_their_grain() {
    let store = store().await;
    let sources: u32 = 4;
    let spans = [0, 3_600, 7_200, 7_800, 8_340];
    for (sequence, after) in spans.into_iter().enumerate() {
        let batch = batch("north", sequence as u64, MORNING + after, sources);
        store.append(batch).await.unwrap();
    }
    let sources = u64::from(sources);
    let (end, packets) = (MORNING + 8_400, 3 * sources * spans.len() as u64);
    // nothing closed; an hour; two hours and ten minutes, after which there are ten minutes in minutes only
    for closed in [MORNING, MORNING + 3_600, MORNING + 7_800] {
        store.roll_up(DAY..closed).await.unwrap();
        for seconds in [10_800, 86_400] {
            for view in ["places", "service_places"] {
                let seen = seen(&store, view, end - seconds..end).await;
                assert_eq!(seen, (grain(seconds), packets, sources), "{view}");
            }
            for view in ["service_sums", "service_place_sums", "place_service_sums"] {
                let summed = summed(&store, view, end - seconds..end).await;
                assert_eq!(summed, (packets, sources), "{view}");
            }
        }
    }
    // beyond two days ten minutes stand for hours that are not closed, and what is in minutes only is not there
    let week = end - 604_800..end;
    for view in ["places", "service_places"] {
        let seen = seen(&store, view, week.clone()).await;
        assert_eq!(seen, (grain(604_800), packets * 3 / 5, sources), "{view}");
    }
    for view in ["service_sums", "service_place_sums", "place_service_sums"] {
        let summed = summed(&store, view, week.clone()).await;
        assert_eq!(summed, (packets * 3 / 5, sources), "{view}");
    }
}

#[tokio::test]
async fn sums_of_services_are_of_the_time_asked_for() {
    let store = store().await;
    for sequence in 0..40 {
        let batch = batch("north", sequence, DAY + sequence * 3 * 3_600, 4);
        store.append(batch).await.unwrap();
    }
    // days are made up to the fourth, hours up to the middle of the fifth
    store.roll_up(DAY..DAY + 4 * 86_400 + 43_200).await.unwrap();
    for (from, to) in [
        (0, 96),
        (1, 95),
        (24, 72),
        (25, 74),
        (10, 100),
        (70, 108),
        (30, 60),
    ] {
        let (from, to) = (DAY + from * 3_600, DAY + to * 3_600);
        let seen = format!(
            "SELECT sum(packets) FROM flow_tuples \
             WHERE interval >= toDateTime({from}) AND interval < toDateTime({to})"
        );
        let seen = number(&store, &seen).await;
        assert!(seen > 0);
        for view in ["service_sums", "service_place_sums", "place_service_sums"] {
            let (packets, _) = summed(&store, view, from..to).await;
            assert_eq!(packets, seen, "{view}, {from} to {to}");
        }
    }
}

#[tokio::test]
async fn a_search_reaches_as_far_back_as_can_be_read() {
    let store = store().await;
    let range = MORNING..MORNING + 3_600;
    assert_eq!(
        store.within_reach(range.clone(), "").await.unwrap(),
        range,
        "nothing was kept"
    );
    // four minutes, each with half of what may be read
    for minute in [10, 20, 30, 40] {
        let end = MORNING + minute * 60;
        let insert = format!(
            "INSERT INTO batch_ledger (sensor, epoch, sequence, first, last_end, flows) \
             SELECT 'north', 1, {minute}, toDateTime({end}) - 10, toDateTime({end}), {}",
            SEARCH_ROWS_MAX / 2
        );
        store.client().query(&insert).execute().await.unwrap();
    }
    let reach = async |range: Range<u64>, sensor| store.within_reach(range, sensor).await.unwrap();
    let of_all = reach(range.clone(), "").await;
    assert_eq!(of_all, MORNING + 1_200..range.end, "two of them");
    let last = MORNING + 2_399..MORNING + 2_400;
    assert_eq!(reach(last.clone(), "").await, last, "a minute at least");
    assert_eq!(reach(range.clone(), "north").await, of_all);
    assert_eq!(
        reach(range.clone(), "south").await,
        range,
        "it kept nothing"
    );
    // 12 batches in each minute, of which as much as two granules each is read beside them
    let insert = format!(
        "INSERT INTO batch_ledger (sensor, epoch, sequence, first, last_end, flows) \
         SELECT 'west', 1, number, toDateTime({MORNING} + number * 5), toDateTime({MORNING} + number * 5 + 5), 1 \
         FROM numbers(720)"
    );
    store.client().query(&insert).execute().await.unwrap();
    let of_west = MORNING + 3_600 - SEARCH_ROWS_MAX / (12 * 16_385) * 60..range.end;
    assert_eq!(reach(range, "west").await, of_west);
}
