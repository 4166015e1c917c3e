//! Four weeks of made-up counts: campaigns of every ramp are found, and noise is not.
//!
//! Counts per ten minutes are over-dispersed (variance 1.6 times the mean, as nicter's host
//! series) around a level with the rhythm of a day; services follow Zipf's law.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use noroshi_analyzer::detectors::Detector;
use noroshi_analyzer::detectors::scan_surge::ScanSurges;
use noroshi_analyzer::finding::{Finding, Reason};
use noroshi_analyzer::generate::random::Random;
use noroshi_analyzer::settings::ScanSurge;
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::SensorId;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::origin::{Country, Origin};
use noroshi_store::window::{Sighting, Watch, Window};

const FROM: u64 = 1_793_577_600;
const BINS: u64 = 28 * 144;
const SERVICES: u16 = 40;
const COUNTRIES: [&str; 8] = ["CN", "US", "ID", "TH", "MY", "PH", "SG", "LA"];

/// More sources ask for a port: from a bin on, rising over some bins, for some bins.
#[derive(Clone, Copy, Debug)]
struct Campaign {
    port: u16,
    from: u64,
    rise: u64,
    lasts: u64,
    sources: f64,
}

impl Campaign {
    /// Its sources in a bin.
    fn at(&self, bin: u64) -> f64 {
        let Some(since) = bin
            .checked_sub(self.from)
            .filter(|since| *since < self.lasts)
        else {
            return 0.0;
        };
        self.sources * ((since + 1) as f64 / self.rise as f64).min(1.0)
    }
}

/// Every ninth of a day another campaign, after a first week: steps and ramps of up to six
/// hours, on busy services and on new ones.
fn campaigns() -> Vec<Campaign> {
    let rises = [1, 3, 6, 12, 36];
    let each = (0..35_u64).map(|number| {
        let port = if number % 3 == 0 {
            9_000 + number as u16
        } else {
            number as u16 % SERVICES
        };
        Campaign {
            port,
            from: 8 * 144 + number * 82,
            rise: rises[number as usize % rises.len()],
            lasts: 48,
            // as many again as usual, and at least 30
            sources: level(port).max(30.0),
        }
    });
    each.collect()
}

/// The usual sources of a service within ten minutes.
fn level(port: u16) -> f64 {
    if port >= SERVICES {
        0.0
    } else {
        300.0 / f64::from(port + 1).powf(0.8)
    }
}

/// A count around a mean, with a variance 1.6 times as large (gamma, then Poisson).
fn count(mean: f64, random: &mut Random) -> u32 {
    if mean <= 0.0 {
        return 0;
    }
    let spread = (mean * 0.6).sqrt();
    let normal = |random: &mut Random| {
        (0..12).map(|_| random.unit()).sum::<f64>() - 6.0 // of variance 1
    };
    let rate = (mean + spread * normal(random)).max(0.0);
    if rate < 30.0 {
        let (mut product, mut drawn) = (random.unit(), 0);
        while product > (-rate).exp() {
            product *= random.unit();
            drawn += 1;
        }
        drawn
    } else {
        (rate + rate.sqrt() * normal(random)).round().max(0.0) as u32
    }
}

