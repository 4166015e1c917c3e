//! What one victim answers, and whether it is an attack.

use std::cmp::Reverse;
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use noroshi_proto::flow::FlowTuple;
use noroshi_proto::sample::SAMPLE_BACKSCATTER_MAX;
use noroshi_proto::time::Millis;
use noroshi_proto::traffic::{Service, Traffic, Transport};
use noroshi_store::alert::Kind;
use noroshi_store::origin::Origin;
use noroshi_store::window::{Sighting, Watch};
use smallvec::SmallVec;

use crate::detectors::sources::Sensors;
use crate::detectors::statistics::{poisson_interval, poisson_tail, span_stretch, uniformity};
use crate::detectors::views::Views;
use crate::finding::protocols::Protocols;
use crate::finding::{
    About, Duration, Estimates, Finding, Reason, SERVICES_MAX, Support, VICTIMS_MAX,
};
use crate::settings::DdosVictim;

/// Attacked services kept per victim; further ones add packets only.
const ATTACKED_MAX: usize = 64;
/// Width of the buckets of which six make the busiest minute, in milliseconds.
const BUCKET_MILLIS: u64 = 10_000;
/// A telescope from this size on is large: the published packet floors hold.
const LARGE_TELESCOPE: u64 = 1 << 20;
/// The telescope of the published thresholds: a /8.
const REFERENCE_TELESCOPE: f64 = (1 << 24) as f64;
/// Time constant of what a victim is known to send, in milliseconds: a day.
const MEMORY_MILLIS: f64 = 86_400_000.0;
/// Distinct targets without which random spoofing cannot be told from one misdirected host.
const TARGETS_MIN: u64 = 3;

/// One victim's answers, from the first to a silence.
#[derive(Clone, Debug, Default)]
pub(super) struct Attack {
    pub(super) origin: Arc<Origin>,
    first: Millis,
    last: Millis,
    packets: u64,
    fresh: u64,
    views: Views,
    /// The first stands here itself: most victims have no other.
    services: SmallVec<[Attacked; 1]>,
    vectors: Protocols,
    /// Packets of each part of a prefix, by its first address, ascending.
    parts: SmallVec<[(IpAddr, u64); 1]>,
    /// Packets of the last six buckets, and the number of the newest.
    buckets: [u64; 6],
    bucket: u64,
    busiest_minute: u64,
    intervals: u32,
    fired: bool,
    /// Packets of earlier activity that was no attack, fading within a day.
    usual: f64,
}

#[derive(Clone, Debug)]
struct Attacked {
    service: Service,
    packets: u64,
    fresh: u64,
}

/// Why it is an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// A minute and more.
    Lasting,
    /// Shorter, but far beyond chance.
    Overwhelming,
}

impl Attack {
    pub(super) fn add(
        &mut self,
        answer: &Sighting,
        watch: &Watch,
        sensor: u16,
        settings: &DdosVictim,
    ) {
        let tally = &answer.flow.tally;
        self.origin = Arc::clone(&answer.origin);
        let over = tally.first.0 > self.last.0 + settings.silence_seconds * 1000;
        if over || self.packets == 0 {
            self.begin(tally.first);
        }
        self.first = self.first.min(tally.first);
        self.last = self.last.max(tally.last);
        self.packets += tally.packets;
        self.fresh += tally.packets;
        self.count_minute(tally.first.0 / BUCKET_MILLIS, tally.packets);
        self.views.add(tally, watch, sensor, SAMPLE_BACKSCATTER_MAX);
        self.count_service(answer);
    }

    fn count_service(&mut self, answer: &Sighting) {
        let packets = answer.flow.tally.packets;
        let service = attacked(&answer.flow.tuple);
        self.vectors.insert(service.protocol);
        let known = self.services.iter().position(|one| one.service == service);
        match known {
            Some(index) => {
                let one = &mut self.services[index];
                one.packets += packets;
                one.fresh += packets;
            }
            None if self.services.len() < ATTACKED_MAX => self.services.push(Attacked {
                service,
                packets,
                fresh: packets,
            }),
            None => {}
        }
    }

