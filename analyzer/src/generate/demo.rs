//! A day with everything in it, and what must come of it.
//!
//! A quiet day first, so that it is known what is usual; then, within the hour, a bot of
//! each kind, scanners, a search for amplifiers and its abuse, a victim, a surge, and two
//! traps that must stay silent.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use noroshi_proto::time::Millis;
use noroshi_store::alert::Kind;

use super::actors::{self, Span};
use super::background::{Background, Population};
use super::packet::{Sent, Tool};
use super::random::Random;

/// How long nothing but background arrives: a day of bins, and a few to spare.
pub const QUIET_MILLIS: u64 = 25 * 3_600_000;
/// How long the events last after it.
pub const EVENTS_MILLIS: u64 = 3_600_000;
/// The service of the surge.
pub const SURGING_PORT: u16 = 5_555;
const MINUTE: u64 = 60_000;

/// Who plays.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Decides every packet.
    pub seed: u64,
    /// When the quiet day begins: the start of a ten-minute bin.
    pub from: Millis,
    /// The telescopes, one per sensor; a /23 each is enough.
    pub telescopes: Vec<Ipv4Net>,
    /// One registered prefix per partner, at least one.
    pub constituencies: Vec<Ipv4Net>,
    /// Packets per second and telescope address that always arrive.
    pub rate: f64,
}

/// What is played.
#[derive(Clone, Debug)]
pub struct Play {
    /// Every packet, in order of time.
    pub packets: Vec<Sent>,
    /// What must be alerted.
    pub expected: Vec<Expected>,
    /// Who must never be the subject of an alert.
    pub silent: Vec<Ipv4Addr>,
}

/// One alert that must come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its kind.
    pub kind: Kind,
    /// Its subject: an address, or a service.
    pub subject: String,
    /// The constituency it concerns, by index; `None` for the region.
    pub constituency: Option<usize>,
    /// The tool it must name.
    pub fingerprint: Option<&'static str>,
}

impl Play {
    /// The packets that hit one telescope.
    pub fn at(&self, telescope: Ipv4Net) -> impl Iterator<Item = &Sent> {
        let hits = move |packet: &&Sent| telescope.contains(&packet.target);
        self.packets.iter().filter(hits)
    }
}

impl Stage {
    /// The play.
    pub fn play(&self) -> Play {
        let mut director = Director {
            stage: self,
            random: Random::new(self.seed),
            play: Play {
                packets: Vec::new(),
                expected: Vec::new(),
                silent: Vec::new(),
            },
        };
        director.background();
        director.bots();
        director.scanners();
        director.reflection();
        director.victim();
        director.surge();
        director.traps();
        director.play.packets.sort_unstable();
        director.play
    }
}

struct Director<'a> {
    stage: &'a Stage,
    random: Random,
    play: Play,
}

