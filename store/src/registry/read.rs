//! `registry.toml` → partners and sensors, with the lines that checks refer to.

use std::collections::HashSet;
use std::path::Path;

use ipnet::IpNet;
use noroshi_proto::time::Millis;
use toml::de::DeValue;

use super::partner::{
    Claim, Consent, DeclaredScanner, Membership, Partner, PrefixUse, Programme, Standing, Validity,
    Wish,
};
use super::push;
use super::sensor::{Sensor, Watched};
use crate::document::{Document, Section, Value, Written};
use crate::origin::PartnerId;

/// What the file says, before it is checked.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Every partner's id, also of those that are otherwise faulty.
    pub(super) ids: HashSet<PartnerId>,
    /// Partners and where they stand.
    pub(super) partners: Vec<(Partner, PartnerLines)>,
    /// Sensors and where they stand.
    pub(super) sensors: Vec<(Sensor, SensorLines)>,
}

/// Where the parts of a partner stand.
#[derive(Debug)]
pub(super) struct PartnerLines {
    pub(super) id: usize,
    pub(super) asns: Vec<usize>,
    pub(super) country_consent: usize,
    /// Everybody to inform, in `inform` of the partner and of its prefixes.
    pub(super) inform: Vec<Written<PartnerId>>,
    pub(super) scanners: Vec<usize>,
}

/// Where the parts of a sensor stand.
#[derive(Debug)]
pub(super) struct SensorLines {
    pub(super) id: usize,
    pub(super) partner: usize,
}

/// Everything that could be read; what could not is noted in the document.
pub(super) fn registry(document: &Document<'_>, base: &Path) -> Read {
    let mut root = document.root();
    let mut ids = HashSet::new();
    let partners = root.sections("partner").into_iter();
    let partners = partners
        .filter_map(|section| partner(section, &mut ids, base))
        .collect();
    let sensors = root
        .sections("sensor")
        .into_iter()
        .filter_map(sensor)
        .collect();
    root.close();
    Read {
        ids,
        partners,
        sensors,
    }
}

fn partner(
    mut written: Section<'_>,
    ids: &mut HashSet<PartnerId>,
    base: &Path,
) -> Option<(Partner, PartnerLines)> {
    let id = written.required::<PartnerId>("id");
    ids.extend(id.iter().map(|id| id.value.clone()));
    let name = written.required::<String>("name");
    let country = written.required("country");
    let asns = asns(&mut written);
    let tlp = written.optional("tlp");
    let stix_markings = written.optional("stix_markings");
    let memberships = memberships(&mut written);
    let contacts = values(&written.list::<String>("contacts"));
    let push = push::read(&mut written, &contacts, base);
    let (country_consent, consent_line) = consent(&mut written, "country_consent");
    let (asn_consent, _) = consent(&mut written, "asn_consent");
    let mut inform = written.list::<PartnerId>("inform");
    let informed: Vec<_> = values(&inform);
    let mut claims = Vec::new();
    for section in written.sections("prefix") {
        claims.extend(claim(section, &informed, &mut inform));
    }
    let scanners = written.sections("scanner").into_iter().filter_map(scanner);
    let (scanners, scanner_lines) = scanners.unzip();
    let lines = PartnerLines {
        id: id.as_ref().map_or(written.line(), |id| id.line),
        asns: asns.iter().map(|asn| asn.line).collect(),
        country_consent: consent_line,
        inform,
        scanners: scanner_lines,
    };
    written.close();
    let partner = Partner {
        id: id?.value,
        name: name?.value,
        country: country?.value,
        asns: values(&asns),
        tlp: tlp.map(|tlp| tlp.value).unwrap_or_default(),
        stix_markings: stix_markings
            .map(|markings| markings.value)
            .unwrap_or_default(),
        memberships,
        contacts,
        push,
        country_consent,
        asn_consent,
        inform: informed,
        claims,
        scanners,
    };
    Some((partner, lines))
}

fn asns(written: &mut Section<'_>) -> Vec<Written<u32>> {
    let mut asns = written.list::<u32>("asns");
    asns.retain(|asn| {
        if asn.value == 0 {
            written.fault(
                asn.line,
                "AS number 0 is reserved (RFC 7607): take it out".to_owned(),
            );
        }
        asn.value != 0
    });
    asns
}

fn memberships(written: &mut Section<'_>) -> Vec<Membership> {
    let programmes = written.list::<Programme>("programmes");
    let mut joined = written.section("joined");
    let dates =
        Programme::ALL.map(|programme| (programme, joined.optional::<Millis>(programme.name())));
    joined.close();
    for (programme, date) in &dates {
        let takes_part = programmes.iter().any(|written| written.value == *programme);
        if let (Some(date), false) = (date, takes_part) {
            let text =
                format!("joined {programme}, which `programmes` does not name: add it there");
            written.fault(date.line, text);
        }
    }
    let since = |programme| {
        let date = dates
            .iter()
            .find(|(dated, _)| *dated == programme)?
            .1
            .as_ref()?;
        Some(date.value)
    };
    let membership = |written: &Written<Programme>| Membership {
        programme: written.value,
        since: since(written.value).unwrap_or_default(),
    };
    programmes.iter().map(membership).collect()
}