    /// Starts anew; what was no attack becomes part of what is usual.
    fn begin(&mut self, first: Millis) {
        let past = if self.fired { 0.0 } else { self.packets as f64 };
        let elapsed = first.0.saturating_sub(self.last.0) as f64;
        let usual = (self.usual + past) * (-elapsed / MEMORY_MILLIS).exp();
        *self = Self {
            origin: Arc::clone(&self.origin),
            first,
            last: first,
            usual,
            ..Self::default()
        };
    }

    /// Slides the minute: six buckets, of which those passed over are empty.
    fn count_minute(&mut self, bucket: u64, packets: u64) {
        if bucket > self.bucket {
            self.intervals += 1;
            let passed = (bucket - self.bucket).min(6);
            for empty in 1..=passed {
                self.buckets[((bucket - passed + empty) % 6) as usize] = 0;
            }
            self.bucket = bucket;
        }
        self.buckets[(bucket % 6) as usize] += packets;
        self.busiest_minute = self.busiest_minute.max(self.buckets.iter().sum());
    }

    /// Counts the answers of one part of the prefix, an address or a network.
    pub(super) fn add_part(&mut self, part: IpAddr, answers: &[&Sighting]) {
        let packets: u64 = answers.iter().map(|answer| answer.flow.tally.packets).sum();
        match self.parts.binary_search_by_key(&part, |(one, _)| *one) {
            Ok(at) => self.parts[at].1 += packets,
            Err(at) if self.parts.len() < VICTIMS_MAX => {
                self.parts.insert(at, (part, packets));
            }
            Err(_) => {}
        }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.parts.iter().map(|(part, _)| *part)
    }

    /// Whether so many parts are hit, and none of them above all.
    pub(super) fn is_spread(&self, parts_min: usize) -> bool {
        let packets = self.parts.iter().map(|(_, packets)| *packets);
        let most = packets.max().unwrap_or(0);
        self.parts.len() >= parts_min && most * 2 <= self.packets
    }

    fn lasted(&self) -> f64 {
        (self.last.0 - self.first.0.min(self.last.0)) as f64 / 1000.0
    }

    /// Forged requests that were answered: how many random draws hit so many distinct
    /// addresses. A retransmitted answer hits none anew.
    fn requests(&self) -> u64 {
        let (targets, addresses) = (self.views.targets(), self.views.addresses());
        if addresses == 0 || targets >= addresses {
            return self.packets.max(targets);
        }
        let share = targets as f64 / addresses as f64;
        let drawn = -(addresses as f64) * (-share).ln_1p();
        (drawn.round() as u64).clamp(targets.min(self.packets), self.packets)
    }

    /// Whether it is an attack by now, and why.
    pub(super) fn strength(&mut self, settings: &DdosVictim) -> Option<Strength> {
        let (targets, addresses) = (self.views.targets(), self.views.addresses());
        if targets < TARGETS_MIN {
            return None; // most are: forged answers, of which none comes twice
        }
        let requests = self.requests();
        let spread = settings.targets_min.min(requests.div_ceil(2));
        if targets < spread.min(addresses.max(TARGETS_MIN)).max(TARGETS_MIN) {
            return None;
        }
        let minutes = self.lasted().max(1.0) / 60.0;
        let usual = self.usual_per_minute().max(settings.usual_per_minute);
        if poisson_tail(requests, usual * minutes) >= settings.chance {
            return None;
        }
        let least = if addresses >= LARGE_TELESCOPE {
            settings.packets_min
        } else {
            settings.significant_min
        };
        let per_minute = settings.packets_per_minute * addresses as f64 / REFERENCE_TELESCOPE;
        let lasting = self.lasted() >= settings.seconds_min as f64
            && requests >= least
            && self.busiest_minute as f64 >= per_minute.min(settings.packets_per_minute);
        let overwhelming = self.intervals >= 2
            && requests >= settings.overwhelming
            && targets >= settings.overwhelming.min(addresses.max(TARGETS_MIN));
        let strength = match (lasting, overwhelming) {
            (true, _) => Strength::Lasting,
            (false, true) => Strength::Overwhelming,
            (false, false) => return None,
        };
        self.fired = true;
        Some(strength)
    }

