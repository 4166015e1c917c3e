//! Who sends the background: few sources send most of it (Zipf), each in its own manner.
//!
//! Loud sources keep their address and come in sessions; most of them are on published
//! lists. Quiet ones keep asking for one service and change their address every few days.

use super::BIN_SECONDS;
use super::draw::Choice;
use super::ports::{Asked, Demand};
use super::region::{LANDS, Nature, RESEARCH, Tie, address};
use crate::detectors::distinct::mix;
use crate::generate::packet::Tool;
use crate::generate::random::Random;

/// Exponent of Zipf's law at which the loudest hundredth of the sources sends 81 % of the
/// packets.
const ZIPF: f64 = 1.17;
/// The loudest share of sources: they keep their address, and come in sessions.
const LOUD: f64 = 0.01;
/// Share of all packets that known scanners send.
const RESEARCH_SHARE: f64 = 0.55;
/// Quiet sources, of a hundred, that Mirai runs on.
const MIRAI: u64 = 33;
/// Quiet sources, of a hundred, that only answer forged packets.
const ANSWERING: u64 = 2;

/// Everybody who sends background.
#[derive(Clone, Debug)]
pub struct Population {
    seed: u64,
    actors: Vec<Actor>,
    /// How much each sends, as a share of all.
    shares: Vec<f64>,
    choice: Choice,
    demand: Demand,
}

/// A source of background, at whatever address it has.
#[derive(Clone, Copy, Debug)]
struct Actor {
    land: u8,
    nature: Nature,
    tool: Tool,
    /// Seconds it keeps an address.
    lease: u32,
    /// Seconds of one session or pause; 0 for one that never pauses.
    session: u32,
    asks: Asks,
}

/// What an actor asks for.
#[derive(Clone, Copy, Debug)]
enum Asks {
    /// One service.
    One(Asked),
    /// Four services.
    Few([Asked; 4]),
    /// Any port.
    Any,
}

/// One packet of the background, before a sensor is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Who sends it.
    pub source: u32,
    /// For what.
    pub asked: Asked,
    /// With what.
    pub tool: Tool,
}

impl Population {
    /// So many sources at one time.
    pub fn new(seed: u64, sources: u32) -> Self {
        let mut random = Random::new(seed ^ 0x706f_7075_6c61_7465);
        let demand = Demand::new();
        let mut shares: Vec<f64> = (1..=sources.max(1))
            .map(|rank| (f64::from(rank) + 1.0).powf(-ZIPF))
            .collect();
        let sum: f64 = shares.iter().sum();
        for share in &mut shares {
            *share /= sum;
        }
        let weights: Vec<f64> = LANDS.iter().map(|land| f64::from(land.weight)).collect();
        let lands = Choice::new(&weights);
        let loud = (shares.len() as f64 * LOUD).ceil() as usize;
        let (mut sent, mut researched) = (0.0, 0.0);
        let mut actors = Vec::with_capacity(shares.len());
        let loud_share: f64 = shares[..loud].iter().sum();
        for (rank, share) in shares.iter().enumerate() {
            let land = lands.draw(&mut random);
            sent += share;
            if rank >= loud {
                actors.push(Actor::quiet(&mut random, land, &demand));
            } else if researched + share <= sent * RESEARCH_SHARE / loud_share + 1e-9
                || (researched == 0.0 && rank > 0)
            {
                researched += share;
                actors.push(Actor::loud(&mut random, RESEARCH, &demand));
            } else {
                actors.push(Actor::loud(&mut random, land, &demand));
            }
        }
        Self {
            seed,
            actors,
            choice: Choice::new(&shares),
            shares,
            demand,
        }
    }

