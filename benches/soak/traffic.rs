//! What the sensors see: the scenarios' background radiation, with infections, surges, attacks and a
//! storm that come and go, as batches of the wire.

use noroshi_analyzer::generate::packet::Tool;
use noroshi_analyzer::scenario::act::{Act, Ramp, Scan, Scheduled, Whence};
use noroshi_analyzer::scenario::play::Play;
use noroshi_analyzer::scenario::ports::Asked;
use noroshi_analyzer::scenario::region::{Nature, address, network};
use noroshi_analyzer::scenario::{Place, Scenario};
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::{Counters, Loss};
use noroshi_proto::sample::TargetBits;
use noroshi_proto::time::{IntervalLength, Millis};
use noroshi_proto::v1;
use noroshi_store::window::Window;

use crate::Size;

/// Dark addresses of each sensor.
const ADDRESSES: u32 = 65_536;
const SENSORS: usize = 8;
/// Packets that all but the loudest sources send at one visit, in the mean.
const BURST: f64 = 8.0;
const SEED: u64 = 7;
/// How often the rate is set by what came of the last one, until so many flow tuples arrive as are wanted.
const ATTEMPTS: usize = 4;
/// More than is wanted, so that the calmest quarter has as much: day and noise move the rate by some hundredths.
const SPARE: f64 = 1.05;
/// Of so many packets one frame more is not for the telescope, so that losses are accounted for as well.
const PACKETS_A_LOSS: u64 = 1_000;
/// Lands of partners in which hosts are infected, one after another.
const OUTBREAKS: [usize; 6] = [0, 2, 4, 1, 3, 5];
/// Hosts of one outbreak, and what each sends in a day: as Mirai does, at a telescope of this size.
const OUTBREAK_HOSTS: u32 = 40;
const OUTBREAK_PACKETS: f64 = 40_000.0;

/// One interval of all sensors.
pub struct Made {
    /// The second after its last.
    pub end: u64,
    /// One batch a sensor, in their order.
    pub batches: Vec<Sealed>,
}

/// One batch, and what is in it.
pub struct Sealed {
    pub wire: v1::Batch,
    pub tuples: u64,
    pub packets: u64,
}

/// The traffic, interval by interval.
pub struct Traffic {
    /// Its first second.
    pub from: u64,
    /// The second after the last that was made.
    pub through: u64,
    play: Play,
    sensors: Vec<Sensor>,
}

struct Sensor {
    id: SensorId,
    epoch: Epoch,
    sequence: u64,
    counters: Counters,
}

pub fn sensors() -> Vec<Place> {
    let place = |number| Place {
        sensor: SensorId::new(&format!("soak-{number}")).expect("an id"),
        addresses: ADDRESSES,
    };
    (1..=SENSORS).map(place).collect()
}

/// What all sensors see together from this second on, an interval's first: the past, and as long as `size` says.
pub fn play(size: &Size, from: u64) -> Play {
    let mut scenario = Scenario {
        name: "soak",
        summary: "eight sensors of a /16 each",
        from,
        until: from + size.past_seconds + size.seconds,
        sensors: sensors(),
        rate: size.tuples_per_second as f64 / (f64::from(ADDRESSES) * SENSORS as f64),
        sources: size.sources,
        burst: BURST,
        script: Vec::new(),
    };
    let wanted = (size.tuples_per_second * u64::from(IntervalLength::DEFAULT.seconds())) as f64;
    for _ in 0..ATTEMPTS {
        let window = scenario.play(SEED).next().expect("it lasts");
        scenario.rate *= wanted * SPARE / window.flows.len() as f64;
    }
    scenario.script = script(from + size.past_seconds, size.seconds);
    scenario.script.push(storm(from, size.past_seconds));
    scenario.play(SEED)
}

impl Traffic {
    /// The same, as batches.
    pub fn new(size: &Size, from: u64) -> Self {
        let sensor = |place: Place| Sensor {
            id: place.sensor,
            epoch: Epoch(from),
            sequence: 0,
            counters: Counters::default(),
        };
        Self {
            from,
            through: from,
            sensors: sensors().into_iter().map(sensor).collect(),
            play: play(size, from),
        }
    }

    /// Whether its next interval has ended by now.
    pub fn is_behind(&self, now: Millis) -> bool {
        now.seconds() >= self.through + u64::from(IntervalLength::DEFAULT.seconds())
    }
}

