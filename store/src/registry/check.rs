//! What contradicts itself in a registry, and what is worth knowing about it.

use std::collections::HashMap;

use ipnet::IpNet;
use noroshi_proto::id::SensorId;

use super::partner::{Claim, Partner, Programme, Standing, Wish};
use super::read::Read;
use super::sensor::{Sensor, Watched};
use crate::document::{Document, Fault};
use crate::origin::PartnerId;
use crate::prefix_map::PrefixMap;

/// Where faults and notes go.
struct Findings<'d, 't> {
    document: &'d Document<'t>,
    notes: Vec<(usize, String)>,
}

impl Findings<'_, '_> {
    fn fault(&self, line: usize, text: String) {
        self.document.fault(line, text);
    }

    fn note(&mut self, line: usize, text: String) {
        self.notes.push((line, text));
    }
}

/// Notes faults in the document; hands back what is not wrong but worth knowing.
pub(super) fn check(read: &Read, document: &Document<'_>) -> Vec<Fault> {
    let mut findings = Findings {
        document,
        notes: Vec::new(),
    };
    partner_ids(read, &mut findings);
    asns(read, &mut findings);
    countries(read, &mut findings);
    informed(read, &mut findings);
    claims(read, &mut findings);
    entitlements(read, &mut findings);
    scanners(read, &mut findings);
    sensors(read, &mut findings);
    telescopes(read, &mut findings);
    let mut notes = findings.notes;
    notes.sort();
    notes
        .into_iter()
        .map(|(line, text)| document.remark(line, text))
        .collect()
}

fn partner_ids(read: &Read, findings: &mut Findings<'_, '_>) {
    let mut seen: HashMap<&PartnerId, usize> = HashMap::new();
    for (partner, lines) in &read.partners {
        if let Some(first) = seen.get(&partner.id) {
            let id = &partner.id;
            findings.fault(
                lines.id,
                format!("partner {id} stands on line {first} too: rename one"),
            );
        }
        seen.entry(&partner.id).or_insert(lines.id);
    }
}

fn asns(read: &Read, findings: &mut Findings<'_, '_>) {
    let mut seen: HashMap<u32, (&PartnerId, usize)> = HashMap::new();
    for (partner, lines) in &read.partners {
        for (asn, line) in partner.asns.iter().zip(&lines.asns) {
            if let Some((other, first)) = seen.get(asn) {
                let text =
                    format!("AS {asn} is {other}'s on line {first}: it can be one partner's");
                findings.fault(*line, text + " only, others stand in its `inform`");
            }
            seen.entry(*asn).or_insert((&partner.id, *line));
        }
    }
}

fn countries(read: &Read, findings: &mut Findings<'_, '_>) {
    let mut seen = HashMap::new();
    for (partner, lines) in &read.partners {
        if partner.country_consent.is_none() {
            continue;
        }
        let (other, first) = *seen
            .entry(partner.country)
            .or_insert((&partner.id, lines.country_consent));
        if first != lines.country_consent {
            let country = partner.country;
            let text = format!("{country} has the country consent of {other} on line {first}:");
            findings.fault(
                lines.country_consent,
                text + " only one partner can speak for a country",
            );
        }
    }
}

fn informed(read: &Read, findings: &mut Findings<'_, '_>) {
    let known: HashMap<_, _> = read
        .partners
        .iter()
        .map(|(other, _)| (&other.id, other))
        .collect();
    for (partner, lines) in &read.partners {
        for id in &lines.inform {
            let superior = &id.value;
            match known.get(superior) {
                _ if *superior == partner.id => {
                    findings.fault(id.line, format!("{superior} informs itself: take it out"));
                }
                None if !read.ids.contains(superior) => {
                    findings.fault(id.line, unknown_partner(superior));
                }
                Some(other) if !takes_part(other, Programme::Daedalus) => {
                    let text =
                        format!("{superior} is not in daedalus and so learns nothing of these");
                    findings.note(id.line, text);
                }
                _ => {}
            }
        }
    }
}

fn unknown_partner(id: &PartnerId) -> String {
    format!("no partner has the id {id}: mend it, or add a [[partner]] with it")
}

fn takes_part(partner: &Partner, programme: Programme) -> bool {
    partner
        .memberships
        .iter()
        .any(|joined| joined.programme == programme)
}

/// Claims that contradict each other are faults, nested and overlapping ones are notes.
fn claims(read: &Read, findings: &mut Findings<'_, '_>) {
    let partners = read.partners.iter();
    let all: Vec<(&Partner, &Claim)> = partners
        .flat_map(|(partner, _)| partner.claims.iter().map(move |claim| (partner, claim)))
        .collect();
    for (later, earlier) in overlaps(all.iter().map(|(_, claim)| claim.prefix).collect()) {
        let ((partner, claim), (other, around)) = (all[later], all[earlier]);
        if !claim.valid.overlaps(around.valid) {
            continue;
        }
        let (prefix, owner, line) = (claim.prefix, &other.id, around.line);
        if prefix == around.prefix {
            let verified =
                claim.standing == Standing::Verified && around.standing == Standing::Verified;
            let what = format!("{prefix} is claimed by {owner} on line {line} at the same time");
            if partner.id == *owner {
                findings.fault(claim.line, what + ": keep one of them");
            } else if verified {
                findings.fault(
                    claim.line,
                    what + ", and both are verified: end one (valid_until)",
                );
            } else {
                findings.note(claim.line, what + ": addresses go to the verified claim");
            }
        } else if partner.id != *owner {
            let id = &partner.id;
            let wide = around.prefix;
            let text =
                format!("{prefix} lies in {wide} of {owner} (line {line}): its addresses go");
            findings.note(
                claim.line,
                text + &format!(" to {id} once verified, to {owner} by `inform`"),
            );
        }
    }
}

