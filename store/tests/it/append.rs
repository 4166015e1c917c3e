//! Keeping batches: once, whatever happens.

use noroshi_store::append::Kept;

use crate::support::{MORNING, batch, number, store};

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
