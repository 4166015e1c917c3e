//! The engine is killed again and again while batches come in: each of them is there once.

use std::process::Command;
use std::time::Duration;

use noroshi_store::append::Kept;
use noroshi_store::engine::{Engine, EngineConfig, testing};
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use tokio::task::JoinSet;

use crate::support::{MORNING, batch, number, open};

const ROUNDS: u64 = 8;
const BATCHES: u64 = 40;

/// Sends every batch until it is kept, as a sensor's spool does.
async fn ship(store: Store, sequence: u64) {
    let name = ["north", "south"][(sequence % 2) as usize];
    loop {
        let admitted = batch(name, sequence, MORNING + sequence / 2 * 10, 300);
        match store.append(admitted).await {
            Ok(Kept::New | Kept::Already) => return,
            Err(error) => {
                eprintln!("{name}/{sequence}: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn kill(pid: u32) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.expect("kill runs").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_engine_loses_and_doubles_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = EngineConfig::new(directory.path());
    config.program = Some(testing::program());
    let engine = Engine::start(config).await.expect("the engine starts");
    let endpoint = engine.endpoint().clone();
    let config = StoreConfig {
        endpoint,
        cluster: None,
        retention: Retention::forever(),
    };
    let store = open(config).await;
    for round in 0..ROUNDS {
        let mut shipping = JoinSet::new();
        for sequence in round * BATCHES..(round + 1) * BATCHES {
            shipping.spawn(ship(store.clone(), sequence));
        }
        // Another moment each time: within a group, between groups, between its inserts.
        tokio::time::sleep(Duration::from_millis(7 * round * round % 150)).await;
        kill(engine.pid());
        while let Some(shipped) = shipping.join_next().await {
            shipped.unwrap();
        }
    }
    let accounting = store.accounting().await.unwrap();
    assert!(accounting.balances(), "{accounting:?}");
    assert_eq!(accounting.raw.packets, ROUNDS * BATCHES * 900);
    assert_eq!(
        number(&store, "SELECT count() FROM batch_ledger").await,
        ROUNDS * BATCHES
    );
    store.close().await;
    engine.stop().await;
}
