//! Disks without room: nothing ends, nothing is told twice, and what is lost is told.

use super::*;

fn limited(directory: &Path) -> Spool {
    Spool::open(settings(directory, 8_000), Epoch(1), NOW).unwrap()
}

fn numbered(sequence: u64) -> Parcel {
    Parcel {
        sequence,
        ..parcel(4)
    }
}

/// Pushes until one more would be over the limit of a [`limited`] spool; gives how many there are.
fn fill(spool: &mut Spool) -> u64 {
    let record = (HEADER_BYTES + numbered(0).bytes.len()) as u64;
    let mut sequence = 0;
    while spool.bytes() + record <= 8_000 {
        push(spool, vec![numbered(sequence)]);
        sequence += 1;
    }
    assert_eq!(carried(spool), Counters::default());
    sequence
}

fn packets(parcels: &[Parcel]) -> u64 {
    parcels.iter().map(|parcel| parcel.packets).sum()
}

fn send(spool: &mut Spool, batches: usize) {
    let mut cursor = Cursor::default();
    for _ in 0..batches {
        spool.next(&mut cursor, u64::MAX).unwrap().unwrap();
    }
}

fn segments(directory: &Path) -> usize {
    let paths = fs::read_dir(directory).unwrap();
    paths
        .filter(|entry| Segment::start_of(&entry.as_ref().unwrap().path()).is_some())
        .count()
}

#[test]
fn a_limit_that_cannot_be_kept_ends_nothing_and_is_kept_once_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = limited(directory.path());
    let filled = fill(&mut spool);
    make(&mut spool, Room::Batches);
    push(&mut spool, vec![numbered(filled)]);
    assert!(spool.bytes() > 8_000);
    let all: Vec<_> = (0..=filled).map(numbered).collect();
    assert_eq!(rest(&mut spool), all);
    spool.reconcile(&[], NOW).unwrap(); // nothing is on its way any more

    make(&mut spool, Room::Everything);
    push(&mut spool, vec![numbered(filled + 1)]);
    assert!(spool.bytes() <= 8_000);
    let kept = rest(&mut spool);
    assert_eq!(
        kept.first(),
        Some(&numbered(filled + 2 - kept.len() as u64))
    );
    let lost = packets(&all) + numbered(0).packets - packets(&kept);
    assert_eq!(carried(&spool).losses.of(Loss::SpoolFull), lost);
}

#[test]
fn what_could_not_be_written_as_lost_is_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = limited(directory.path());
    fill(&mut spool);
    send(&mut spool, 1); // on its way, so it would be doubtful
    spool.save(NOW).unwrap();
    let before = spool.state.clone();
    make(&mut spool, Room::Nothing);
    let refused = spool.drop_oldest(NOW).unwrap_err();
    assert!(refused.is_full());
    assert_eq!(spool.state, before);
    assert_eq!(State::load(directory.path()).unwrap(), Some(before));
}

#[test]
fn damage_in_a_segment_that_cannot_go_is_not_written_before_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = limited(directory.path());
    fill(&mut spool);
    let path = spool.segments[0].path.clone();
    let mut bytes = fs::read(&path).unwrap();
    bytes[HEADER_BYTES + numbered(0).bytes.len() + 20] ^= 1; // the second header
    fs::write(&path, bytes).unwrap();
    spool.save(NOW).unwrap();
    let before = spool.state.clone();
    let counted = spool.count_as_dropped(0).unwrap();
    assert!(counted > 0 && spool.state.account.totals().damaged > 0);
    assert_eq!(State::load(directory.path()).unwrap(), Some(before));
}

/// Three batches have no room, two behind them have; the sensor starts again.
fn after_a_full_disk(directory: &Path) -> Spool {
    let mut spool = open(directory);
    push(&mut spool, (0..5).map(parcel).collect());
    make(&mut spool, Room::Nothing);
    push(&mut spool, (5..8).map(parcel).collect());
    make(&mut spool, Room::Everything);
    push(&mut spool, vec![parcel(8)]);
    push(&mut spool, vec![parcel(9)]);
    drop(spool);
    let mut spool = Spool::open(settings(directory, 1 << 30), Epoch(2), NOW).unwrap();
    assert_eq!(spool.head(), 7);
    let mut cursor = Cursor::default();
    for position in 0..5 {
        spool.next(&mut cursor, u64::MAX).unwrap().unwrap();
        spool.acknowledge(position, NOW).unwrap();
    }
    spool
}

