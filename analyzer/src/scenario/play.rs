//! The windows of a scenario, one after another.
//!
//! Each window follows from the seed and its time alone. Memory does not grow with the
//! length; a pause in which nobody watches costs nothing.

use noroshi_proto::sample::TargetBits;
use noroshi_proto::time::{Interval, IntervalLength};
use noroshi_store::window::{Watch, Window};

use super::act::{Act, FLOOR, Scan, Scheduled, Whence};
use super::draw::{Choice, poisson};
use super::event::{Event, Eye, sightings};
use super::population::Population;
use super::ports::Asked;
use super::region::{Atlas, Edition, LANDS, Nature, address};
use super::rhythm::load;
use super::truth::{Truth, truths};
use super::{BIN_SECONDS, Scenario};
use crate::detectors::distinct::mix;
use crate::generate::packet::Tool;
use crate::generate::random::Random;

/// How many more hosts take part in a campaign than are seen in ten minutes.
const HIDDEN: f64 = 20.0;

/// The land of coordinated scans, by index.
const WHERE_TOGETHER: usize = 15;
/// Seconds of a window.
const LENGTH: f64 = 10.0;

/// One window while it is made.
struct Scene<'a> {
    random: &'a mut Random,
    events: &'a mut Vec<Event>,
    sensors: &'a Choice,
}

/// A scenario while it is played.
#[derive(Clone, Debug)]
pub struct Play {
    seed: u64,
    second: u64,
    until: u64,
    script: Vec<Scheduled>,
    watches: Vec<Watch>,
    /// Packets of background per second, over all sensors.
    rate: f64,
    population: Population,
    atlas: Atlas,
    sensors: Choice,
    lands: Choice,
    /// Of each scan of the script, sources in ten minutes at its height.
    heights: Vec<f64>,
    events: Vec<Event>,
}

impl Play {
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Self {
        let population = Population::new(seed, scenario.sources, scenario.burst);
        let rate = scenario.rate * scenario.addresses() as f64;
        let weights: Vec<f64> = scenario
            .sensors
            .iter()
            .map(|place| f64::from(place.addresses))
            .collect();
        let lands: Vec<f64> = LANDS.iter().map(|land| f64::from(land.weight)).collect();
        let heights = scenario.script.iter().map(|one| match &one.act {
            Act::Scan(scan) => scan.size * population.usual(scan.asked, rate).max(FLOOR),
            _ => 0.0,
        });
        Self {
            seed,
            second: scenario.from,
            until: scenario.until,
            heights: heights.collect(),
            script: scenario.script.clone(),
            watches: scenario
                .sensors
                .iter()
                .map(|place| Watch {
                    sensor: place.sensor.clone(),
                    addresses: place.addresses.into(),
                    target_bits: TargetBits::Sixteen,
                })
                .collect(),
            rate,
            population,
            atlas: Atlas::new(),
            sensors: Choice::new(&weights),
            lands: Choice::new(&lands),
            events: Vec::new(),
        }
    }

    /// What must come of it.
    pub fn truths(&self) -> Vec<Truth> {
        truths(&self.script, &self.population, self.rate)
    }

    /// The second at which the next window begins.
    pub fn second(&self) -> u64 {
        self.second
    }

    /// Where a pause in which nobody watches ends, if there is one now.
    fn gap(&self) -> Option<u64> {
        let gaps = self.script.iter().filter(|one| one.act == Act::Gap);
        let mut now = gaps.filter(|one| (one.from..one.until).contains(&self.second));
        now.next().map(|one| one.until)
    }

    fn window(&mut self) -> Window {
        let second = self.second;
        let mut random = Random::new(self.seed ^ mix(second / LENGTH as u64));
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let mut scene = Scene {
            random: &mut random,
            events: &mut events,
            sensors: &self.sensors,
        };
        self.background(&mut scene);
        for (index, one) in self.script.iter().enumerate() {
            if (one.from..one.until).contains(&second) {
                self.act(index, &mut scene);
            }
        }
        let (eyes, watches) = self.disturb(&mut events);
        let reloaded = self
            .script
            .iter()
            .any(|one| one.act == Act::GeoReload && one.from <= second);
        let edition = if reloaded {
            Edition::Second
        } else {
            Edition::First
        };
        let flows = sightings(&mut events, &eyes, second, &mut random, |source| {
            self.atlas.origin(source, edition)
        });
        self.events = events;
        Window {
            interval: Interval(second),
            length: IntervalLength::DEFAULT,
            watches,
            flows,
        }
    }

    fn background(&self, scene: &mut Scene<'_>) {
        let packets = self.rate * LENGTH * load(self.seed, self.second);
        let (loud, quiet) = self.population.drawn(packets);
        for _ in 0..poisson(scene.random, loud) {
            if let Some(packet) = self.population.loud(scene.random, self.second) {
                scene.one(packet.source, packet.asked, packet.tool);
            }
        }
        for _ in 0..poisson(scene.random, quiet) {
            let (packet, packets) = self.population.quiet(scene.random, self.second);
            for _ in 0..packets {
                scene.one(packet.source, packet.asked, packet.tool);
            }
        }
    }