impl Director<'_> {
    /// An address of a partner; partners take turns.
    fn host(&self, turn: usize, number: u32) -> (usize, Ipv4Addr) {
        let index = turn % self.stage.constituencies.len();
        let prefix = self.stage.constituencies[index];
        (
            index,
            Ipv4Addr::from_bits(prefix.network().to_bits() + number),
        )
    }

    fn minute(&self, minute: u64) -> Millis {
        Millis(self.stage.from.0 + QUIET_MILLIS + minute * MINUTE)
    }

    fn expect(&mut self, kind: Kind, (index, host): (usize, Ipv4Addr), tool: Option<&'static str>) {
        self.play.expected.push(Expected {
            kind,
            subject: host.to_string(),
            constituency: Some(index),
            fingerprint: tool,
        });
    }

    fn background(&mut self) {
        // addresses that no partner registered, in networks of their own
        let populations = [[31, 13], [45, 80], [89, 248], [185, 220]];
        for (index, telescope) in self.stage.telescopes.iter().enumerate() {
            let background = Background {
                telescope: *telescope,
                rate: self.stage.rate,
                populations: populations
                    .map(|[a, b]| Population {
                        prefix: Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), 16),
                        sources: 400,
                    })
                    .to_vec(),
                zipf: 1.1,
            };
            let until = Millis(self.stage.from.0 + QUIET_MILLIS + EVENTS_MILLIS);
            let seed = self.stage.seed ^ (index as u64 + 1);
            let packets = background.packets(seed, self.stage.from, until);
            self.play.packets.extend(packets);
        }
    }

    fn bots(&mut self) {
        let mirai: [(usize, u32, &[u16]); 2] = [(0, 23, &[23, 23, 2_323]), (1, 77, &[23])];
        for (turn, number, ports) in mirai {
            let host = self.host(turn, number);
            let span = self.span(2 + turn as u64, 8, 120);
            self.scan(host.1, span, Tool::Mirai, ports);
            self.expect(Kind::InfectedHost, host, Some("mirai"));
        }
        let host = self.host(2, 45);
        let span = self.span(5, 6, 200);
        self.scan(host.1, span, Tool::Windows, &[445]);
        self.expect(Kind::InfectedHost, host, None);
    }

    fn scanners(&mut self) {
        let scanners: [(usize, Tool, Option<&'static str>, &[u16]); 4] = [
            (0, Tool::Zmap, Some("zmap"), &[443]),
            (1, Tool::Masscan, Some("masscan"), &[80, 8_080]),
            (2, Tool::Nmap, Some("nmap"), &[21, 22, 25, 80, 110]),
            (3, Tool::Linux, None, &[22]),
        ];
        for (turn, tool, name, ports) in scanners {
            let host = self.host(turn, 100 + turn as u32);
            let span = self.span(8 + 2 * turn as u64, 2, 400);
            self.scan(host.1, span, tool, ports);
            self.expect(Kind::ScanningHost, host, name);
        }
    }

    fn reflection(&mut self) {
        let telescope = self.stage.telescopes[0];
        let seeker = self.host(1, 120);
        let span = self.span(18, 1, 300);
        let packets = actors::amplifier_search(&mut self.random, span, seeker.1, (telescope, 123));
        self.play.packets.extend(packets);
        self.expect(Kind::ReflectionRecon, seeker, None);
        let victim = self.host(3, 121);
        let span = self.span(20, 1, 1_200);
        let packets = actors::reflection(&mut self.random, span, victim.1, (telescope, 53));
        self.play.packets.extend(packets);
        self.expect(Kind::ReflectionVictim, victim, None);
    }

    fn victim(&mut self) {
        let host = self.host(4, 80);
        let span = self.span(23, 3, 900);
        let telescopes = &self.stage.telescopes;
        let packets = actors::victim(&mut self.random, span, host.1, (telescopes, 443));
        self.play.packets.extend(packets);
        self.expect(Kind::DdosVictim, host, None);
    }

    /// Sources in as many networks ask for one service, none of them loudly.
    fn surge(&mut self) {
        for number in 0..90_u32 {
            let source = Ipv4Addr::from_bits(0x5b00_0000 + number * 256 + 9);
            let span = self.span(u64::from(number) % 28, 30, 6);
            self.scan(source, span, Tool::Linux, &[SURGING_PORT]);
        }
        self.play.expected.push(Expected {
            kind: Kind::ScanSurge,
            subject: format!("tcp/{SURGING_PORT}"),
            constituency: None,
            fingerprint: None,
        });
    }

    fn traps(&mut self) {
        let (_, misdirected) = self.host(0, 200);
        let target = self.random.address(self.stage.telescopes[0]);
        let span = self.span(10, 20, 300);
        let packets = actors::misdirected(&mut self.random, span, misdirected, (target, 514));
        self.play.packets.extend(packets);
        self.play.silent.push(misdirected);
    }

    fn span(&self, minute: u64, minutes: u64, packets: u64) -> Span {
        Span {
            from: self.minute(minute),
            lasts: minutes * MINUTE,
            packets,
        }
    }

    fn scan(&mut self, source: Ipv4Addr, span: Span, tool: Tool, ports: &[u16]) {
        let where_to = (self.stage.telescopes.as_slice(), ports);
        let packets = actors::scanner(&mut self.random, span, source, tool, where_to);
        self.play.packets.extend(packets);
    }
}
