//! Windows come back as they were kept.

use noroshi_proto::batch::Span;
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_store::ledger::ArrivalCursor;
use noroshi_store::store::Store;
use noroshi_store::window::Window;

use crate::support::{MORNING, batch, of_spans, store};

async fn windows(store: &Store, start: u64, end: u64) -> Vec<Window> {
    let mut reader = store.windows(start..end, IntervalLength::DEFAULT);
    let mut windows = Vec::new();
    while let Some(chunk) = reader.next_chunk().await.unwrap() {
        windows.extend(chunk);
    }
    windows
}

fn names(window: &Window) -> Vec<&str> {
    window
        .watches
        .iter()
        .map(|watch| watch.sensor.as_str())
        .collect()
}

#[tokio::test]
async fn what_two_sensors_saw_comes_back_grouped() {
    let store = store().await;
    let (north, south) = (batch("north", 0, MORNING, 4), batch("south", 0, MORNING, 3));
    let silent = batch("quiet", 0, MORNING, 0);
    for admitted in [south.clone(), north.clone(), silent] {
        store.append(admitted).await.unwrap();
    }
    let windows = windows(&store, MORNING, MORNING + 10).await;
    assert_eq!(windows.len(), 1);
    let window = &windows[0];
    assert_eq!(window.interval, Interval(MORNING));
    assert_eq!(names(window), ["north", "quiet", "south"]);
    assert_eq!(window.addresses(), 3 * 4_096);
    assert_eq!(window.flows.len(), 7);
    for (place, kept) in [(0, &north), (2, &south)] {
        let seen: Vec<_> = window
            .flows
            .iter()
            .filter(|seen| seen.watch == place)
            .collect();
        let sent: Vec<_> = kept.batch.flows().map(|(_, flow)| flow).collect();
        assert_eq!(seen.iter().map(|seen| &seen.flow).collect::<Vec<_>>(), sent);
        assert!(
            seen.iter()
                .zip(&kept.origins)
                .all(|(seen, origin)| seen.origin == *origin)
        );
    }
    assert!(
        window
            .flows
            .is_sorted_by_key(|seen| (seen.flow.tuple, seen.watch))
    );
}

#[tokio::test]
async fn silent_months_are_skipped_and_cost_nothing() {
    let store = store().await;
    let month = 30 * 86_400;
    let silence = Span::Silent {
        first: Interval(MORNING + 10),
        intervals: month / 10,
    };
    store.append(batch("north", 0, MORNING, 1)).await.unwrap();
    store
        .append(of_spans("north", 1, vec![silence]))
        .await
        .unwrap();
    store
        .append(batch("north", 2, MORNING + 10 + month, 2))
        .await
        .unwrap();
    let windows = windows(&store, MORNING - month, MORNING + 2 * month).await;
    let found: Vec<_> = windows
        .iter()
        .map(|w| (w.interval.start(), w.flows.len()))
        .collect();
    assert_eq!(found, [(MORNING, 1), (MORNING + 10 + month, 2)]);
    let coverage = store.coverage(MORNING + 500..MORNING + 600).await.unwrap();
    assert_eq!(coverage.len(), 1, "zero is told from missing");
    assert_eq!(
        (coverage[0].first, coverage[0].end),
        (MORNING + 10, MORNING + 10 + month)
    );
    assert!(
        store
            .coverage(MORNING - 600..MORNING - 500)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.span().await.unwrap(),
        Some(MORNING..MORNING + 20 + month)
    );
}

#[tokio::test]
async fn a_busy_range_is_cut_into_slices() {
    let store = store().await;
    // 20 windows of 20,000 flows: several slices, each window whole and once.
    let batches =
        (0..20).map(|number| store.append(batch("north", number, MORNING + number * 10, 20_000)));
    for admitted in batches.collect::<Vec<_>>() {
        admitted.await.unwrap();
    }
    let mut reader = store.windows(MORNING..MORNING + 3_600, IntervalLength::DEFAULT);
    let (mut chunks, mut found) = (0, Vec::new());
    while let Some(chunk) = reader.next_chunk().await.unwrap() {
        chunks += 1;
        found.extend(
            chunk
                .iter()
                .map(|window| (window.interval.start(), window.flows.len())),
        );
    }
    let expected: Vec<_> = (0..20)
        .map(|number| (MORNING + number * 10, 20_000))
        .collect();
    assert_eq!(found, expected);
    assert!(chunks > 1, "{chunks} chunks");
}

#[tokio::test]
async fn every_arrival_comes_once() {
    let store = store().await;
    let start = store.wall_time().await.unwrap();
    let mut cursor = ArrivalCursor::since(Millis(start.0 - 3_000_000));
    assert!(store.arrivals(&mut cursor).await.unwrap().is_empty());
    store.append(batch("north", 0, MORNING, 2)).await.unwrap();
    let first = store.arrivals(&mut cursor).await.unwrap();
    store
        .append(batch("north", 1, MORNING + 10, 3))
        .await
        .unwrap();
    let second = store.arrivals(&mut cursor).await.unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert!(store.arrivals(&mut cursor).await.unwrap().is_empty());
    assert_eq!(second[0].id.sequence, 1);
    let watched: Vec<_> = second[0].spans.iter().map(|s| (s.start, s.end)).collect();
    assert_eq!(watched, [(MORNING + 10, MORNING + 20)]);
    let range = MORNING..MORNING + 60;
    let late = store
        .windows_of(&second, range, IntervalLength::DEFAULT)
        .await
        .unwrap();
    assert_eq!(late.len(), 1, "only what that batch brought");
    assert_eq!(
        (late[0].interval, late[0].flows.len()),
        (Interval(MORNING + 10), 3)
    );
}