fn window(
    bin: u64,
    campaigns: &[Campaign],
    origins: &[Arc<Origin>],
    random: &mut Random,
) -> Window {
    let start = FROM + bin * 600;
    let mut window = Window {
        watches: vec![Watch {
            sensor: SensorId::new("north").expect("an id"),
            addresses: 16_384,
            target_bits: TargetBits::Sixteen,
        }],
        ..Window::empty(Interval(start), IntervalLength::DEFAULT)
    };
    let hour = (bin % 144) as f64 / 144.0 * std::f64::consts::TAU;
    let mut means: BTreeMap<u16, f64> = BTreeMap::new();
    for port in 0..SERVICES {
        means.insert(port, level(port) * (1.0 + 0.3 * hour.sin()));
    }
    for campaign in campaigns {
        *means.entry(campaign.port).or_default() += campaign.at(bin);
    }
    for (port, mean) in means {
        let sources = count(mean, random);
        let pool = (level(port) * 20.0) as u32 + 2_000;
        let offset = random.below(pool.into()) as u32;
        for number in 0..sources {
            let source = u32::from(port % 512) * 16_384 + (offset + number * 7) % pool;
            // where a source is has nothing to do with what it asks for
            let country = (source.wrapping_mul(2_654_435_761) >> 16) % 100;
            let country = [30, 50, 65, 75, 85, 92, 97, 100]
                .iter()
                .position(|share| country < *share);
            window.flows.push(Sighting {
                watch: 0,
                flow: flow(source, port, start),
                origin: Arc::clone(&origins[country.unwrap_or(0)]),
                late: false,
            });
        }
    }
    window.flows.sort_by_key(|sighting| sighting.flow.tuple);
    window
}

fn flow(source: u32, port: u16, start: u64) -> Flow {
    let at = Millis(start * 1_000);
    Flow {
        tuple: FlowTuple {
            source: IpAddr::V4((0x0500_0000 + (source << 5) + 9).into()),
            traffic: Traffic::ScanSyn,
            transport: Transport::Tcp { service_port: port },
        },
        tally: Tally {
            packets: 1,
            bytes: 40,
            first: at,
            last: at,
            targets: 1,
            sample: TargetSample::new(vec![source.wrapping_mul(2_654_435_761) >> 18], 16),
            source_port: 40_000,
            ttl_min: 50,
            ttl_max: 50,
            window: 0,
            options: OptionLayout::Unknown,
            marks: Marks::default(),
        },
    }
}

/// What is told: of each case the bin it opens in, and why.
fn cases(campaigns: &[Campaign]) -> Vec<(u16, u64, Reason)> {
    let origins = COUNTRIES.map(|country| {
        Arc::new(Origin {
            country: Country::new(country),
            ..Origin::default()
        })
    });
    let random = &mut Random::new(3);
    let mut detector = ScanSurges::new(&ScanSurge::default());
    let mut open: BTreeMap<(String, Reason), u64> = BTreeMap::new();
    let mut cases = Vec::new();
    for bin in 0..BINS {
        for finding in detector.examine(&window(bin, campaigns, &origins, random)) {
            let at = (finding.at - FROM) / 600 - 1;
            let subject = format!("{:?}", finding.about.subject());
            let last = open.insert((subject, finding.reason), at);
            if last.is_none_or(|last| at > last + 3) {
                cases.push((port(&finding), at, finding.reason));
            }
        }
    }
    cases
}

fn port(finding: &Finding) -> u16 {
    finding.services[0].0.port
}

#[test]
fn campaigns_are_found_and_noise_is_not() {
    let campaigns = campaigns();
    let cases = cases(&campaigns);
    let mut delays = Vec::new();
    let mut false_cases = cases.clone();
    for campaign in &campaigns {
        let during = |(port, at, _): &(u16, u64, Reason)| {
            *port == campaign.port
                && (campaign.from..campaign.from + campaign.lasts + 3).contains(at)
        };
        let first = cases
            .iter()
            .filter(|case| during(case))
            .map(|case| case.1)
            .min();
        let half = campaign.from + (campaign.rise - 1) / 2;
        delays.extend(first.map(|at| at as i64 + 1 - half as i64));
        false_cases.retain(|case| !during(case));
    }
    delays.sort_unstable();
    assert_eq!(delays.len(), campaigns.len(), "all are found");
    let median = delays[delays.len() / 2];
    assert!(median <= 2, "bins after half of the rise: {delays:?}");
    assert!(false_cases.len() <= 1, "{false_cases:?}");
    let surges = cases.iter().filter(|case| case.2 != Reason::NewService);
    assert!(
        surges.count() <= campaigns.len() + 2,
        "each is told once: {cases:?}"
    );
    eprintln!(
        "{} cases, bins after half of the rise: {delays:?}",
        cases.len()
    );
}
