//! Files cut and damaged everywhere, and what goes when there is no room.

use std::fs;
use std::path::Path;

use noroshi_proto::hello::Held;
use noroshi_proto::loss::Loss;

mod epochs;
mod full;
mod law;

use super::record::HEADER_BYTES;
use super::*;

const NOW: u64 = 1_762_000_000;

fn settings(directory: &Path, bytes_max: u64) -> Settings {
    Settings {
        directory: directory.to_owned(),
        sensor: SensorId::new("jp-1").unwrap(),
        bytes_max,
        keep: KEEP,
        durability: Durability::ThrowAway,
    }
}

fn open(directory: &Path) -> Spool {
    Spool::open(settings(directory, 1 << 30), Epoch(1), NOW).unwrap()
}

fn parcel(sequence: u64) -> Parcel {
    let bytes = (0..20 + 7 * sequence)
        .map(|at| (at * 31 + sequence) as u8)
        .collect();
    Parcel {
        epoch: Epoch(1),
        sequence,
        packets: 10 + sequence,
        bytes,
    }
}

fn push(spool: &mut Spool, parcels: Vec<Parcel>) {
    spool.push(NOW, |_| parcels.clone()).unwrap();
}

fn rest(spool: &mut Spool) -> Vec<Parcel> {
    let mut cursor = Cursor::default();
    let mut parcels = Vec::new();
    while let Some(record) = spool.next(&mut cursor, u64::MAX).unwrap() {
        parcels.push(record.parcel);
    }
    parcels
}

fn carried(spool: &Spool) -> Counters {
    spool.state.account.totals().since(spool.reported)
}

/// What has room on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Everything,
    /// Batches in what is left of a file's last block; no new state.
    Batches,
    Nothing,
}

fn make(spool: &mut Spool, room: Room) {
    let draft = spool.settings.directory.join("state.json.new");
    let _ = fs::remove_file(&draft); // where there is one
    spool.settings.durability = Durability::ThrowAway;
    match room {
        Room::Everything => {}
        Room::Batches => std::os::unix::fs::symlink("/dev/full", draft).unwrap(),
        Room::Nothing => spool.settings.durability = Durability::Full,
    }
}

fn only_segment(directory: &Path) -> std::path::PathBuf {
    let paths = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = paths
        .filter(|path| Segment::start_of(path).is_some())
        .collect();
    assert_eq!(segments.len(), 1);
    segments.remove(0)
}

#[test]
fn batches_leave_in_the_order_they_came_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, (0..3).map(parcel).collect());
    push(&mut spool, vec![parcel(3)]);
    assert_eq!(rest(&mut spool), (0..4).map(parcel).collect::<Vec<_>>());
    drop(spool);
    let mut spool = open(directory.path());
    push(&mut spool, vec![parcel(4)]);
    assert_eq!(rest(&mut spool), (0..5).map(parcel).collect::<Vec<_>>());
}

#[test]
fn a_directory_has_one_process_and_one_sensor() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let second = Spool::open(settings(directory.path(), 1 << 30), Epoch(2), NOW);
    assert!(matches!(second, Err(SpoolError::Held(_))));
    drop(spool);
    let mut other = settings(directory.path(), 1 << 30);
    other.sensor = SensorId::new("th-1").unwrap();
    let other = Spool::open(other, Epoch(2), NOW);
    assert!(matches!(other, Err(SpoolError::OtherSensor { .. })));
}

#[test]
fn a_file_cut_anywhere_keeps_every_whole_record() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, (0..4).map(parcel).collect());
    drop(spool);
    let path = only_segment(directory.path());
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..4)
        .scan(0, |end, sequence| {
            *end += HEADER_BYTES + parcel(sequence).bytes.len();
            Some(*end)
        })
        .collect();
    for cut in 0..=whole.len() {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join(path.file_name().unwrap()), &whole[..cut]).unwrap();
        let mut spool = open(copy.path());
        let kept = ends.iter().filter(|end| **end <= cut).count() as u64;
        let expected: Vec<_> = (0..kept).map(parcel).collect();
        assert_eq!(rest(&mut spool), expected, "cut at {cut}");
        push(&mut spool, vec![parcel(9)]);
        drop(spool);
        let again = rest(&mut open(copy.path()));
        assert_eq!(again.len() as u64, kept + 1, "cut at {cut}");
        assert_eq!(again.last(), Some(&parcel(9)), "cut at {cut}");
    }
}

