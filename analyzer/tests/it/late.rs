//! Spools arrive when they arrive: the cases about hosts are the same, and nothing late is a surge.

use std::collections::BTreeSet;

use noroshi_analyzer::run::replay;
use noroshi_analyzer::settings::Settings;
use noroshi_store::alert::{Alert, Kind};
use noroshi_store::append::Admitted;

use crate::play::{
    FROM, SLOT, SLOTS, append, batches, come_to, kept, registry, stage, start, store,
};

/// A case by what does not depend on when its evidence came.
type Name = (Kind, Option<String>, String);

/// Cases about single hosts: all that late evidence may open.
fn hosts(alerts: &[Alert]) -> BTreeSet<Name> {
    let of_host = |alert: &&Alert| {
        matches!(
            alert.kind,
            Kind::InfectedHost
                | Kind::ScanningHost
                | Kind::ReflectionRecon
                | Kind::ReflectionVictim
        )
    };
    alerts.iter().filter(of_host).map(name).collect()
}

fn name(alert: &Alert) -> Name {
    let subject = noroshi_analyzer::alerts::subject_of(alert);
    (alert.kind, alert.partner.clone(), subject)
}

/// Which sensors' batches come in which order, each lot after the analyzer is done with the last.
fn orders(batches: &[Admitted]) -> [Vec<Vec<Admitted>>; 3] {
    let of = |sensor: &str| -> Vec<Admitted> {
        let its = |admitted: &&Admitted| admitted.batch.id.sensor.as_str() == sensor;
        batches.iter().filter(its).cloned().collect()
    };
    let (north, south) = (of("north"), of("south"));
    // a week's spool comes oldest first; half of it, then a stall, then the rest
    let (early, rest) = south.split_at(south.len() / 2);
    [
        vec![north.clone(), south.clone()],
        vec![south.clone(), north.clone()],
        vec![early.to_vec(), north, rest.to_vec()],
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_order_spools_arrive_in_hosts_are_the_same_cases() {
    let stage = stage();
    let batches = batches(&stage, &stage.play());
    let recorded = store().await;
    append(&recorded, batches.clone()).await;
    let expected = replay(&recorded, &registry(), &Settings::default())
        .await
        .unwrap();
    let expected = hosts(&expected);
    assert!(expected.len() >= 7, "{expected:#?}");

    let mut came_late = 0;
    for lots in orders(&batches) {
        let store = store().await;
        let analyzer = start(&store);
        for lot in lots {
            analyzer.take_in(&store, lot).await;
        }
        analyzer.stop().await;
        let found = kept(&store).await;
        assert_eq!(hosts(&found), expected);
        for alert in found.iter().filter(|alert| alert.evidence.late) {
            assert_ne!(alert.kind, Kind::ScanSurge, "{alert:#?}");
            came_late += 1;
        }
    }
    // All of them where the north is late, all but the two reflections where the south is: those
    // hit the north alone. In the third order what comes late depends on who is slow.
    assert!(came_late >= expected.len(), "only {came_late} came late");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_analyzer_was_away_is_examined_too() {
    let stage = stage();
    let batches = batches(&stage, &stage.play());
    let (north, south): (Vec<_>, Vec<_>) = batches
        .iter()
        .cloned()
        .partition(|admitted| admitted.batch.id.sensor.as_str() == "north");
    let recorded = store().await;
    append(&recorded, batches).await;
    let expected = replay(&recorded, &registry(), &Settings::default())
        .await
        .unwrap();

    let store = store().await;
    let analyzer = start(&store);
    analyzer.take_in(&store, north).await;
    analyzer.stop().await;
    let end = FROM + SLOTS * SLOT;
    assert_eq!(come_to(&store).await, Some(end), "it came to the end");
    let before = store.wall_time().await.unwrap();
    append(&store, south).await;
    let analyzer = start(&store);
    analyzer.since(&store, before).await;
    analyzer.stop().await;
    assert_eq!(hosts(&kept(&store).await), hosts(&expected));
}