    /// One packet at `second`; `None` where whoever would send it pauses.
    pub fn packet(&self, random: &mut Random, second: u64) -> Option<Packet> {
        let index = self.choice.draw(random);
        let actor = &self.actors[index];
        let own = mix(self.seed ^ ((index as u64) << 32));
        if actor.session > 0 {
            let phase = (second + (own & 0xffff)) / u64::from(actor.session);
            if mix(own ^ phase) & 1 == 0 {
                return None;
            }
        }
        let lease = (second + (own >> 48)) / u64::from(actor.lease);
        Some(Packet {
            source: address(actor.land.into(), actor.nature, mix(own ^ lease << 8)),
            asked: match &actor.asks {
                Asks::One(asked) => *asked,
                Asks::Few(few) => few[random.below(4) as usize],
                Asks::Any => self.demand.any(random),
            },
            tool: actor.tool,
        })
    }

    /// Sources, other than known scanners, that are expected to ask for this within ten
    /// minutes when all send `rate` packets a second.
    pub fn usual(&self, asked: Asked, rate: f64) -> f64 {
        let packets = rate * BIN_SECONDS as f64;
        let actors = self.actors.iter().zip(&self.shares);
        actors
            .filter(|(actor, _)| actor.nature != Nature::Research)
            .map(|(actor, share)| {
                let part = match &actor.asks {
                    Asks::One(one) => f64::from(u8::from(*one == asked)),
                    Asks::Few(few) => few.iter().filter(|one| **one == asked).count() as f64 / 4.0,
                    Asks::Any => 0.0,
                };
                let awake = if actor.session > 0 { 0.5 } else { 1.0 };
                awake * (1.0 - (-share * packets * part / awake).exp())
            })
            .sum()
    }

    /// By how much more must be drawn, because loud sources pause half the time.
    pub fn drawn_per_sent(&self) -> f64 {
        let actors = self.actors.iter().zip(&self.shares);
        let pausing = actors
            .filter(|(actor, _)| actor.session > 0)
            .map(|(_, share)| share)
            .sum::<f64>();
        1.0 / (1.0 - pausing / 2.0)
    }
}

impl Actor {
    fn loud(random: &mut Random, land: usize, demand: &Demand) -> Self {
        let research = LANDS[land].tie == Tie::Research;
        let tool = match random.below(10) {
            0..=2 => Tool::Zmap,
            3..=6 => Tool::Masscan,
            7 => Tool::Nmap,
            _ => Tool::Linux,
        };
        let asks = match random.below(10) {
            0..=4 => Asks::Any,
            5..=7 => Asks::Few([(); 4].map(|()| demand.habit(random))),
            _ => Asks::One(demand.habit(random)),
        };
        Self {
            land: land as u8,
            nature: if research {
                Nature::Research
            } else {
                Nature::Scanner
            },
            tool,
            lease: u32::MAX,
            session: 1_800 + random.below(9_000) as u32,
            asks,
        }
    }

    fn quiet(random: &mut Random, land: usize, demand: &Demand) -> Self {
        let mut actor = Self {
            land: land as u8,
            nature: Nature::Scanner,
            tool: Tool::Linux,
            lease: 86_400 * (1 + random.below(10) as u32),
            session: 0,
            asks: Asks::One(demand.habit(random)),
        };
        let drawn = random.below(100);
        if drawn < MIRAI {
            actor.nature = Nature::Infected;
            actor.tool = Tool::Mirai;
            if random.below(4) > 0 {
                let port = [23, 23, 23, 2_323, 5_555, 80, 8_080, 37_215][random.below(8) as usize];
                actor.asks = Asks::One(Asked::tcp(port));
            } else if let Asks::One(asked) = actor.asks
                && asked != Asked::tcp(asked.0 as u16)
            {
                actor.asks = Asks::One(Asked::tcp(23)); // it speaks TCP only
            }
        } else if drawn < MIRAI + ANSWERING {
            actor.nature = Nature::Bystander;
            let port = [80, 443, 22, 53, 25_565, 3_389][random.below(6) as usize];
            actor.asks = Asks::One(Asked::answer(port));
        } else if matches!(actor.asks, Asks::One(asked) if asked == Asked::tcp(445)) {
            actor.nature = Nature::Infected;
            actor.tool = Tool::Windows;
        }
        actor
    }
}