#[test]
fn a_flipped_byte_costs_one_record_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, (0..4).map(parcel).collect());
    drop(spool);
    let path = only_segment(directory.path());
    let state = fs::read(directory.path().join("state.json")).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut at = 0;
    for damaged in 0..4 {
        for _ in 0..HEADER_BYTES + parcel(damaged).bytes.len() {
            for bit in [0, 3, 7] {
                let copy = tempfile::tempdir().unwrap();
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                fs::write(copy.path().join(path.file_name().unwrap()), &bytes).unwrap();
                fs::write(copy.path().join("state.json"), &state).unwrap();
                let mut spool = open(copy.path());
                let expected: Vec<_> = (0..4).filter(|n| *n != damaged).map(parcel).collect();
                assert_eq!(rest(&mut spool), expected, "byte {at} bit {bit}");
                // The last one looks like a write that was torn, which nobody was promised.
                let lost = if damaged < 3 {
                    parcel(damaged).packets
                } else {
                    0
                };
                assert_eq!(
                    carried(&spool).losses.of(Loss::SpoolDamaged),
                    lost,
                    "byte {at}"
                );
                drop(spool);
                let mut spool = open(copy.path());
                assert_eq!(rest(&mut spool), expected);
                assert_eq!(
                    carried(&spool).losses.of(Loss::SpoolDamaged),
                    lost,
                    "counted once"
                );
            }
            at += 1;
        }
    }
}

#[test]
fn a_damaged_end_is_counted_once_something_follows() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, vec![parcel(0), parcel(1)]);
    let path = only_segment(directory.path());
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    push(&mut spool, vec![parcel(2)]);
    assert_eq!(rest(&mut spool), [parcel(0), parcel(2)]);
    assert_eq!(
        carried(&spool).losses.of(Loss::SpoolDamaged),
        parcel(1).packets
    );
}

#[test]
fn the_oldest_give_way_and_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(settings(directory.path(), 8_000), Epoch(1), NOW).unwrap();
    let parcels: Vec<_> = (0..200)
        .map(|n| Parcel {
            sequence: n,
            ..parcel(n % 5)
        })
        .collect();
    let mut reported = 0;
    for parcel in parcels.clone() {
        spool
            .push(NOW, |carried| {
                reported = carried.losses.of(Loss::SpoolFull);
                vec![parcel.clone()]
            })
            .unwrap();
        assert!(spool.bytes() <= 8_000);
    }
    let kept = rest(&mut spool);
    assert_eq!(kept, parcels[200 - kept.len()..]);
    let lost: u64 = parcels[..200 - kept.len()].iter().map(|p| p.packets).sum();
    assert!(lost > 0 && reported <= lost);
    assert_eq!(carried(&spool).losses.of(Loss::SpoolFull), lost);
    // The next epoch reports what the last batch of this one did not include, no more.
    drop(spool);
    let spool = Spool::open(settings(directory.path(), 8_000), Epoch(2), NOW).unwrap();
    assert_eq!(carried(&spool).losses.of(Loss::SpoolFull), lost - reported);
}

#[test]
fn what_was_acknowledged_stays_for_a_day_and_can_be_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, (0..3).map(parcel).collect());
    let mut cursor = Cursor::default();
    while let Some(record) = spool.next(&mut cursor, u64::MAX).unwrap() {
        spool.acknowledge(record.position, NOW).unwrap();
    }
    assert!(spool.is_drained());
    let held = |first, last| Held {
        epoch: Epoch(1),
        first,
        last,
    };
    spool.reconcile(&[held(0, 0), held(2, 2)], NOW).unwrap();
    assert_eq!(rest(&mut spool), [parcel(1)]);
    spool.reconcile(&[held(0, 2)], NOW).unwrap();
    assert!(spool.is_drained());

    let hour_later = NOW + SEGMENT_SECONDS_MAX;
    spool.push(hour_later, |_| vec![parcel(3)]).unwrap();
    assert_eq!(spool.segments.len(), 2);
    spool
        .push(hour_later + KEEP.as_secs() - 1, |_| vec![parcel(4)])
        .unwrap();
    assert_eq!(spool.segments.len(), 3);
    spool
        .push(hour_later + KEEP.as_secs(), |_| vec![parcel(5)])
        .unwrap();
    assert_eq!(spool.segments.len(), 2);
    // What is no longer here cannot be sent, whatever the centre lost.
    spool.reconcile(&[], NOW).unwrap();
    assert_eq!(rest(&mut spool), [parcel(3), parcel(4), parcel(5)]);
}

#[test]
fn an_acknowledgement_on_its_way_when_its_segment_went_is_no_loss() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(settings(directory.path(), 4_000), Epoch(1), NOW).unwrap();
    push(&mut spool, vec![parcel(0), parcel(1), parcel(2)]);
    let mut cursor = Cursor::default();
    for _ in 0..2 {
        spool.next(&mut cursor, u64::MAX).unwrap().unwrap();
    }
    for sequence in 3..60 {
        push(&mut spool, vec![parcel(sequence)]);
    }
    let dropped: u64 = carried(&spool).losses.of(Loss::SpoolFull);
    spool.acknowledge(0, NOW).unwrap();
    spool
        .reconcile(
            &[Held {
                epoch: Epoch(1),
                first: 0,
                last: 0,
            }],
            NOW,
        )
        .unwrap();
    let lost = carried(&spool).losses.of(Loss::SpoolFull);
    assert_eq!(lost, dropped + parcel(1).packets);
}
