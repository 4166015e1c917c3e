//! Whose an address is, and whether its owner may be told.
//!
//! In order: the longest verified registered prefix, the registered AS number, the
//! country where a partner consented. What one of them decides, the next never
//! overrules: an address in a prefix whose owner opted out is not handed to the country.

use std::net::IpAddr;

use ipnet::IpNet;
use noroshi_proto::time::Millis;

use super::Registry;
use super::partner::{Claim, Partner, PrefixUse, Programme, Wish};
use crate::alert::{Attribution, Basis, Tlp};
use crate::origin::{Country, PartnerId};

/// What a source is known by when its owner is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Whereabouts {
    /// Its address.
    pub source: IpAddr,
    /// Its origin AS; 0 where unknown.
    pub asn: u32,
    /// Its country, where known.
    pub country: Option<Country>,
}

/// A source's owner, whether or not it may be told.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'r> {
    /// Who.
    pub partner: &'r Partner,
    /// By what.
    pub by: Reason<'r>,
}

/// By what a source is its owner's.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'r> {
    /// The longest verified prefix.
    Prefix(&'r Claim),
    /// A registered AS number.
    Asn(u32),
    /// The country.
    Country(Country),
}

/// Whether an alert about a single address is anybody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This partner is told.
    Theirs(Box<Addressee>),
    /// It is this partner's, but no alert is made: count it with the reason.
    Withheld {
        /// Whose it is.
        partner: PartnerId,
        /// Why nobody is told.
        reason: Withheld,
    },
    /// No partner of ours.
    Nobody,
}

/// The partner that is told, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// Who.
    pub partner: PartnerId,
    /// The partner's country.
    pub country: Country,
    /// Who may read it.
    pub tlp: Tlp,
    /// Why this partner.
    pub attribution: Attribution,
    /// What stands behind the prefix; `None` unless a prefix decided.
    pub usage: Option<PrefixUse>,
    /// The name of the scanner the partner declared at this address.
    pub scanner: Option<String>,
    /// Further partners that learn of it, because the owner named them and they take part.
    pub inform: Vec<PartnerId>,
}

/// Why an owner is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Withheld {
    /// The prefix is registered, but not for that time.
    NotValid,
    /// The partner opted out for the prefix.
    OptOut,
    /// The partner does not take part in the programme.
    NoProgramme,
    /// Nobody consented to this kind of attribution.
    NoConsent,
}

impl Withheld {
    /// Its name in counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotValid => "not_valid",
            Self::OptOut => "opt_out",
            Self::NoProgramme => "no_programme",
            Self::NoConsent => "no_consent",
        }
    }
}

impl Registry {
    /// Who is told about `source` at event time `at` under `programme`
    /// (for the kinds about single addresses: [`Programme::Daedalus`]).
    pub fn verdict(&self, source: Whereabouts, at: Millis, programme: Programme) -> Verdict {
        let Some(owner) = self.owner(source, at) else {
            return self.without_owner(source);
        };
        if let Some(reason) = withheld(owner, at, programme) {
            return Verdict::Withheld {
                partner: owner.partner.id.clone(),
                reason,
            };
        }
        Verdict::Theirs(Box::new(self.addressee(owner, source, at)))
    }

    /// Whose `source` is at `at`, for labels and rollups: consent to alerts is not asked,
    /// except that a country is nobody's without it.
    pub fn owner(&self, source: Whereabouts, at: Millis) -> Option<Owner<'_>> {
        let mut registered = false;
        for (_, place) in self.verified.matches(source.source) {
            let (partner, claim) = self.claim(*place);
            registered = true;
            if claim.valid.holds(at) {
                return Some(Owner {
                    partner,
                    by: Reason::Prefix(claim),
                });
            }
        }
        if registered {
            return None; // whose it is outside its validity, AS number and country cannot say
        }
        if let Some(index) = self.by_asn.get(&source.asn) {
            return Some(Owner {
                partner: &self.partners[*index],
                by: Reason::Asn(source.asn),
            });
        }
        let country = source.country?;
        let partner = &self.partners[*self.by_country.get(&country)?];
        let by = Reason::Country(country);
        partner
            .consents_by_country(at)
            .then_some(Owner { partner, by })
    }

    /// Whether a source lies in a verified prefix of any partner, at any time: such a
    /// source is never a bogon.
    pub fn holds(&self, source: IpAddr) -> bool {
        self.verified.longest(source).is_some()
    }

    fn without_owner(&self, source: Whereabouts) -> Verdict {
        let withheld = |partner: &Partner, reason| {
            let partner = partner.id.clone();
            Verdict::Withheld { partner, reason }
        };
        if let Some((_, place)) = self.verified.longest(source.source) {
            return withheld(self.claim(*place).0, Withheld::NotValid);
        }
        let known = source
            .country
            .and_then(|country| self.by_country.get(&country));
        match known {
            Some(index) => withheld(&self.partners[*index], Withheld::NoConsent),
            None => Verdict::Nobody,
        }
    }

    fn addressee(&self, owner: Owner<'_>, source: Whereabouts, at: Millis) -> Addressee {
        let partner = owner.partner;
        let (basis, matched, usage, inform) = match owner.by {
            Reason::Prefix(claim) => (
                Basis::Prefix,
                claim.prefix.to_string(),
                Some(claim.usage),
                &claim.inform,
            ),
            Reason::Asn(asn) => (Basis::Asn, asn.to_string(), None, &partner.inform),
            Reason::Country(country) => {
                (Basis::Country, country.to_string(), None, &partner.inform)
            }
        };
        let registry_version = self.version.clone();
        let entitled = |id: &&PartnerId| {
            self.partner(id)
                .is_some_and(|other| other.takes_part(Programme::Daedalus, at))
        };
        Addressee {
            partner: partner.id.clone(),
            country: partner.country,
            tlp: partner.tlp,
            attribution: Attribution {
                basis,
                matched,
                registry_version,
            },
            usage,
            scanner: partner
                .scanner(source.source, at)
                .map(|scanner| scanner.name.clone()),
            inform: inform.iter().filter(entitled).cloned().collect(),
        }
    }
}

fn withheld(owner: Owner<'_>, at: Millis, programme: Programme) -> Option<Withheld> {
    let consents = match owner.by {
        Reason::Prefix(claim) if claim.alerts == Wish::OptedOut => return Some(Withheld::OptOut),
        Reason::Prefix(claim) => claim.consents(at),
        Reason::Asn(_) => owner.partner.consents_by_asn(at),
        Reason::Country(_) => owner.partner.consents_by_country(at),
    };
    if !owner.partner.takes_part(programme, at) {
        return Some(Withheld::NoProgramme);
    }
    (!consents).then_some(Withheld::NoConsent)
}

/// A prefix that its owner calls critical.
#[derive(Clone, Copy, Debug)]
pub struct Critical<'r> {
    /// The prefix.
    pub prefix: IpNet,
    /// Whose.
    pub partner: &'r PartnerId,
}
