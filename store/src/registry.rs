//! Who the partners are, what is theirs, and which sensors watch.
//!
//! | module          | holds                                                     |
//! |-----------------|-----------------------------------------------------------|
//! | [`partner`]     | partners, their prefixes, programmes and consents         |
//! | [`sensor`]      | sensors and what they watch when                          |
//! | [`push`]        | where partners want alerts pushed                         |
//! | `read`          | `registry.toml` → partners and sensors                    |
//! | `check`         | what contradicts itself, and what is worth knowing        |
//! | [`attribution`] | whose an address is, and whether its owner may be told    |
//!
//! The registry is read once and never changes while a program runs. Its
//! [`Registry::version`] stands in every alert it decided.

pub mod attribution;
mod check;
pub mod partner;
pub mod push;
mod read;
pub mod sensor;

use std::collections::HashMap;
use std::path::Path;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use sha2::{Digest, Sha256};

use crate::document::{Document, Fault, Faults, read_text};
use crate::origin::{Country, PartnerId};
use crate::prefix_map::PrefixMap;
use attribution::Critical;
use partner::{Claim, Partner, PrefixUse, Programme};
use read::Read;
use sensor::Sensor;

/// Partners and sensors: checked, complete.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    version: String,
    partners: Vec<Partner>,
    sensors: Vec<Sensor>,
    notes: Vec<Fault>,
    partner_index: HashMap<PartnerId, usize>,
    sensor_index: HashMap<SensorId, usize>,
    /// Verified claims, whatever their validity.
    verified: PrefixMap<Place>,
    by_asn: HashMap<u32, usize>,
    /// The partner that consented for a country, else the first one there.
    by_country: HashMap<Country, usize>,
}

/// Where a claim stands: indices of its partner and of the claim among the partner's.
#[derive(Clone, Copy, Debug)]
struct Place {
    partner: usize,
    claim: usize,
}

impl Registry {
    /// Reads a registry from its file.
    ///
    /// # Errors
    /// Everything wrong in it, with its line and what to do.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        Self::parse(&path.display().to_string(), &read_text(path)?)
    }

    /// Reads a registry from its text; `file` is how faults name it, and where paths in it begin.
    ///
    /// # Errors
    /// Everything wrong in it, with its line and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Self, Faults> {
        let base = Path::new(file).parent().unwrap_or(Path::new(""));
        let document = Document::parse(file, text)?;
        let read = read::registry(&document, base);
        let notes = check::check(&read, &document);
        Faults::none_in(document.into_faults())?;
        let digest = Sha256::digest(text.as_bytes());
        let version = digest[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut registry = Self::index(read);
        registry.version = version;
        registry.notes = notes;
        Ok(registry)
    }

    fn index(read: Read) -> Self {
        let partners: Vec<_> = read
            .partners
            .into_iter()
            .map(|(partner, _)| partner)
            .collect();
        let sensors: Vec<_> = read.sensors.into_iter().map(|(sensor, _)| sensor).collect();
        let mut registry = Self::default();
        let mut verified = Vec::new();
        for (index, partner) in partners.iter().enumerate() {
            registry.partner_index.insert(partner.id.clone(), index);
            registry
                .by_asn
                .extend(partner.asns.iter().map(|asn| (*asn, index)));
            let first = *registry.by_country.entry(partner.country).or_insert(index);
            if partners[first].country_consent.is_none() && partner.country_consent.is_some() {
                registry.by_country.insert(partner.country, index);
            }
            for (place, claim) in partner.claims.iter().enumerate() {
                if claim.standing == partner::Standing::Verified {
                    verified.push((
                        claim.prefix,
                        Place {
                            partner: index,
                            claim: place,
                        },
                    ));
                }
            }
        }
        let sensor_ids = sensors
            .iter()
            .enumerate()
            .map(|(index, sensor)| (sensor.id.clone(), index));
        registry.sensor_index = sensor_ids.collect();
        registry.verified = PrefixMap::new(verified);
        registry.partners = partners;
        registry.sensors = sensors;
        registry
    }

    /// Twelve hexadecimal digits of the contents' SHA-256.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What is not wrong but worth knowing: nested claims, prefixes without consent.
    pub fn notes(&self) -> &[Fault] {
        &self.notes
    }

    /// Every partner, in the order of the file.
    pub fn partners(&self) -> &[Partner] {
        &self.partners
    }

    /// A partner by its id.
    pub fn partner(&self, id: &PartnerId) -> Option<&Partner> {
        self.partner_index
            .get(id)
            .map(|index| &self.partners[*index])
    }

    /// The partners that take part in `programme` at `at`, in the order of the file.
    pub fn partners_of_programme(
        &self,
        programme: Programme,
        at: Millis,
    ) -> impl Iterator<Item = &Partner> {
        self.partners
            .iter()
            .filter(move |partner| partner.takes_part(programme, at))
    }

    /// Every sensor, in the order of the file.
    pub fn sensors(&self) -> &[Sensor] {
        &self.sensors
    }

    /// A sensor by its id.
    pub fn sensor(&self, id: &SensorId) -> Option<&Sensor> {
        self.sensor_index.get(id).map(|index| &self.sensors[*index])
    }

    /// The verified prefixes that their owners call critical at `at`.
    pub fn critical(&self, at: Millis) -> impl Iterator<Item = Critical<'_>> {
        let claims = self
            .partners
            .iter()
            .flat_map(|partner| partner.claims.iter().map(move |claim| (partner, claim)));
        claims
            .filter(move |(_, claim)| claim.usage == PrefixUse::Critical && claim.counts(at))
            .map(|(partner, claim)| Critical {
                prefix: claim.prefix,
                partner: &partner.id,
            })
    }

    /// Whether `sensor` watches, at `at`, space inside `partner`'s own verified prefixes.
    pub fn is_internal(&self, sensor: &SensorId, partner: &PartnerId, at: Millis) -> bool {
        let Some(sensor) = self.sensor(sensor) else {
            return false;
        };
        sensor
            .telescope_at(at.seconds())
            .prefixes
            .iter()
            .any(|watched| {
                let mut around = self.verified.matches(watched.network());
                let owner = around.find(|(prefix, place)| {
                    prefix.contains(watched) && self.claim(**place).1.valid.holds(at)
                });
                owner.is_some_and(|(_, place)| self.claim(*place).0.id == *partner)
            })
    }

    fn claim(&self, place: Place) -> (&Partner, &Claim) {
        let partner = &self.partners[place.partner];
        (partner, &partner.claims[place.claim])
    }
}

#[cfg(test)]
mod tests;
