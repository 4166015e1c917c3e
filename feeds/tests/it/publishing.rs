//! Publishing over restarts, crashes and rivals.

use std::sync::Arc;
use std::time::Duration;

use noroshi_feeds::publish::Publisher;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::registry::Registry;
use noroshi_store::stix::Published;

use super::desk::{Desk, REGISTRY};
use super::samples::{indicated, infected};

/// A second publisher on the desk's store.
fn rival(desk: &Desk) -> Publisher {
    let registry = Registry::parse("registry.toml", REGISTRY).expect("a registry");
    Publisher::new(desk.store.clone(), Arc::new(registry), "Noroshi".to_owned())
}

fn names(published: &[Published]) -> Vec<(String, u64)> {
    let name = |one: &Published| (one.id.clone(), one.version.0);
    published.iter().map(name).collect()
}

#[tokio::test]
async fn a_crash_between_objects_and_cursor_repeats_nothing() {
    let desk = Desk::open().await;
    for (_, alert) in indicated() {
        desk.keep(alert, 1).await;
    }
    let before = desk.publishes("indicator", indicated().len()).await;
    let objects = desk.publishes("ipv4-addr", 1).await;
    // What a crash leaves: objects are there, and the cursor is where it was.
    let store = desk.store.clone();
    desk.close().await;
    let begin = store.set_feed_cursor("stix", ChangeCursor::default()).await;
    begin.expect("the cursor is set");
    let desk = Desk::on(store).await;
    desk.keep(infected(99, "203.0.113.99"), 1).await;
    let after = desk.publishes("indicator", before.len() + 1).await;
    assert_eq!(names(&after[..before.len()]), names(&before));
    let addresses = desk.publishes("ipv4-addr", objects.len() + 1).await;
    assert_eq!(addresses.len(), objects.len() + 1);
    desk.close().await;
}

#[tokio::test]
async fn of_two_publishers_one_publishes() {
    let desk = Desk::open().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let other = tokio::spawn(rival(&desk).run(async {
        let _ = stopped.await; // dropped: the end
    }));
    for (_, alert) in indicated() {
        desk.keep(alert, 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let published = desk.publishes("indicator", indicated().len()).await;
    let mut ids = names(&published);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), indicated().len(), "each once");
    drop(stop);
    let ended = other.await.expect("no panic");
    ended.expect("waiting for one's turn is no failure");
    desk.close().await;
}
