//! Who sends the background: few sources send most of it (Zipf), each in its own manner.
//!
//! Loud sources keep their address and come in sessions; most of them are on published
//! lists. Quiet ones keep asking for one service and change their address every few days.

use super::BIN_SECONDS;
use super::draw::{Choice, poisson};
use super::ports::{Asked, Demand};
use super::region::{LANDS, Nature, RESEARCH, Tie, address};
use crate::detectors::distinct::mix;
use crate::generate::packet::Tool;
use crate::generate::random::Random;

/// The loudest share of sources: they keep their address, and come in sessions.
const LOUD: f64 = 0.01;
/// What they send of all packets: Zipf's exponent follows from it.
pub const LOUD_SHARE: f64 = 0.81;
/// Share of all packets that known scanners send.
const RESEARCH_SHARE: f64 = 0.55;
/// Quiet sources, of a hundred, that Mirai runs on.
const MIRAI: u64 = 33;
/// Quiet sources, of a hundred of the quieter half, that only answer forged packets.
const ANSWERING: u64 = 2;

/// Everybody who sends background.
#[derive(Clone, Debug)]
pub struct Population {
    seed: u64,
    /// Packets of a quiet source at one visit, in the mean.
    burst: f64,
    loud: Crowd,
    quiet: Crowd,
    demand: Demand,
}

/// Sources, and how much each sends.
#[derive(Clone, Debug)]
struct Crowd {
    actors: Vec<Actor>,
    /// As a share of all packets.
    shares: Vec<f64>,
    choice: Choice,
}

/// A source of background, at whatever address it has.
#[derive(Clone, Copy, Debug)]
struct Actor {
    land: u8,
    nature: Nature,
    tool: Tool,
    /// Seconds of one session or pause, if it is loud; for how long it keeps an address,
    /// if it is quiet.
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
    /// So many sources at one time, the quiet of which send so many packets at one visit.
    pub fn new(seed: u64, sources: u32, burst: f64) -> Self {
        let mut random = Random::new(seed ^ 0x706f_7075_6c61_7465);
        let demand = Demand::new();
        let shares = zipf(sources.max(200));
        let (loud, quiet) = shares.split_at(loud_of(shares.len()));
        let weights: Vec<f64> = LANDS.iter().map(|land| f64::from(land.weight)).collect();
        let lands = Choice::new(&weights);
        let (mut sent, mut researched) = (0.0, 0.0);
        let loud = Crowd::new(loud, |share| {
            sent += share;
            // the very loudest are on lists, then as many as leave the share right
            let listed =
                researched == 0.0 || researched + share <= sent * RESEARCH_SHARE / LOUD_SHARE;
            let land = lands.draw(&mut random);
            if listed {
                researched += share;
            }
            Actor::loud(&mut random, if listed { RESEARCH } else { land }, &demand)
        });
        let middle = quiet[quiet.len() / 2];
        let quiet = Crowd::new(quiet, |share| {
            let land = lands.draw(&mut random);
            let answering = if share < middle { ANSWERING } else { 0 };
            Actor::quiet(&mut random, land, (&demand, answering))
        });
        Self {
            seed,
            burst: burst.max(1.0),
            loud,
            quiet,
            demand,
        }
    }

    /// One packet of a loud source at `second`; `None` where whoever would send it pauses,
    /// as half of them do at any time.
    pub fn loud(&self, random: &mut Random, second: u64) -> Option<Packet> {
        let index = self.loud.choice.draw(random);
        let actor = &self.loud.actors[index];
        let own = mix(self.seed ^ ((index as u64) << 32));
        let phase = (second + (own & 0xffff)) / u64::from(actor.session);
        if mix(own ^ phase) & 1 == 0 {
            return None;
        }
        Some(Packet {
            source: address(actor.land.into(), actor.nature, own),
            asked: match &actor.asks {
                Asks::One(asked) => *asked,
                Asks::Few(few) => few[random.below(4) as usize],
                Asks::Any => self.demand.any(random),
            },
            tool: actor.tool,
        })
    }

