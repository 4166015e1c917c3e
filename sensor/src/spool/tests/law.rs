//! The law of the spool, and whatever may happen between sensor and centre.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What may happen to a sensor, its spool and its centre.
#[derive(Clone, Debug)]
enum Op {
    Push(Vec<u8>),
    Send,
    Store(usize),
    Acknowledge(usize),
    Refuse(usize),
    Reconnect,
    Restart,
    Wait(u32),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 1..4).prop_map(Op::Push),
        6 => Just(Op::Send),
        4 => (0usize..8).prop_map(Op::Store),
        4 => (0usize..8).prop_map(Op::Acknowledge),
        1 => (0usize..8).prop_map(Op::Refuse),
        2 => Just(Op::Reconnect),
        1 => Just(Op::Restart),
        1 => (0u32..7_200).prop_map(Op::Wait),
    ]
}

/// A sensor that only counts, and a centre that only remembers.
struct World {
    directory: tempfile::TempDir,
    spool: Option<Spool>,
    cursor: Cursor,
    now: u64,
    epoch: u64,
    sequence: u64,
    counted: u64,
    in_flight: Vec<Record>,
    /// What the centre holds: packets, and the counters as packets and losses.
    stored: BTreeMap<(u64, u64), (u64, u64, u64)>,
    refused: BTreeSet<(u64, u64)>,
    made: u64,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut world = Self {
            directory,
            spool: None,
            cursor: Cursor::default(),
            now: NOW,
            epoch: 0,
            sequence: 0,
            counted: 0,
            in_flight: Vec::new(),
            stored: BTreeMap::new(),
            refused: BTreeSet::new(),
            made: 0,
        };
        world.restart();
        world
    }

    fn spool(&mut self) -> &mut Spool {
        self.spool.as_mut().unwrap()
    }

    fn restart(&mut self) {
        self.spool = None;
        self.epoch += 1;
        (self.sequence, self.counted) = (0, 0);
        let mut settings = settings(self.directory.path(), 2_400);
        settings.keep = Duration::from_secs(3_600);
        self.spool = Some(Spool::open(settings, Epoch(self.epoch), self.now).unwrap());
        self.reconnect();
    }

    fn reconnect(&mut self) {
        self.in_flight.clear();
        self.cursor = Cursor::default();
        let stored = self.stored.keys();
        let held: Vec<_> = stored
            .map(|&(epoch, sequence)| Held {
                epoch: Epoch(epoch),
                first: sequence,
                last: sequence,
            })
            .collect();
        let now = self.now;
        self.spool().reconcile(&held, now).unwrap();
    }

    fn push(&mut self, packets: &[u8]) {
        let (epoch, now) = (Epoch(self.epoch), self.now);
        let (mut sequence, mut counted, made) = (self.sequence, self.counted, self.made);
        self.spool()
            .push(now, |carried| {
                let lost: u64 = carried.losses.iter().map(|(_, packets)| packets).sum();
                let mut parcels = Vec::new();
                for &packets in packets {
                    counted += u64::from(packets);
                    let total = counted + carried.packets;
                    let bytes = [total.to_le_bytes(), lost.to_le_bytes()].concat();
                    parcels.push(Parcel {
                        epoch,
                        sequence,
                        packets: packets.into(),
                        bytes,
                    });
                    sequence += 1;
                }
                parcels
            })
            .unwrap();
        (self.sequence, self.made) = (sequence, made + (counted - self.counted));
        self.counted = counted;
    }

    fn store(&mut self, at: usize) -> Option<Record> {
        let record = self.in_flight.get(at)?.clone();
        let key = (record.parcel.epoch.0, record.parcel.sequence);
        assert!(!self.refused.contains(&key), "given up and sent again");
        let (total, lost) = record.parcel.bytes.split_at(8);
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        self.stored
            .insert(key, (record.parcel.packets, number(total), number(lost)));
        Some(record)
    }

    fn act(&mut self, op: &Op) {
        let now = self.now;
        match op {
            Op::Push(packets) => self.push(packets),
            Op::Send => {
                let mut cursor = std::mem::take(&mut self.cursor);
                let next = self.spool().next(&mut cursor, u64::MAX).unwrap();
                self.cursor = cursor;
                self.in_flight.extend(next);
            }
            Op::Store(at) => {
                self.store(*at);
            }
            Op::Acknowledge(at) => {
                if let Some(record) = self.store(*at) {
                    self.in_flight.remove(*at);
                    self.spool().acknowledge(record.position, now).unwrap();
                }
            }
            Op::Refuse(at) => {
                let key = |record: &Record| (record.parcel.epoch.0, record.parcel.sequence);
                let Some(record) = self.in_flight.get(*at).cloned() else {
                    return;
                };
                if !self.stored.contains_key(&key(&record)) {
                    self.in_flight.remove(*at);
                    self.refused.insert(key(&record));
                    self.spool().give_up(record.position, now).unwrap();
                }
            }
            Op::Reconnect => self.reconnect(),
            Op::Restart => self.restart(),
            Op::Wait(seconds) => self.now += u64::from(*seconds),
        }
    }

    /// Everything arrives, and one more batch, so everything is reported.
    fn finish(&mut self) {
        self.reconnect();
        for _ in 0..2 {
            self.push(&[1]);
            loop {
                self.act(&Op::Send);
                if self.in_flight.is_empty() {
                    break;
                }
                self.act(&Op::Acknowledge(0));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens: packets = packets in the store + losses, by what the store was told.
    #[test]
    fn every_packet_is_kept_or_counted(ops in prop::collection::vec(op(), 0..250)) {
        let mut world = World::new();
        for op in &ops {
            world.act(op);
        }
        world.finish();
        let kept: u64 = world.stored.values().map(|(packets, ..)| packets).sum();
        let mut told = BTreeMap::new();
        for ((epoch, _), (_, total, lost)) in &world.stored {
            told.insert(epoch, (*total, *lost)); // the last of each epoch
        }
        let total: u64 = told.values().map(|(total, _)| total).sum();
        let lost: u64 = told.values().map(|(_, lost)| lost).sum();
        prop_assert_eq!(total, kept + lost);
        prop_assert_eq!(world.made, total);
        prop_assert!(world.spool().is_drained());
    }
}
