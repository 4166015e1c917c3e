//! A partner: who it is, what is its, and what it agreed to.

use std::fmt;

use ipnet::IpNet;
use noroshi_proto::time::Millis;

use crate::alert::Tlp;
use crate::origin::{Country, PartnerId};

use super::push::Push;

/// An organisation that hosts sensors, receives alerts, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// Its id.
    pub id: PartnerId,
    /// Its name, for people.
    pub name: String,
    /// Where it works.
    pub country: Country,
    /// Registered AS numbers: each belongs to one partner only.
    pub asns: Vec<u32>,
    /// Who may read its alerts.
    pub tlp: Tlp,
    /// How its platform knows TLP labels in STIX.
    pub stix_markings: StixMarkings,
    /// What it takes part in.
    pub memberships: Vec<Membership>,
    /// Whom to reach, as written.
    pub contacts: Vec<String>,
    /// Lets attribution by country count as its.
    pub country_consent: Option<Consent>,
    /// Lets attribution by AS number count as its; the country's consent does so too.
    pub asn_consent: Option<Consent>,
    /// Superior partners that learn of its alerts about single addresses.
    pub inform: Vec<PartnerId>,
    /// Its registered prefixes.
    pub claims: Vec<Claim>,
    /// Scanners it runs itself and told us of.
    pub scanners: Vec<DeclaredScanner>,
    /// Where it wants its alerts pushed.
    pub push: Push,
}

/// How TLP labels are said in STIX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StixMarkings {
    /// TLP 2.0, by the objects that OASIS published for it.
    #[default]
    Tlp2,
    /// TLP 1 as STIX 2.1 §7.2.1.4 defines it, for platforms that know only those ids.
    Tlp1,
}

/// What a partner can be entitled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Programme {
    /// The surge kinds: signs that an attack is coming.
    Practice,
    /// The kinds about single addresses.
    Daedalus,
}

impl Programme {
    /// Every programme.
    pub const ALL: [Self; 2] = [Self::Practice, Self::Daedalus];

    /// Its name in the registry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Practice => "practice",
            Self::Daedalus => "daedalus",
        }
    }
}

/// Takes part in a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Which.
    pub programme: Programme,
    /// Since when; events before are not the partner's to learn of.
    pub since: Millis,
}

/// Somebody agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who gave it, and where that is written down.
    pub by: String,
    /// From when it counts, until it was taken back.
    pub valid: Validity,
}

/// From an instant (included) until another (excluded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First instant.
    pub from: Millis,
    /// First instant after it.
    pub until: Millis,
}

impl Validity {
    /// Since ever, for ever.
    pub const ALWAYS: Self = Self {
        from: Millis(0),
        until: Millis(u64::MAX),
    };

    /// Whether it holds at `at`.
    pub fn holds(self, at: Millis) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether both hold at some instant.
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// A registered prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The prefix.
    pub prefix: IpNet,
    /// What stands behind its addresses.
    pub usage: PrefixUse,
    /// Whether the operator saw evidence: only then it attributes anything.
    pub standing: Standing,
    /// Without it no alert about a single address in it is made.
    pub consent: Option<Consent>,
    /// When it was the partner's.
    pub valid: Validity,
    /// Whether alerts about single addresses in it are wanted.
    pub alerts: Wish,
    /// Superior partners that learn of alerts in it: its own and the partner's.
    pub inform: Vec<PartnerId>,
    /// Line in the registry.
    pub line: usize,
}

/// What stands behind the addresses of a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrefixUse {
    /// One host per address for long.
    #[default]
    Static,
    /// Another host every few days: silence of an address proves nothing.
    Dynamic,
    /// Many hosts behind each address (RFC 6888).
    Cgn,
    /// Hosts that scan on purpose.
    Research,
    /// What a country cannot do without.
    Critical,
}

impl PrefixUse {
    /// Its name in the registry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Dynamic => "dynamic",
            Self::Cgn => "cgn",
            Self::Research => "research",
            Self::Critical => "critical",
        }
    }
}

/// How far a claim to a prefix is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The partner says so.
    #[default]
    Claimed,
    /// The operator saw evidence.
    Verified,
}

/// Whether alerts about single addresses are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// They are.
    #[default]
    Wanted,
    /// The partner opted out.
    OptedOut,
}

/// A scanner that a partner runs and told us of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredScanner {
    /// What it is, for people.
    pub name: String,
    /// Where it scans from.
    pub prefix: IpNet,
    /// When.
    pub valid: Validity,
}

impl Partner {
    /// Whether it takes part in `programme` at `at`.
    pub fn takes_part(&self, programme: Programme, at: Millis) -> bool {
        self.memberships
            .iter()
            .any(|joined| joined.programme == programme && joined.since <= at)
    }

    /// Whether attribution by country counts as its at `at`.
    pub fn consents_by_country(&self, at: Millis) -> bool {
        agreed(self.country_consent.as_ref(), at)
    }

    /// Whether attribution by AS number counts as its at `at`.
    pub fn consents_by_asn(&self, at: Millis) -> bool {
        agreed(self.asn_consent.as_ref(), at) || self.consents_by_country(at)
    }

    /// The scanner it declared at this address, the first in the file.
    pub fn scanner(&self, address: std::net::IpAddr, at: Millis) -> Option<&DeclaredScanner> {
        let address = address.to_canonical();
        let mut scanners = self.scanners.iter();
        scanners.find(|scanner| scanner.valid.holds(at) && scanner.prefix.contains(&address))
    }
}

impl Claim {
    /// Whether it attributes addresses at `at`.
    pub fn counts(&self, at: Millis) -> bool {
        self.standing == Standing::Verified && self.valid.holds(at)
    }

    /// Whether the consent record covers `at`.
    pub fn consents(&self, at: Millis) -> bool {
        agreed(self.consent.as_ref(), at)
    }
}

fn agreed(consent: Option<&Consent>, at: Millis) -> bool {
    consent.is_some_and(|consent| consent.valid.holds(at))
}

impl fmt::Display for Programme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