/// Every pair of prefixes that share addresses, as indices: the longer (or later) one first.
fn overlaps(prefixes: Vec<IpNet>) -> Vec<(usize, usize)> {
    let indexed = prefixes
        .iter()
        .enumerate()
        .map(|(index, prefix)| (*prefix, index));
    let map = PrefixMap::new(indexed.collect());
    let mut pairs = Vec::new();
    for (index, prefix) in prefixes.iter().enumerate() {
        for (around, other) in map.matches(prefix.network()) {
            let wider = around.prefix_len() < prefix.prefix_len();
            if wider || (around == *prefix && *other < index) {
                pairs.push((index, *other));
            }
        }
    }
    pairs
}

fn entitlements(read: &Read, findings: &mut Findings<'_, '_>) {
    for (partner, lines) in &read.partners {
        let id = &partner.id;
        if partner.memberships.is_empty() {
            findings.note(
                lines.id,
                format!("{id} takes part in no programme and gets no alerts"),
            );
        }
        for claim in &partner.claims {
            let prefix = claim.prefix;
            if claim.standing == Standing::Claimed {
                let text = format!("{prefix} is claimed, not verified: it attributes nothing");
                findings.note(claim.line, text);
            } else if claim.consent.is_none() && claim.alerts == Wish::Wanted {
                let text = format!("{prefix} has no consent record: alerts in it are withheld");
                findings.note(claim.line, text);
            }
        }
        let by_asn = partner.asn_consent.is_some() || partner.country_consent.is_some();
        if let Some(line) = lines.asns.first()
            && takes_part(partner, Programme::Daedalus)
            && !by_asn
        {
            let text = format!("{id} gave neither asn_consent nor country_consent: alerts about");
            findings.note(*line, text + " addresses of its AS numbers are withheld");
        }
    }
}

fn scanners(read: &Read, findings: &mut Findings<'_, '_>) {
    for (partner, lines) in &read.partners {
        for (scanner, line) in partner.scanners.iter().zip(&lines.scanners) {
            let own = |claim: &Claim| claim.prefix.contains(&scanner.prefix);
            if !partner.claims.iter().any(own) && partner.asns.is_empty() {
                let (id, prefix) = (&partner.id, scanner.prefix);
                let text =
                    format!("scanner {prefix} lies in no prefix of {id}: it counts only where");
                findings.note(*line, text + " its address is attributed to that partner");
            }
        }
    }
}

fn sensors(read: &Read, findings: &mut Findings<'_, '_>) {
    let mut seen: HashMap<&SensorId, usize> = HashMap::new();
    for (sensor, lines) in &read.sensors {
        let id = &sensor.id;
        if let Some(first) = seen.get(id) {
            findings.fault(
                lines.id,
                format!("sensor {id} stands on line {first} too: rename one"),
            );
        }
        seen.entry(id).or_insert(lines.id);
        if !read
            .partners
            .iter()
            .any(|(partner, _)| partner.id == sensor.partner)
        {
            findings.fault(lines.partner, unknown_partner(&sensor.partner));
        }
        if sensor.watched.is_empty() {
            let example = "telescope = [{ prefix = \"198.18.0.0/20\", from = 2026-01-01 }]";
            findings.fault(
                lines.id,
                format!("sensor {id} watches nothing: write {example}"),
            );
        }
    }
}

/// Two sensors that watch the same addresses at the same time would count packets twice.
fn telescopes(read: &Read, findings: &mut Findings<'_, '_>) {
    let sensors = read.sensors.iter();
    let all: Vec<(&Sensor, &Watched)> = sensors
        .flat_map(|(sensor, _)| sensor.watched.iter().map(move |watched| (sensor, watched)))
        .collect();
    for (later, earlier) in overlaps(all.iter().map(|(_, watched)| watched.prefix).collect()) {
        let ((sensor, watched), (other, around)) = (all[later], all[earlier]);
        if !watched.valid.overlaps(around.valid) {
            continue;
        }
        let (prefix, wide, line) = (watched.prefix, around.prefix, around.line);
        let (id, holder) = (&sensor.id, &other.id);
        let text =
            format!("{prefix} of sensor {id} overlaps {wide} of sensor {holder} (line {line})");
        findings.fault(
            watched.line,
            text + " at the same time: give it to one, or end one (until)",
        );
    }
}
