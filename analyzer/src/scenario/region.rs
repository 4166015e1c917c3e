//! Countries, networks, partners, and the registry of them.
//!
//! Every source lives in a network of 65,536 addresses (/16). What it is stands in the last
//! two bits of its address, so that the truth about any address is known without a list.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use noroshi_store::origin::{Country, Origin, PartnerId};

use super::Place;

/// A part of the world that sources live in.
#[derive(Clone, Copy, Debug)]
pub struct Land {
    /// The country the geo database names; none where it knows nothing.
    pub country: Option<&'static str>,
    /// The first two octets of its first network.
    first: u16,
    /// How many networks it has.
    networks: u16,
    /// How many of a thousand sources of background live there.
    pub weight: u16,
    /// Whether a partner registered it.
    pub tie: Tie,
}

/// What a partner has to do with a land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// It registered the networks as prefixes.
    Prefix,
    /// They are in its country, by the geo database only.
    Country,
    /// Nothing.
    Nobody,
    /// An organisation that publishes its scanners has them.
    Research,
}

/// Six partners, and the countries they are in.
pub const PARTNERS: [&str; 6] = ["TH", "MY", "ID", "PH", "VN", "SG"];

/// Every land. Those of partners come first, registered prefixes before the rest of the
/// country, in the order of [`PARTNERS`].
pub const LANDS: [Land; 23] = [
    land(Some("TH"), 0x6440, 4, 8, Tie::Prefix),
    land(Some("MY"), 0x6444, 4, 6, Tie::Prefix),
    land(Some("ID"), 0x6448, 4, 10, Tie::Prefix),
    land(Some("PH"), 0x644c, 4, 6, Tie::Prefix),
    land(Some("VN"), 0x6450, 4, 12, Tie::Prefix),
    land(Some("SG"), 0x6454, 4, 3, Tie::Prefix),
    land(Some("TH"), 0x2900, 16, 20, Tie::Country),
    land(Some("MY"), 0x2910, 16, 12, Tie::Country),
    land(Some("ID"), 0x2920, 16, 40, Tie::Country),
    land(Some("PH"), 0x2930, 16, 16, Tie::Country),
    land(Some("VN"), 0x2940, 16, 50, Tie::Country),
    land(Some("SG"), 0x2950, 16, 7, Tie::Country),
    land(Some("CN"), 0x7000, 128, 270, Tie::Nobody),
    land(Some("US"), 0x4000, 128, 120, Tie::Nobody),
    land(Some("BR"), 0xb100, 64, 110, Tie::Nobody),
    land(Some("RU"), 0x5500, 64, 70, Tie::Nobody),
    land(Some("IN"), 0x7500, 64, 90, Tie::Nobody),
    land(Some("KR"), 0x7900, 32, 35, Tie::Nobody),
    land(Some("TW"), 0x7a00, 32, 35, Tie::Nobody),
    land(Some("JP"), 0x7b00, 32, 30, Tie::Nobody),
    land(Some("IR"), 0x9700, 16, 20, Tie::Nobody),
    land(None, 0xb800, 32, 30, Tie::Nobody),
    land(Some("US"), 0xa29e, 2, 0, Tie::Research),
];

/// The land of known scanners, by index.
pub const RESEARCH: usize = 22;

const fn land(
    country: Option<&'static str>,
    first: u16,
    networks: u16,
    weight: u16,
    tie: Tie,
) -> Land {
    Land {
        country,
        first,
        networks,
        weight,
        tie,
    }
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Malware runs on it.
    Infected,
    /// It scans.
    Scanner,
    /// It does neither: packets that bear its address are answers, or forged.
    Bystander,
    /// It scans, and is on a published list.
    Research,
}

impl Nature {
    /// What an address of the scenario is.
    pub fn of(address: IpAddr) -> Option<Self> {
        let IpAddr::V4(v4) = address else { return None };
        Some(match v4.to_bits() & 3 {
            0 => Self::Infected,
            1 => Self::Scanner,
            2 => Self::Bystander,
            _ => Self::Research,
        })
    }

    fn bits(self) -> u32 {
        match self {
            Self::Infected => 0,
            Self::Scanner => 1,
            Self::Bystander => 2,
            Self::Research => 3,
        }
    }
}

/// The address of a source of that nature in a land, the same for the same `number`.
pub fn address(land: usize, nature: Nature, number: u64) -> u32 {
    let land = &LANDS[land];
    let network = u32::from(land.first) + (number >> 40) as u32 % u32::from(land.networks);
    (network << 16) | (number as u32 & 0xfffc) | nature.bits()
}

/// The first network of a land, as an address.
pub fn network(land: usize) -> u32 {
    u32::from(LANDS[land].first) << 16
}

/// The land of an address, by index.
pub fn land_of(address: u32) -> Option<usize> {
    let network = (address >> 16) as u16;
    let holds = |land: &Land| (land.first..land.first + land.networks).contains(&network);
    LANDS.iter().position(holds)
}

/// What the centre knows of every network.
#[derive(Clone, Debug)]
pub struct Atlas {
    /// By the first two octets: the network's number, 0 for unknown space.
    numbers: Vec<u16>,
    /// Before and after the geo database was loaded again.
    origins: [Vec<Arc<Origin>>; 2],
    /// The land of each network.
    lands: Vec<u8>,
}

