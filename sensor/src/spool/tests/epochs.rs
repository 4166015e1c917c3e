//! Epochs that follow one another in one process.

use super::*;

#[test]
fn another_epoch_begins_without_a_restart_and_reports_what_is_lost_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    push(&mut spool, (0..3).map(parcel).collect());
    rest(&mut spool); // all are sent
    spool.give_up(2, NOW).unwrap();
    push(&mut spool, vec![parcel(3)]); // which reports it
    assert_eq!(carried(&spool).losses.of(Loss::Refused), 12);
    spool.begin(Epoch(2), 1 << 29, NOW).unwrap();
    assert_eq!(carried(&spool), Counters::default());
    let next = Parcel {
        epoch: Epoch(2),
        ..parcel(0)
    };
    push(&mut spool, vec![next.clone()]);
    let expected = [parcel(0), parcel(1), parcel(3), next];
    assert_eq!(rest(&mut spool), expected);
    drop(spool);
    let settings = settings(directory.path(), 1 << 30);
    let mut spool = Spool::open(settings, Epoch(3), NOW).unwrap();
    assert_eq!(carried(&spool), Counters::default());
    assert_eq!(rest(&mut spool), expected);
}
