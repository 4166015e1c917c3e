//! The analyzer over a real store: replayed, live, and stopped half-way.

use noroshi_analyzer::run::replay;
use noroshi_analyzer::settings::Settings;

use crate::play::{FROM, SLOT, SLOTS, append, batches, kept, live, registry, stage, store};

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
    assert_eq!(kept(&watched).await, replayed);

    // stopped half-way through the events
    let broken = store().await;
    let (first, rest): (Vec<_>, Vec<_>) = batches
        .into_iter()
        .partition(|admitted| admitted.batch.complete_through <= end - SLOT);
    append(&broken, first).await;
    live(&broken, end - SLOT).await;
    append(&broken, rest).await;
    live(&broken, end).await;
    assert_eq!(kept(&broken).await, replayed);
}
