//! The analyzer over a real store: replayed, live, and stopped half-way.

use std::collections::BTreeSet;
use std::time::Duration;

use noroshi_analyzer::run::replay;
use noroshi_analyzer::settings::Settings;
use noroshi_store::alert::Alert;
use noroshi_store::store::Store;
use uuid::Uuid;

use crate::play::{FROM, SLOT, SLOTS, append, batches, kept, live, registry, stage, start, store};

#[tokio::test(flavor = "multi_thread")]
async fn live_replayed_and_restarted_it_is_the_same_story() {
    let stage = stage();
    let play = stage.play();
    let batches = batches(&stage, &play);
    let end = FROM + SLOTS * SLOT;

    let recorded = store().await;
    append(&recorded, batches.clone()).await;
    let replayed = replay(&recorded, &registry(), &Settings::default())
        .await
        .unwrap();
    assert!(replayed.len() >= play.expected.len(), "{replayed:#?}");
    let again = replay(&recorded, &registry(), &Settings::default())
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_string(&replayed).unwrap(),
        serde_json::to_string(&again).unwrap()
    );
    assert_eq!(kept(&recorded).await, replayed);

    let watched = store().await;
    append(&watched, batches.clone()).await;
    live(&watched, end).await;
    let known: BTreeSet<Uuid> = replayed.iter().map(|alert| alert.id).collect();
    let kept_live = kept(&watched).await;
    assert!(
        kept_live.iter().all(|alert| !known.contains(&alert.id)),
        "who knows address and time could compute the id of a case that names neither"
    );
    let replayed = nameless(replayed);
    assert_eq!(nameless(kept_live), replayed);

    // stopped half-way through the events
    let broken = store().await;
    let (first, rest): (Vec<_>, Vec<_>) = batches
        .into_iter()
        .partition(|admitted| admitted.batch.complete_through <= end - SLOT);
    append(&broken, first).await;
    live(&broken, end - SLOT).await;
    append(&broken, rest).await;
    live(&broken, end).await;
    assert_eq!(nameless(kept(&broken).await), replayed);
}

/// Without ids, which are each store's own, and in an order that does not rest on them.
fn nameless(mut alerts: Vec<Alert>) -> Vec<Alert> {
    for alert in &mut alerts {
        alert.id = Uuid::nil();
    }
    alerts.sort_by_key(|alert| serde_json::to_string(alert).expect("it is JSON"));
    alerts
}

/// Waits until these tables have every flow tuple of the time before `end`.
async fn rolled_up(store: &Store, end: u64) {
    for (table, time) in [
        ("ten_minute_rollup", "start"),
        ("ten_minute_services", "start"),
        ("ten_minute_places", "start"),
        ("ten_minute_place_services", "start"),
        ("hour_rollup", "start"),
        ("hour_services", "start"),
        ("hour_place_services", "start"),
        ("place_rollup", "start"),
        ("hourly_sources", "hour"),
    ] {
        let question = format!(
            "SELECT sum(raw), sum(made) FROM \
             (SELECT count() AS raw, toUInt64(0) AS made FROM flow_tuples WHERE interval < toDateTime({end}) \
             UNION ALL SELECT 0, sum(flows) FROM {table} FINAL WHERE {time} < toDateTime({end}))"
        );
        let mut found = (1, 0);
        for _ in 0..600 {
            let asked = store.client().query(&question).fetch_one::<(u64, u64)>();
            found = asked.await.unwrap();
            if found.0 == found.1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(found.0 == found.1 && found.0 > 0, "{table}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_rolled_up_while_the_analyzer_goes_on() {
    let stage = stage();
    let mut lots = batches(&stage, &stage.play());
    lots.truncate(2 * 10);
    let late = lots.remove(2 * 2);
    let store = store().await;
    let analyzer = start(&store);
    let last = lots.split_off(lots.len() - 2);
    // half hours one by one, so that no hour lies within a step of the analyzer
    while !lots.is_empty() {
        let rest = lots.split_off(2.min(lots.len()));
        analyzer.take_in(&store, lots).await;
        lots = rest;
    }
    rolled_up(&store, FROM + 4 * 3_600).await;
    append(&store, [late]).await;
    analyzer.take_in(&store, last).await;
    rolled_up(&store, FROM + 4 * 3_600).await;
    analyzer.stop().await;
}
