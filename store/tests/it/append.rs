//! Keeping batches: once, whatever happens.

use noroshi_proto::batch::Span;
use noroshi_proto::id::Epoch;
use noroshi_store::append::Kept;
use noroshi_store::ledger::Held;
use noroshi_store::store::{Store, StoreError};

use crate::support::{MORNING, batch, number, of_spans, sensor, store};

#[tokio::test]
async fn appending_twice_changes_nothing() {
    let store = store().await;
    let kept = store.append(batch("jp-1", 0, MORNING, 5)).await.unwrap();
    assert_eq!(kept, Kept::New);
    let kept = store.append(batch("jp-1", 0, MORNING, 5)).await.unwrap();
    assert_eq!(kept, Kept::Already);
    assert_eq!(
        number(&store, "SELECT sum(packets) FROM flow_tuples").await,
        15
    );
    assert_eq!(
        number(&store, "SELECT sum(packets) FROM minute_rollup").await,
        15
    );
    assert_eq!(
        number(&store, "SELECT sum(packets) FROM batch_ledger").await,
        15
    );
    assert_eq!(
        number(
            &store,
            "SELECT uniqCombinedMerge(sources) FROM minute_rollup"
        )
        .await,
        5
    );
    assert_eq!(
        number(
            &store,
            "SELECT uniqCombinedMerge(networks) FROM minute_rollup"
        )
        .await,
        2
    );
}

/// Whole tables, to see that nothing changed.
async fn everything(store: &Store) -> Vec<String> {
    let mut found = Vec::new();
    for sql in [
        "SELECT toString(tuple(* EXCEPT (first))) FROM flow_tuples ORDER BY ALL",
        "SELECT toString(tuple(minute, service_port, country, sum(flows), sum(packets), sum(bytes), \
         uniqCombinedMerge(sources), uniqCombinedMerge(networks), \
         arraySort(groupUniqArrayArray(batches)))) \
         FROM minute_rollup GROUP BY minute, service_port, country ORDER BY ALL",
        "SELECT toString(tuple(sensor, epoch, sequence, checksum, flows, packets)) \
         FROM batch_ledger ORDER BY ALL",
    ] {
        found.extend(
            store
                .client()
                .query(sql)
                .fetch_all::<String>()
                .await
                .expect(sql),
        );
    }
    found
}

async fn delete(store: &Store, table: &str) {
    let delete = format!("ALTER TABLE {table} DELETE WHERE 1 SETTINGS mutations_sync = 2");
    store.client().query(&delete).execute().await.expect(table);
}

/// Three batches of two sensors in one minute, one of them over several minutes.
async fn keep_some(store: &Store) {
    let spans = [0, 70, 130].map(|later| {
        match batch("jp-1", 0, MORNING + later, 3).batch.spans.remove(0) {
            active @ Span::Active { .. } => active,
            Span::Silent { .. } => unreachable!("it has flows"),
        }
    });
    let wide = of_spans("jp-1", 1, spans.into());
    let all = [
        batch("jp-1", 0, MORNING - 10, 5),
        wide,
        batch("th-1", 0, MORNING, 4),
    ];
    let kept = all.map(|admitted| store.append(admitted));
    for kept in kept {
        kept.await.unwrap();
    }
}

#[tokio::test]
async fn killed_between_rollup_and_ledger() {
    let store = store().await;
    keep_some(&store).await;
    let before = everything(&store).await;
    delete(&store, "batch_ledger").await;
    keep_some(&store).await;
    assert_eq!(everything(&store).await, before);
}

#[tokio::test]
async fn killed_between_raw_rows_and_rollup() {
    let store = store().await;
    keep_some(&store).await;
    let before = everything(&store).await;
    delete(&store, "batch_ledger").await;
    delete(&store, "minute_rollup").await;
    keep_some(&store).await;
    assert_eq!(everything(&store).await, before);
}