    /// A visit of a quiet source at `second`: what it sends, and how often.
    pub fn quiet(&self, random: &mut Random, second: u64) -> (Packet, u64) {
        let index = self.quiet.choice.draw(random);
        let actor = &self.quiet.actors[index];
        let own = mix(self.seed ^ ((index as u64) << 32) ^ 1);
        let lease = (second + (own >> 44)) / u64::from(actor.session);
        let asked = match &actor.asks {
            Asks::One(asked) => *asked,
            Asks::Few(few) => few[0],
            Asks::Any => self.demand.any(random),
        };
        let packet = Packet {
            source: address(actor.land.into(), actor.nature, mix(own ^ lease << 8)),
            asked,
            tool: actor.tool,
        };
        (packet, 1 + poisson(random, self.burst - 1.0))
    }

    /// Of so many packets of background, those of loud sources to be drawn, since half of
    /// them come to nothing, and the visits of quiet ones.
    pub fn drawn(&self, packets: f64) -> (f64, f64) {
        let (loud, quiet) = (LOUD_SHARE, 1.0 - LOUD_SHARE);
        (packets * loud * 2.0, packets * quiet / self.burst)
    }

    /// Sources, other than known scanners, that are expected to ask for this within ten
    /// minutes when all send `rate` packets a second.
    pub fn usual(&self, asked: Asked, rate: f64) -> f64 {
        let packets = rate * BIN_SECONDS as f64;
        let loud = self.loud.seen(asked, packets * 2.0) / 2.0;
        loud + self.quiet.seen(asked, packets / self.burst)
    }
}

impl Crowd {
    fn new(shares: &[f64], mut actor: impl FnMut(f64) -> Actor) -> Self {
        Self {
            actors: shares.iter().map(|share| actor(*share)).collect(),
            shares: shares.to_vec(),
            choice: Choice::new(shares),
        }
    }

    /// Sources that ask for this, other than known scanners, when all together ask so often.
    fn seen(&self, asked: Asked, often: f64) -> f64 {
        let actors = self.actors.iter().zip(&self.shares);
        actors
            .filter(|(actor, _)| actor.nature != Nature::Research)
            .map(|(actor, share)| {
                let part = match &actor.asks {
                    Asks::One(one) => f64::from(u8::from(*one == asked)),
                    Asks::Few(few) => few.iter().filter(|one| **one == asked).count() as f64 / 4.0,
                    Asks::Any => 0.0,
                };
                -(-share * often * part).exp_m1()
            })
            .sum()
    }
}

/// How many of so many sources are loud.
fn loud_of(sources: usize) -> usize {
    (sources as f64 * LOUD).ceil() as usize
}

/// What each of so many sources sends, as a share of all: by Zipf's law, with the exponent at
/// which the loudest hundredth sends [`LOUD_SHARE`].
fn zipf(sources: u32) -> Vec<f64> {
    let (mut low, mut high) = (0.5, 3.0);
    let mut shares = Vec::new();
    for _ in 0..30 {
        let exponent = f64::midpoint(low, high);
        shares = (1..=sources)
            .map(|rank| (f64::from(rank) + 1.0).powf(-exponent))
            .collect();
        let sum: f64 = shares.iter().sum();
        for share in &mut shares {
            *share /= sum;
        }
        let loud: f64 = shares[..loud_of(shares.len())].iter().sum();
        if loud < LOUD_SHARE {
            low = exponent;
        } else {
            high = exponent;
        }
    }
    shares
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
            session: 1_800 + random.below(9_000) as u32,
            asks,
        }
    }

    fn quiet(random: &mut Random, land: usize, (demand, answering): (&Demand, u64)) -> Self {
        let mut actor = Self {
            land: land as u8,
            nature: Nature::Scanner,
            tool: Tool::Linux,
            session: 86_400 * (1 + random.below(10) as u32),
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
        } else if drawn < MIRAI + answering {
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