/// The two are sent; the second is lost, as `lose` says, before the first is answered.
fn frames_where_the_second_is_lost(lose: impl Fn(&mut Spool, &mut Cursor)) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = after_a_full_disk(directory.path());
    let mut cursor = Cursor::default();
    let first = spool.next(&mut cursor, u64::MAX).unwrap().unwrap();
    assert_eq!(first.parcel, parcel(8));
    lose(&mut spool, &mut cursor);
    spool.acknowledge(first.position, NOW).unwrap();
    assert!(spool.is_drained());
    spool.state.account.totals().frames
}

#[test]
fn what_was_never_kept_is_told_by_the_next_batch_also_where_the_one_behind_it_is_lost() {
    let full = frames_where_the_second_is_lost(|spool, _| {
        spool.begin_segment(NOW).unwrap();
        assert!(spool.drop_oldest(NOW).unwrap());
    });
    let refused = frames_where_the_second_is_lost(|spool, cursor| {
        let second = spool.next(cursor, u64::MAX).unwrap().unwrap();
        spool.give_up(second.position, NOW).unwrap();
    });
    let damaged = frames_where_the_second_is_lost(|spool, cursor| {
        let path = &spool.segments[0].path;
        let mut bytes = fs::read(path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
        assert_eq!(spool.next(cursor, u64::MAX).unwrap(), None);
    });
    assert_eq!([full, refused, damaged], [parcel(9).packets; 3]);
}

#[test]
fn a_segment_that_could_not_be_begun_is_not_in_the_way_of_the_next_attempt() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, vec![parcel(0)]);
    make(&mut spool, Room::Nothing);
    let later = NOW + SEGMENT_SECONDS_MAX;
    for sequence in 1..3 {
        spool.push(later, |_| vec![parcel(sequence)]).unwrap();
        assert_eq!(segments(directory.path()), 1);
    }
    make(&mut spool, Room::Everything);
    spool.push(later, |_| vec![parcel(3)]).unwrap();
    assert_eq!(segments(directory.path()), 2);
    assert_eq!(rest(&mut spool), [parcel(0), parcel(3)]);
    let lost = packets(&[parcel(1), parcel(2)]);
    assert_eq!(carried(&spool).losses.of(Loss::SpoolFull), lost);
}

#[test]
fn what_the_centre_has_gives_way_without_a_write() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = limited(directory.path());
    fill(&mut spool);
    let closed = spool.segments.len() - 1;
    assert!(closed > 3);
    let (written, known) = (spool.segments[1].end, spool.segments[2].end);
    let mut cursor = Cursor::default();
    while let Some(record) = spool.next(&mut cursor, known.position).unwrap() {
        if record.position == written.position {
            spool.save(NOW).unwrap();
            make(&mut spool, Room::Nothing);
        }
        spool.acknowledge(record.position, NOW).unwrap();
    }
    for left in [closed, closed - 1] {
        assert!(spool.give_way(NOW).unwrap());
        assert_eq!(segments(directory.path()), left);
    }
    // The third is acknowledged in memory alone: after a crash it would be taken for damaged.
    assert!(!spool.give_way(NOW).unwrap());
    assert_eq!(segments(directory.path()), closed - 1);
    drop(spool);
    let spool = Spool::open(settings(directory.path(), 8_000), Epoch(2), NOW).unwrap();
    assert_eq!(spool.state.first_pending(0), written.position);
    assert_eq!(carried(&spool), Counters::default());
}

#[test]
fn what_the_centre_lost_again_does_not_give_way_for_being_acknowledged_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = limited(directory.path());
    let filled = fill(&mut spool);
    let mut cursor = Cursor::default();
    while let Some(record) = spool.next(&mut cursor, u64::MAX).unwrap() {
        spool.acknowledge(record.position, NOW).unwrap();
    }
    spool.save(NOW).unwrap();
    make(&mut spool, Room::Nothing);
    spool.reconcile(&[], NOW).unwrap();
    assert!(!spool.give_way(NOW).unwrap());
    assert_eq!(rest(&mut spool).len() as u64, filled);
}

#[test]
fn no_batch_tells_of_a_loss_that_a_crash_would_make_the_spool_find_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, vec![parcel(0), parcel(1)]);
    send(&mut spool, 1);
    make(&mut spool, Room::Batches);
    spool.give_up(0, NOW).unwrap();
    push(&mut spool, vec![parcel(2)]);
    assert_eq!(
        spool.head(),
        2,
        "it would tell of a refusal that is not written"
    );
    drop(spool);
    let settings = settings(directory.path(), 1 << 30);
    let mut spool = Spool::open(settings, Epoch(2), NOW).unwrap();
    assert_eq!(rest(&mut spool), [parcel(0), parcel(1)]);
    make(&mut spool, Room::Everything);
    spool.give_up(0, NOW).unwrap();
    assert_eq!(carried(&spool).losses.of(Loss::Refused), parcel(0).packets);
}