#[tokio::test]
async fn sent_again_when_no_token_is_remembered() {
    let store = store().await;
    keep_some(&store).await;
    let before = everything(&store).await;
    for table in ["flow_tuples", "minute_rollup", "batch_ledger"] {
        let forget =
            format!("ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0");
        store.client().query(&forget).execute().await.expect(table);
    }
    keep_some(&store).await;
    assert_eq!(everything(&store).await, before, "the ledger has them");
    delete(&store, "batch_ledger").await;
    keep_some(&store).await;
    assert_eq!(
        everything(&store).await,
        before,
        "the rows themselves are found"
    );
}

#[tokio::test]
async fn the_same_id_with_other_contents_is_a_conflict() {
    let store = store().await;
    store.append(batch("jp-1", 0, MORNING, 5)).await.unwrap();
    let mut other = batch("jp-1", 0, MORNING, 6);
    other.checksum += 1;
    let id = other.batch.id.clone();
    let refused = store.append(other).await;
    assert!(matches!(refused, Err(StoreError::Conflict(found)) if found == id));
    assert_eq!(store.lookup(&id).await.unwrap(), Some(77));
    assert_eq!(number(&store, "SELECT count() FROM flow_tuples").await, 5);
}

#[tokio::test]
async fn many_at_once_and_twice_are_each_kept_once() {
    let store = store().await;
    let mut tasks = tokio::task::JoinSet::new();
    for round in 0..2 {
        for number in 0..60u64 {
            let store = store.clone();
            let name = ["north", "south", "east"][(number % 3) as usize];
            // Every seventh is silent.
            let sources = if number % 7 == 0 { 0 } else { 4 };
            let admitted = batch(name, number / 3, MORNING + number / 3 * 10, sources);
            tasks.spawn(async move { (round, store.append(admitted).await.unwrap()) });
        }
    }
    let mut new = 0;
    while let Some(kept) = tasks.join_next().await {
        new += u64::from(kept.unwrap().1 == Kept::New);
    }
    assert_eq!(new, 60);
    assert_eq!(number(&store, "SELECT count() FROM batch_ledger").await, 60);
    assert_eq!(
        number(&store, "SELECT sum(packets) FROM flow_tuples").await,
        51 * 12
    );
    assert!(store.accounting().await.unwrap().balances());
    let held = store.held(&sensor("north")).await.unwrap();
    assert_eq!(
        held,
        [Held {
            epoch: Epoch(u64::MAX - 7),
            first: 0,
            last: 19
        }]
    );
}

#[tokio::test]
async fn holes_are_told_to_whoever_asks() {
    let store = store().await;
    for sequence in [0, 1, 2, 5, 6, 9] {
        store
            .append(batch("north", sequence, MORNING + sequence * 10, 0))
            .await
            .unwrap();
    }
    let held = store.held(&sensor("north")).await.unwrap();
    let runs: Vec<_> = held.iter().map(|held| (held.first, held.last)).collect();
    assert_eq!(runs, [(0, 2), (5, 6), (9, 9)]);
    assert!(store.held(&sensor("south")).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_no_row_can_hold_is_refused() {
    let store = store().await;
    let mut halved = batch("north", 0, MORNING, 4);
    halved.origins.truncate(2);
    let tomorrow = batch("north", 1, MORNING + 86_400, 1).batch.spans.remove(0);
    let today = batch("north", 1, MORNING, 1).batch.spans.remove(0);
    let two_days = of_spans("north", 1, vec![today, tomorrow]);
    let far = batch("north", 2, 4_294_967_290, 1);
    for admitted in [halved, two_days, far] {
        let refused = store.append(admitted).await;
        assert!(
            matches!(refused, Err(StoreError::Unstorable(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_closed_store_has_kept_what_it_took() {
    let store = store().await;
    let waiting = store.clone();
    let kept = tokio::spawn(async move { waiting.append(batch("north", 0, MORNING, 3)).await });
    tokio::task::yield_now().await;
    store.close().await;
    assert_eq!(kept.await.unwrap().unwrap(), Kept::New);
    let refused = store.append(batch("north", 1, MORNING + 10, 3)).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
}