fn consent(written: &mut Section<'_>, key: &'static str) -> (Option<Consent>, usize) {
    let mut section = written.section(key);
    let line = section.line();
    if !section.is_written() {
        return (None, line);
    }
    let by = section.required::<String>("by");
    let on = section.required::<Millis>("on");
    let until = section.optional::<Millis>("until");
    let valid = validity(&section, on, until);
    section.close();
    (
        by.map(|by| Consent {
            by: by.value,
            valid,
        }),
        line,
    )
}

fn claim(
    mut written: Section<'_>,
    informed: &[PartnerId],
    all: &mut Vec<Written<PartnerId>>,
) -> Option<Claim> {
    let line = written.line();
    let prefix = prefix(&mut written);
    let usage = written.optional("use");
    let standing = written.optional("claim");
    let (consent, _) = consent(&mut written, "consent");
    let from = written.optional("valid_from");
    let until = written.optional("valid_until");
    let valid = validity(&written, from, until);
    let opt_out = written
        .optional::<bool>("opt_out")
        .is_some_and(|wish| wish.value);
    let own = written.list::<PartnerId>("inform");
    written.close();
    let mut inform = informed.to_vec();
    inform.extend(
        own.iter()
            .map(|id| id.value.clone())
            .filter(|id| !informed.contains(id)),
    );
    all.extend(own);
    Some(Claim {
        prefix: prefix?.value,
        usage: usage.map(|usage| usage.value).unwrap_or_default(),
        standing: standing.map(|standing| standing.value).unwrap_or_default(),
        consent,
        valid,
        alerts: if opt_out {
            Wish::OptedOut
        } else {
            Wish::Wanted
        },
        inform,
        line,
    })
}

fn scanner(mut written: Section<'_>) -> Option<(DeclaredScanner, usize)> {
    let line = written.line();
    let prefix = prefix(&mut written);
    let name = written.required::<String>("name");
    let from = written.optional("valid_from");
    let until = written.optional("valid_until");
    let valid = validity(&written, from, until);
    written.close();
    Some((
        DeclaredScanner {
            name: name?.value,
            prefix: prefix?.value,
            valid,
        },
        line,
    ))
}

fn sensor(mut written: Section<'_>) -> Option<(Sensor, SensorLines)> {
    let id = written.required("id");
    let partner = written.required::<PartnerId>("partner");
    let mut watched = Vec::new();
    for mut section in written.sections("telescope") {
        let line = section.line();
        let prefix = prefix(&mut section);
        let from = section.optional("from");
        let until = section.optional("until");
        let valid = validity(&section, from, until);
        section.close();
        watched.extend(prefix.map(|prefix| Watched {
            prefix: prefix.value,
            valid,
            line,
        }));
    }
    written.close();
    let (id, partner) = (id?, partner?);
    let lines = SensorLines {
        id: id.line,
        partner: partner.line,
    };
    Some((
        Sensor {
            id: id.value,
            partner: partner.value,
            watched,
        },
        lines,
    ))
}

fn prefix(written: &mut Section<'_>) -> Option<Written<IpNet>> {
    let prefix = written.required::<IpNet>("prefix")?;
    let cut = prefix.value.trunc();
    if cut != prefix.value {
        let text = format!(
            "{} has bits set below its length: write {cut}",
            prefix.value
        );
        written.fault(prefix.line, text);
    }
    Some(Written {
        value: cut,
        line: prefix.line,
    })
}

fn validity(
    written: &Section<'_>,
    from: Option<Written<Millis>>,
    until: Option<Written<Millis>>,
) -> Validity {
    let first = from
        .as_ref()
        .map_or(Validity::ALWAYS.from, |from| from.value);
    let last = until
        .as_ref()
        .map_or(Validity::ALWAYS.until, |until| until.value);
    if let Some(until) = until
        && until.value <= first
    {
        let text = format!("ends at {last}, before it begins at {first}: mend one of them");
        written.fault(until.line, text);
    }
    Validity {
        from: first,
        until: last,
    }
}

fn values<T: Clone>(written: &[Written<T>]) -> Vec<T> {
    written
        .iter()
        .map(|written| written.value.clone())
        .collect()
}

impl Value for Programme {
    const EXPECTED: &'static str = "\"practice\" or \"daedalus\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        let name = value.as_str()?;
        Self::ALL
            .into_iter()
            .find(|programme| programme.name() == name)
    }
}

impl Value for PrefixUse {
    const EXPECTED: &'static str = "\"static\", \"dynamic\", \"cgn\", \"research\" or \"critical\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        let name = value.as_str()?;
        let all = [
            Self::Static,
            Self::Dynamic,
            Self::Cgn,
            Self::Research,
            Self::Critical,
        ];
        all.into_iter().find(|usage| usage.name() == name)
    }
}

impl Value for Standing {
    const EXPECTED: &'static str = "\"claimed\" or \"verified\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        match value.as_str()? {
            "claimed" => Some(Self::Claimed),
            "verified" => Some(Self::Verified),
            _ => None,
        }
    }
}
