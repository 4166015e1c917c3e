//! Closing, and what comes late.

use noroshi_proto::id::{BatchId, Epoch, SensorId};
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000_000;

fn sensor(name: &str) -> SensorId {
    SensorId::new(name).expect("an id")
}

/// A sensor complete so many seconds ago, last heard of so many seconds ago.
fn watermark(name: &str, complete_ago: u64, kept_ago: u64) -> Watermark {
    Watermark {
        sensor: sensor(name),
        complete_through: NOW - complete_ago,
        kept_at: Millis((NOW - kept_ago) * 1_000),
        addresses: 256,
    }
}

fn through(pace: Pace, watermarks: &[Watermark]) -> Option<u64> {
    let closing = Closing::new(IntervalLength::DEFAULT, pace);
    closing
        .through(Millis(NOW * 1_000), watermarks)
        .map(|through| NOW - through)
}

/// NOW is a multiple of ten; half an interval of lateness leaves the one that just ended open.
#[test]
fn an_interval_closes_when_live_sensors_are_complete_or_time_is_up() {
    let prompt = watermark("a", 0, 1);
    let slow = watermark("b", 30, 1);
    let gone = watermark("c", 300, 60);
    let ahead = Watermark {
        complete_through: NOW + 500,
        ..prompt.clone()
    };
    let expected: [(Pace, Vec<Watermark>, Option<u64>); 9] = [
        (Pace::Clock, vec![prompt.clone()], Some(0)),
        (Pace::Clock, vec![prompt.clone(), slow.clone()], Some(10)), // waited long enough
        (Pace::Clock, vec![prompt.clone(), gone.clone()], Some(0)),  // no vote
        (Pace::Clock, vec![], Some(10)),
        (Pace::Clock, vec![ahead], Some(0)), // nobody closes the future
        (Pace::Sensors, vec![prompt.clone(), slow.clone()], Some(30)), // the slowest live one
        (Pace::Sensors, vec![prompt.clone(), gone.clone()], Some(0)),
        (Pace::Sensors, vec![gone], Some(300)), // all have ended
        (Pace::Sensors, vec![], None),
    ];
    for (pace, watermarks, ago) in expected {
        assert_eq!(through(pace, &watermarks), ago, "{pace:?} {watermarks:?}");
    }
}

#[test]
fn sensors_that_have_not_begun_are_waited_for_a_while() {
    let until = Millis((NOW + 5) * 1_000);
    let closing = Closing::new(IntervalLength::DEFAULT, Pace::Sensors).expecting(2, until);
    let one = [watermark("a", 0, 0)];
    assert_eq!(closing.through(Millis(NOW * 1_000), &one), None);
    assert_eq!(closing.through(until, &one), Some(NOW));
    let both = [watermark("a", 0, 0), watermark("b", 20, 0)];
    assert_eq!(closing.through(Millis(NOW * 1_000), &both), Some(NOW - 20));
}

#[test]
fn a_tick_is_watched_by_those_who_are_complete() {
    let closing = Closing::new(IntervalLength::DEFAULT, Pace::Clock);
    let tick = closing.tick(
        NOW,
        &[
            watermark("b", 0, 0),
            watermark("a", 0, 0),
            watermark("c", 10, 0),
        ],
    );
    let names: Vec<&str> = tick
        .watches
        .iter()
        .map(|watch| watch.sensor.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!((tick.end(), tick.flows.len()), (NOW, 0));
}

fn arrival(sequence: u64, spans: &[(u64, u64)]) -> Arrival {
    Arrival {
        id: BatchId {
            sensor: sensor("a"),
            epoch: Epoch(1),
            sequence,
        },
        spans: spans.iter().map(|(start, end)| *start..*end).collect(),
        interval_length: IntervalLength::DEFAULT,
        addresses: 256,
        target_bits: TargetBits::Sixteen,
        complete_through: 0,
        flows: 1,
        packets: 1,
        kept_at: Millis(0),
    }
}

#[test]
fn what_comes_for_a_closed_interval_is_late_and_the_rest_is_not() {
    let mut intake = Intake::new(100);
    let late = intake.arrive(vec![arrival(1, &[(80, 120)]), arrival(2, &[(100, 110)])]);
    let late = late.expect("the first lies partly before the position");
    assert_eq!((late.range.clone(), late.arrivals.len()), (80..100, 1));
    let due = intake.next(200, 600).expect("both have more");
    assert_eq!((due.range, due.arrivals.len()), (100..200, 2));
    intake.pass(200);
    assert_eq!(intake.waiting(), 0);
}

#[test]
fn silence_of_any_length_is_passed_over_at_once() {
    let mut intake = Intake::new(0);
    let month = 30 * 86_400;
    assert!(
        intake
            .arrive(vec![arrival(1, &[(0, 10), (month, month + 10)])])
            .is_none()
    );
    assert_eq!(
        intake.next(2 * month, 600).expect("the first").range,
        0..600
    );
    intake.pass(600);
    let second = intake.next(2 * month, 600).expect("the second");
    assert_eq!(second.range, month..month + 600);
    intake.pass(month + 600);
    assert!(intake.next(2 * month, 600).is_none());
    assert_eq!(intake.position(), 2 * month);
}

#[test]
fn what_was_examined_before_a_restart_is_counted_as_skipped() {
    let mut intake = Intake::new(100);
    let before = vec![arrival(1, &[(80, 100)]), arrival(2, &[(90, 110)])];
    assert_eq!(intake.resume(before, Millis(u64::MAX)), None);
    assert_eq!(intake.waiting(), 1);
    assert_eq!(intake.accounts().skipped.get("before_start"), Some(&1));
}

#[test]
fn what_came_while_nobody_examined_is_late() {
    let mut intake = Intake::new(100);
    let late = intake.resume(vec![arrival(1, &[(80, 100)])], Millis(0));
    assert_eq!(late.expect("it is examined").range, 80..100);
    assert!(intake.accounts().skipped.is_empty());
}

proptest! {
    /// However batches arrive and time goes on, every interval of every batch is examined
    /// exactly once, in time or late.
    #[test]
    fn every_interval_is_examined_once(steps in prop::collection::vec((0u64..60, 1u64..8, 0u64..12), 1..60)) {
        let mut intake = Intake::new(0);
        let mut examined = BTreeMap::new();
        let mut note = |due: &Due| {
            for arrival in &due.arrivals {
                for span in &arrival.spans {
                    let both = span.start.max(due.range.start)..span.end.min(due.range.end);
                    for tenth in both.step_by(10) {
                        *examined.entry((arrival.id.sequence, tenth)).or_insert(0) += 1;
                    }
                }
            }
        };
        let mut sent = Vec::new();
        let mut now = 0;
        for (sequence, (start, length, passes)) in steps.into_iter().enumerate() {
            let span = start * 10..(start + length) * 10;
            sent.push((sequence as u64, span.clone()));
            if let Some(late) = intake.arrive(vec![arrival(sequence as u64, &[(span.start, span.end)])]) {
                note(&late);
            }
            now += passes * 10;
            while let Some(due) = intake.next(now, 50) {
                note(&due);
                intake.pass(due.range.end);
            }
        }
        while let Some(due) = intake.next(1_000, 50) {
            note(&due);
            intake.pass(due.range.end);
        }
        for (sequence, span) in sent {
            for tenth in span.step_by(10) {
                prop_assert_eq!(examined.get(&(sequence, tenth)), Some(&1));
            }
        }
    }
}
