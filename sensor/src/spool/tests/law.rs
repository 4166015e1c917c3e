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
    Disk(Room),
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
        1 => prop_oneof![
            Just(Op::Disk(Room::Everything)),
            Just(Op::Disk(Room::Batches)),
            Just(Op::Disk(Room::Nothing)),
        ],
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
    room: Room,
    /// Packets nothing but the spool's memory knows of.
    unwritten: u64,
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
            room: Room::Everything,
            unwritten: 0,
        };
        world.restart();
        world
    }

    fn spool(&mut self) -> &mut Spool {
        self.spool.as_mut().unwrap()
    }

    /// After a crash: what was not written is not known.
    fn restart(&mut self) {
        if let Some(spool) = self.spool.take() {
            self.made -= self.unwritten;
            self.unwritten = 0;
            if spool.saved.lost != spool.state.lost {
                self.refused.clear(); // some are forgotten, and will be sent again
            }
        }
        self.epoch += 1;
        (self.sequence, self.counted) = (0, 0);
        let room = self.room;
        self.spool = Some(self.open(room).unwrap_or_else(|_| {
            self.room = Room::Everything; // without a file to write to it does not start
            self.open(self.room).unwrap()
        }));
        self.reconnect();
    }

    fn open(&self, room: Room) -> Result<Spool, SpoolError> {
        let mut settings = settings(self.directory.path(), 2_400);
        settings.keep = Duration::from_secs(3_600);
        if room == Room::Nothing {
            settings.durability = Durability::Full;
        }
        Spool::open(settings, Epoch(self.epoch), self.now)
    }

    fn make(&mut self, room: Room) {
        self.room = room;
        super::make(self.spool(), room);
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
        let (first, before) = (self.sequence, self.counted);
        let (mut sequence, mut counted) = (first, before);
        let head = self.spool().head();
        self.spool()
            .push(now, |carried| {
                (sequence, counted) = (first, before); // it is asked again where something gave way
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
        (self.sequence, self.counted) = (sequence, counted);
        self.made += counted - before;
        if self.spool().head() == head {
            self.unwritten += counted - before;
        }
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
            Op::Disk(room) => self.make(*room),
            Op::Wait(seconds) => self.now += u64::from(*seconds),
        }
        let spool = self.spool();
        if spool.saved.account.totals() == spool.state.account.totals() {
            self.unwritten = 0;
        }
    }

    /// Everything arrives, and one more batch, so everything is reported.
    fn finish(&mut self) {
        self.make(Room::Everything);
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