    /// What sources do by script.
    fn act(&self, index: usize, scene: &mut Scene<'_>) {
        let one = &self.script[index];
        let salt = mix(self.seed ^ mix(index as u64 + 1));
        match &one.act {
            Act::Scan(scan) => {
                let share = scan.ramp.share(self.second - one.from);
                self.scan(scan, (self.heights[index] * share, salt), scene);
            }
            Act::LowAndSlow {
                ports,
                sources,
                per_hour,
            } => {
                let pause = ((3_600.0 / per_hour) as u64).div_ceil(10) * 10;
                if (self.second - one.from).is_multiple_of(pause) {
                    together(ports, (*sources, salt), scene);
                }
            }
            Act::Infection {
                land,
                hosts,
                port,
                per_day,
            } => {
                let mean = f64::from(*hosts) * per_day * LENGTH / 86_400.0;
                for _ in 0..poisson(scene.random, mean) {
                    let number = mix(salt ^ scene.random.below((*hosts).into()));
                    let source = address(*land, Nature::Infected, number);
                    scene.one(source, Asked::tcp(*port), Tool::Mirai);
                }
            }
            _ => self.attack(one, scene),
        }
    }

    /// What is loud, or nobody's own.
    fn attack(&self, one: &Scheduled, scene: &mut Scene<'_>) {
        let addresses: u64 = self.watches.iter().map(|watch| watch.addresses).sum();
        let addresses = addresses as f64;
        match &one.act {
            Act::Backscatter { victim, port, rate } => {
                self.loudly((*victim, Asked::answer(*port)), *rate, scene);
            }
            Act::Carpet { network, rate } => {
                for _ in 0..poisson(scene.random, rate * addresses * LENGTH) {
                    let victim = network + scene.random.below(256) as u32;
                    scene.one(victim, Asked::answer(443), Tool::Linux);
                }
            }
            Act::Recon { source, port, rate } => {
                self.loudly((*source, Asked::udp(*port)), *rate, scene);
            }
            Act::Storm { sources, port } => {
                let mean = *sources as f64 * LENGTH / (one.until - one.from) as f64;
                for _ in 0..poisson(scene.random, mean) {
                    let source = scene.random.bits() as u32;
                    scene.one(source, Asked::answer(*port), Tool::Linux);
                }
            }
            Act::Burst { source, port, rate } => {
                self.loudly((*source, Asked::tcp(*port)), rate / addresses, scene);
            }
            _ => {}
        }
    }

    /// Sources of a campaign, so many within ten minutes.
    fn scan(&self, scan: &Scan, (sources, salt): (f64, u64), scene: &mut Scene<'_>) {
        let visits = poisson(scene.random, sources * LENGTH / BIN_SECONDS as f64);
        let pool = ((sources * HIDDEN) as u64).max(1);
        for _ in 0..visits {
            let own = mix(salt ^ scene.random.below(pool));
            let land = match scan.whence {
                Whence::World => self.lands.draw(&mut Random::new(own)),
                Whence::Land(land) => land,
            };
            let source = address(land, scan.nature(), own);
            for _ in 0..=poisson(scene.random, scan.packets - 1.0) {
                scene.one(source, scan.asked, scan.tool);
            }
        }
    }

    /// One address, at every sensor, at a rate per second and telescope address.
    fn loudly(&self, (source, asked): (u32, Asked), rate: f64, scene: &mut Scene<'_>) {
        for (sensor, watch) in self.watches.iter().enumerate() {
            let packets = poisson(scene.random, rate * watch.addresses as f64 * LENGTH);
            if packets > 0 {
                let sent = (u32::try_from(packets).unwrap_or(u32::MAX), Tool::Linux);
                scene.events.push(Event::new(source, asked, sensor, sent));
            }
        }
    }

    /// What sensors do not see, or see twice; and who watches.
    fn disturb(&self, events: &mut Vec<Event>) -> (Vec<Eye>, Vec<Watch>) {
        let second = self.second;
        let mut blind = vec![false; self.watches.len()];
        for one in &self.script {
            let now = (one.from..one.until).contains(&second);
            match one.act {
                Act::SensorOutage { sensor } => blind[sensor] |= now,
                Act::ClockSkew { sensor, ahead } => {
                    blind[sensor] |= (one.from..one.from + ahead).contains(&second);
                    if (one.until..one.until + ahead).contains(&second) {
                        events.iter_mut().for_each(|event| event.double(sensor));
                    }
                }
                Act::CountryOutage { country } if now => events.retain(|event| {
                    let land = LANDS.get(usize::from(self.atlas.land(event.source())));
                    land.is_none_or(|land| land.country != Some(country))
                }),
                _ => {}
            }
        }
        let mut watches = Vec::with_capacity(self.watches.len());
        let eyes = self.watches.iter().zip(blind).map(|(watch, blind)| {
            let sees = !blind;
            if sees {
                watches.push(watch.clone());
            }
            Eye {
                watch: sees.then(|| watches.len() - 1),
                addresses: watch.addresses as u32,
            }
        });
        (eyes.collect(), watches)
    }
}

/// All sources of a coordinated scan send one packet each.
fn together(ports: &[u16], (sources, salt): (u32, u64), scene: &mut Scene<'_>) {
    for number in 0..u64::from(sources) {
        // neighbours: in one network, each in a /24 of its own or nearly so
        let own = (salt & (0xffff << 40)) | (mix(salt ^ number) & 0xffff);
        let source = address(WHERE_TOGETHER, Nature::Scanner, own);
        let port = ports[scene.random.below(ports.len() as u64) as usize];
        scene.one(source, Asked::tcp(port), Tool::Linux);
    }
}

impl Scene<'_> {
    /// One packet, at whichever sensor.
    fn one(&mut self, source: u32, asked: Asked, tool: Tool) {
        let sensor = self.sensors.draw(self.random);
        self.events
            .push(Event::new(source, asked, sensor, (1, tool)));
    }
}

impl Iterator for Play {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        if let Some(end) = self.gap() {
            self.second = end;
        }
        if self.second >= self.until {
            return None;
        }
        let window = self.window();
        self.second += u64::from(window.length.seconds());
        Some(window)
    }
}
