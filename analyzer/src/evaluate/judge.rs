//! Claims and truth, compared.

use std::net::{IpAddr, Ipv4Addr};

use noroshi_store::alert::Kind;

use super::claim::Claim;
use crate::scenario::region::{Nature, land_of};
use crate::scenario::truth::{About, Truth, Verdict};

/// Seconds after the end of something in which it may still be told of.
const AFTERWARDS: u64 = 3_600;

/// Which claims are right, and which of them tell of what happened.
#[derive(Clone, Debug)]
pub struct Judgement<'a> {
    /// Each claim, with whether it is right.
    pub judged: Vec<(&'a Claim, Right)>,
    /// Of each truth, the claims that tell of it, by index, in order of time.
    pub told: Vec<Vec<usize>>,
}

/// Whether a claim is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// What it says is so.
    Yes,
    /// It is not.
    No,
}

impl<'a> Judgement<'a> {
    /// Compares them.
    pub fn of(claims: &'a [Claim], truths: &[Truth]) -> Self {
        let mut told = vec![Vec::new(); truths.len()];
        let mut judged = Vec::with_capacity(claims.len());
        for (index, claim) in claims.iter().enumerate() {
            let mut right = is_right_by_itself(claim);
            for (truth, told) in truths.iter().zip(&mut told) {
                if tells_of(claim, truth) {
                    told.push(index);
                    right = true;
                }
            }
            right |= truths.iter().any(|truth| explains(truth, claim));
            judged.push((claim, if right { Right::Yes } else { Right::No }));
        }
        for told in &mut told {
            told.sort_by_key(|index| claims[*index].at);
        }
        Self { judged, told }
    }
}

/// Whether this is an expected claim about this.
fn tells_of(claim: &Claim, truth: &Truth) -> bool {
    let Verdict::Expected(kinds) = truth.verdict else {
        return false;
    };
    kinds.contains(&claim.kind) && is_then(claim, truth) && is_about(claim, &truth.about)
}

/// Whether what happens makes the claim right, although another kind was expected of it.
fn explains(truth: &Truth, claim: &Claim) -> bool {
    if !is_then(claim, truth) {
        return false;
    }
    match claim.kind {
        Kind::ScanSurge | Kind::NewService | Kind::CoordinatedScan => {
            let scan = matches!(truth.act, "scan" | "low and slow");
            let sought = truth.service.as_ref();
            (scan && is_about(claim, &truth.about))
                || sought.is_some_and(|service| claim.services.contains(service))
        }
        // more infected hosts than usual in all of a partner's networks
        Kind::InfectedHost if claim.subject.parse::<IpAddr>().is_err() => {
            let theirs = truth.partner.as_ref();
            let spreads = matches!(truth.act, "scan" | "infection");
            spreads && theirs.is_none_or(|partner| claim.partners.contains(partner))
        }
        Kind::SpoofSuspect => truth.act == "spoofed storm",
        Kind::SensorSilence => matches!(truth.act, "sensor outage" | "clock skew" | "gap"),
        _ => false,
    }
}

/// Whether it is right whatever happens by script: a host is what its address says.
fn is_right_by_itself(claim: &Claim) -> bool {
    let Ok(address) = claim.subject.parse::<IpAddr>() else {
        return false;
    };
    let nature = Nature::of(address);
    match claim.kind {
        Kind::InfectedHost => nature == Some(Nature::Infected),
        Kind::ScanningHost | Kind::ReflectionRecon => {
            nature.is_some_and(|nature| nature != Nature::Bystander)
        }
        Kind::DdosVictim => {
            // hosts of the background that answer forged packets; a storm hits no address
            // often enough to be taken for one of them
            nature == Some(Nature::Bystander)
        }
        _ => false,
    }
}

fn is_then(claim: &Claim, truth: &Truth) -> bool {
    (truth.start..=truth.end + AFTERWARDS).contains(&claim.at)
}

/// Whether a claim concerns this.
pub fn is_about(claim: &Claim, about: &About) -> bool {
    match about {
        About::Services(services) => claim
            .services
            .iter()
            .any(|service| services.contains(service)),
        About::Address(address) => claim.subject == address.to_string(),
        About::Network(network) => {
            claim.subject == network.to_string()
                || (claim.subject.parse::<Ipv4Addr>()).is_ok_and(|one| network.contains(&one))
        }
        About::Country(country) => {
            let land = claim
                .subject
                .parse::<Ipv4Addr>()
                .ok()
                .and_then(|one| land_of(one.to_bits()));
            let lies = land
                .is_some_and(|land| crate::scenario::region::LANDS[land].country == Some(*country));
            claim.subject == *country || lies
        }
        About::Anything => true,
    }
}