impl Iterator for Traffic {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        let window = self.play.next()?;
        let end = window.end();
        self.through = end;
        let sensors = self.sensors.iter_mut().enumerate();
        let batches = sensors.map(|(place, sensor)| sensor.batch(&window, place));
        Some(Made {
            end,
            batches: batches.collect(),
        })
    }
}

impl Sensor {
    fn id(&mut self) -> BatchId {
        let sequence = self.sequence;
        self.sequence += 1;
        BatchId {
            sensor: self.id.clone(),
            epoch: self.epoch,
            sequence,
        }
    }

    fn batch(&mut self, window: &Window, place: usize) -> Sealed {
        let seen = window.flows.iter().filter(|seen| seen.watch == place);
        let mut flows: Vec<_> = seen.map(|seen| seen.flow.clone()).collect();
        flows.sort_by_key(|flow| flow.tuple);
        let tuples = flows.len() as u64;
        let packets = flows.iter().map(|flow| flow.tally.packets).sum();
        let lost = 1 + packets / PACKETS_A_LOSS;
        self.counters.packets += packets;
        self.counters.losses.add(Loss::OutsideTelescope, lost);
        self.counters.frames += packets + lost;
        let interval = window.interval;
        let span = if flows.is_empty() {
            Span::Silent {
                first: interval,
                intervals: 1,
            }
        } else {
            Span::Active { interval, flows }
        };
        let batch = Batch {
            id: self.id(),
            interval_length: window.length,
            spans: vec![span],
            complete_through: window.end(),
            telescope_addresses: ADDRESSES.into(),
            target_bits: TargetBits::Sixteen,
            counters: self.counters,
        };
        let wire = v1::Batch::try_from(&batch).expect("it keeps the rules of a batch");
        Sealed {
            wire,
            tuples,
            packets,
        }
    }
}

/// Forged sources, early in the past: they fill tables once, and what pushes them out again takes its time.
fn storm(from: u64, past_seconds: u64) -> Scheduled {
    let act = Act::Storm {
        sources: past_seconds * 100,
        port: 80,
    };
    Scheduled {
        name: "storm".to_owned(),
        group: "soak",
        act,
        from,
        until: from + past_seconds / 10,
    }
}

/// What happens while everybody is there, in shares of that time.
fn script(from: u64, seconds: u64) -> Vec<Scheduled> {
    let during = |name: String, act: Act, (begin, lasts): (f64, f64)| {
        let at = |share: f64| from + (seconds as f64 * share) as u64;
        Scheduled {
            name,
            group: "soak",
            act,
            from: at(begin),
            until: at((begin + lasts).min(1.0)),
        }
    };
    let mut script = Vec::new();
    for (number, land) in OUTBREAKS.into_iter().enumerate() {
        let outbreak = Act::Infection {
            land,
            hosts: OUTBREAK_HOSTS,
            port: 23,
            per_day: OUTBREAK_PACKETS,
        };
        let begin = number as f64 / OUTBREAKS.len() as f64;
        script.push(during(
            format!("outbreak in {land}"),
            outbreak,
            (begin, 0.3),
        ));
    }
    let surges = [
        (surge(37_215, 6.0, Whence::World, Tool::Mirai), 0.3),
        (surge(8_443, 3.0, Whence::World, Tool::Linux), 0.5),
        (surge(23_023, 60.0, Whence::Land(12), Tool::Zmap), 0.7),
    ];
    for (number, (act, begin)) in surges.into_iter().enumerate() {
        script.push(during(format!("surge {number}"), act, (begin, 0.1)));
    }
    let flood = |land| Act::Backscatter {
        victim: address(land, Nature::Bystander, 0x50_0050),
        port: 443,
        rate: 1e-4,
    };
    let carpet = Act::Carpet {
        network: network(3) + 0x4200,
        rate: 5e-4,
    };
    script.push(during("flood of one".to_owned(), flood(0), (0.2, 0.2)));
    script.push(during("flood of another".to_owned(), flood(7), (0.6, 0.2)));
    script.push(during("carpet".to_owned(), carpet, (0.4, 0.2)));
    script
}

/// So many times as many sources as usual ask for a TCP port.
fn surge(port: u16, size: f64, whence: Whence, tool: Tool) -> Act {
    Act::Scan(Scan {
        asked: Asked::tcp(port),
        size,
        ramp: Ramp::Step,
        whence,
        tool,
        packets: 2.0,
    })
}