    fn usual_per_minute(&self) -> f64 {
        self.usual / (MEMORY_MILLIS / 60_000.0)
    }

    /// Estimated answers per second of the victim in its busiest minute.
    fn rate(&self) -> Option<f64> {
        let share = self.views.addresses() as f64 / 2.0_f64.powi(32);
        let seconds = self.lasted().clamp(1.0, 60.0);
        let answered = self.requests() as f64 / self.packets.max(1) as f64;
        let minute = self.busiest_minute as f64 * answered;
        (share > 0.0).then(|| (minute / seconds / share).round())
    }

    /// How long it has lasted, if its answers reach us at random moments of that time.
    fn duration(&self) -> Option<Duration> {
        let (expected, most) = span_stretch(self.requests())?;
        let low = self.lasted();
        Some(Duration {
            seconds: low * expected,
            low,
            high: low * most,
        })
    }

    /// Between which bounds the rate lies, by requests and not by retransmitted answers, and
    /// how well the sensors agree that targets are drawn at random.
    fn estimates(&self) -> Estimates {
        let answered = self.requests() as f64 / self.packets.max(1) as f64;
        let minute = (self.busiest_minute as f64 * answered).round().max(1.0);
        let (low, high) = poisson_interval(minute as u64);
        let views = self.views.iter();
        let hits: Vec<(f64, f64)> = views
            .map(|view| (view.targets() as f64, view.addresses as f64))
            .collect();
        Estimates {
            rate_between: self
                .rate()
                .map(|rate| (rate * low / minute, rate * high / minute)),
            uniformity: uniformity(&hits),
            duration: self.duration(),
            vectors: self.vectors,
            ..Estimates::default()
        }
    }

    pub(super) fn finding(&mut self, about: About, sensors: &Sensors) -> Finding {
        let mut services: Vec<(Service, u64)> = Vec::new();
        for one in &mut self.services {
            let fresh = mem::take(&mut one.fresh);
            if fresh > 0 {
                services.push((one.service, fresh));
            }
        }
        services.sort_unstable_by_key(|(service, packets)| (Reverse(*packets), *service));
        services.truncate(SERVICES_MAX);
        let lasting = self.lasted() >= 60.0 && self.requests() >= 100;
        Finding {
            kind: Kind::DdosVictim,
            about,
            first: self.first,
            last: self.last,
            at: 0,
            packets: mem::take(&mut self.fresh),
            targets: self.views.targets(),
            sources: None,
            sensors: sensors.names(self.views.sensors()),
            services,
            source_port: None,
            fingerprint: None,
            usual: Some((self.usual_per_minute() * 100.0).round() / 100.0),
            rate: self.rate(),
            estimates: self.estimates(),
            support: if lasting {
                Support::Steady
            } else {
                Support::Plain
            },
            reason: Reason::Backscatter,
            late: false,
            victims: Vec::new(),
        }
    }
}

/// What was asked of the victim: an answer names the service itself, except for ICMP, where
/// a reply tells the request.
fn attacked(tuple: &FlowTuple) -> Service {
    let service = tuple.transport.service();
    if tuple.traffic != Traffic::BackscatterIcmp {
        return service;
    }
    let port = match tuple.transport {
        Transport::Icmp { kind: 0, .. } => 8,
        Transport::Icmp {
            kind: kind @ (14 | 16 | 18),
            ..
        } => u16::from(kind) - 1,
        Transport::Icmp6 { kind: 129, .. } => 128,
        _ => service.port,
    };
    Service { port, ..service }
}