/// Which edition of the geo database is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// The first.
    First,
    /// The one that was loaded meanwhile, in which every twelfth network lies elsewhere.
    Second,
}

impl Atlas {
    /// The whole region.
    pub fn new() -> Self {
        let mut atlas = Self {
            numbers: vec![0; 1 << 16],
            origins: [vec![Arc::default()], vec![Arc::default()]],
            lands: vec![u8::MAX],
        };
        for (index, land) in LANDS.iter().enumerate() {
            for network in land.first..land.first + land.networks {
                atlas.add(network, index);
            }
        }
        for network in 0..=u16::MAX {
            let reason = match network >> 8 {
                0 | 10 | 127 => "private",
                224..=239 => "multicast",
                240..=255 => "reserved",
                _ => continue,
            };
            atlas.add_bogon(network, reason);
        }
        atlas
    }

    /// What is known of the network of `address`.
    pub fn origin(&self, address: u32, edition: Edition) -> &Arc<Origin> {
        let number = self.numbers[(address >> 16) as usize];
        &self.origins[edition as usize][usize::from(number)]
    }

    /// The land of `address`, by index; 255 for unknown space.
    pub fn land(&self, address: u32) -> u8 {
        self.lands[usize::from(self.numbers[(address >> 16) as usize])]
    }

    fn add(&mut self, network: u16, index: usize) {
        let land = &LANDS[index];
        self.numbers[usize::from(network)] = self.lands.len() as u16;
        self.lands.push(index as u8);
        let first = Origin {
            country: land.country.and_then(Country::new),
            asn: 64_512 + index as u32,
            partner: match land.tie {
                Tie::Prefix => PartnerId::new(&partner(index)),
                _ => None,
            },
            scanner: match land.tie {
                Tie::Research => Some("a research project".into()),
                _ => None,
            },
            bogon: None,
        };
        let moves = land.tie == Tie::Nobody && network % 12 == 5;
        let second = Origin {
            country: if moves {
                Country::new("NL")
            } else {
                first.country
            },
            ..first.clone()
        };
        self.origins[0].push(Arc::new(first));
        self.origins[1].push(Arc::new(second));
    }

    fn add_bogon(&mut self, network: u16, reason: &'static str) {
        self.numbers[usize::from(network)] = self.lands.len() as u16;
        self.lands.push(u8::MAX);
        for origins in &mut self.origins {
            origins.push(Arc::new(Origin {
                bogon: Some(reason),
                ..Origin::default()
            }));
        }
    }
}

impl Default for Atlas {
    fn default() -> Self {
        Self::new()
    }
}

/// The id of the partner of a land (its index, or that of the partner's country).
pub fn partner(land: usize) -> String {
    format!("{}-cert", PARTNERS[land % PARTNERS.len()].to_lowercase())
}

/// The partner that holds `address`, by prefix or by country.
pub fn partner_of(address: u32) -> Option<String> {
    let index = land_of(address)?;
    let tie = LANDS[index].tie;
    matches!(tie, Tie::Prefix | Tie::Country).then(|| partner(index))
}

/// The registry of this region, as its file: partners, their prefixes, and the sensors, each
/// on a telescope large enough for it. Every other partner lets its country count as its.
pub fn registry(sensors: &[Place]) -> String {
    let mut text = String::new();
    for (index, country) in PARTNERS.iter().enumerate() {
        let id = partner(index);
        let consent = if index % 2 == 0 {
            "country_consent = { by = \"director\", on = 2013-02-01 }\n"
        } else {
            ""
        };
        let network = Ipv4Addr::from_bits(network(index));
        // writing to a string cannot fail
        let _ = write!(
            text,
            "[[partner]]\nid = \"{id}\"\nname = \"{country}\"\ncountry = \"{country}\"\n\
             tlp = \"AMBER\"\nprogrammes = [\"practice\", \"daedalus\"]\n\
             contacts = [\"soc@example.org\"]\n{consent}\
             [[partner.prefix]]\nprefix = \"{network}/14\"\nuse = \"static\"\n\
             claim = \"verified\"\nconsent = {{ by = \"director\", on = 2013-02-01 }}\n\n"
        );
    }
    for (index, place) in sensors.iter().enumerate() {
        let id = partner(index);
        let (sensor, prefix) = (&place.sensor, telescope(sensors, index));
        let _ = write!(
            text,
            "[[sensor]]\nid = \"{sensor}\"\npartner = \"{id}\"\n\
             telescope = [{{ prefix = \"{prefix}\", from = 2000-01-01 }}]\n\n"
        );
    }
    text
}

/// The prefix that a sensor of the scenario watches: its addresses are the first of it.
pub fn telescope(sensors: &[Place], index: usize) -> ipnet::Ipv4Net {
    let bits = 32
        - sensors[index]
            .addresses
            .max(1)
            .next_power_of_two()
            .trailing_zeros() as u8;
    // one /16 each, in space of the benchmarks and beyond
    let base = 0xc612_0000_u32 + ((index as u32) << 16);
    ipnet::Ipv4Net::new_assert(Ipv4Addr::from_bits(base), bits)
}
