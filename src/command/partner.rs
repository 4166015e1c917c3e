//! `noroshi partner check`: who the partners are, what each lacks, and where claims overlap.

use std::io::{self, Write};

use anyhow::Context;
use noroshi_feeds::credential::Credentials;
use noroshi_proto::time::Millis;
use noroshi_store::origin::PartnerId;
use noroshi_store::registry::Registry;
use noroshi_store::registry::partner::{Partner, Programme, Wish};
use serde_json::json;

use crate::arguments::partners::{Partner as Verb, PartnerCheck};
use crate::command::known_partner;
use crate::config::{self, Config};
use crate::failure::Failure;

pub fn run(verb: Verb) -> Result<(), Failure> {
    let Verb::Check(arguments) = verb;
    check(&arguments)
}

fn check(arguments: &PartnerCheck) -> Result<(), Failure> {
    let checked = config::check(&arguments.config)?;
    let registry = &checked.config.registry;
    if let Some(partner) = &arguments.partner {
        known_partner(registry, partner)?;
    }
    let can_read = readers(&checked.config)?;
    let now = noroshi_feeds::clock::now();
    let asked = |partner: &&Partner| match &arguments.partner {
        Some(asked) => partner.id == *asked,
        None => true,
    };
    let partners = registry.partners().iter().filter(asked);
    let summaries: Vec<_> = partners
        .map(|partner| Summary::of(partner, can_read.contains(&partner.id), now))
        .collect();
    let notes = if arguments.partner.is_none() {
        checked.notes
    } else {
        Vec::new() // they name lines of the whole registry
    };
    print(&summaries, registry, &notes, arguments.json).context("standard output")?;
    Ok(())
}

fn readers(config: &Config) -> Result<Vec<PartnerId>, Failure> {
    let Some(directory) = &config.feeds.tokens else {
        return Ok(Vec::new());
    };
    let partners = config.registry.partners().iter();
    let partners: Vec<_> = partners.map(|partner| partner.id.clone()).collect();
    let credentials = Credentials::load(directory, &partners).context("[feeds] tokens")?;
    Ok(credentials.partners().into_iter().cloned().collect())
}

/// One partner, and what keeps alerts from it.
struct Summary<'a> {
    partner: &'a Partner,
    verified: usize,
    programmes: Vec<&'static str>,
    lacks: Vec<String>,
}

impl<'a> Summary<'a> {
    fn of(partner: &'a Partner, can_read: bool, now: Millis) -> Self {
        let verified = partner.claims.iter().filter(|claim| claim.counts(now));
        let programmes = Programme::ALL.into_iter();
        let programmes: Vec<_> = programmes
            .filter(|programme| partner.takes_part(*programme, now))
            .map(Programme::name)
            .collect();
        Self {
            partner,
            verified: verified.count(),
            lacks: lacks(partner, &programmes, can_read, now),
            programmes,
        }
    }
}

fn lacks(
    partner: &Partner,
    programmes: &[&'static str],
    can_read: bool,
    now: Millis,
) -> Vec<String> {
    let mut lacks = Vec::new();
    let mut note = |text: &str| lacks.push(text.to_owned());
    if programmes.is_empty() {
        note("takes part in no programme: it is told nothing");
    }
    if !can_read {
        note("has no credential: it reads no feed");
    }
    if partner.contacts.is_empty() {
        note("has no contact: nobody can be reached");
    }
    let by_country = partner.consents_by_country(now);
    if partner.claims.is_empty() && partner.asns.is_empty() && !by_country {
        note("has neither prefix, AS number nor the country's consent: no address is its");
    }
    if !partner.asns.is_empty() && !partner.consents_by_asn(now) {
        note("gave no consent for its AS numbers: their addresses are withheld");
    }
    for claim in &partner.claims {
        let why = match claim.alerts {
            Wish::OptedOut => "opted out",
            Wish::Wanted if !claim.valid.holds(now) => "not valid today",
            Wish::Wanted if !claim.counts(now) => "claimed, not verified",
            Wish::Wanted if !claim.consents(now) => "without consent today",
            Wish::Wanted => continue,
        };
        lacks.push(format!(
            "{}: {why}: no alerts about its addresses",
            claim.prefix
        ));
    }
    lacks
}

fn print(
    summaries: &[Summary<'_>],
    registry: &Registry,
    notes: &[String],
    json: bool,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for summary in summaries {
        let partner = summary.partner;
        if json {
            let line = json!({
                "partner": partner.id,
                "country": partner.country.as_str(),
                "tlp": partner.tlp,
                "programmes": summary.programmes,
                "prefixes": partner.claims.len(),
                "prefixes_verified": summary.verified,
                "asns": partner.asns,
                "contacts": partner.contacts.len(),
                "lacks": summary.lacks,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        writeln!(
            out,
            "{:<14} {} TLP:{:<12} {:<18} {} of {} prefixes verified, {} AS numbers",
            partner.id.as_str(),
            partner.country,
            partner.tlp.name(),
            summary.programmes.join(", "),
            summary.verified,
            partner.claims.len(),
            partner.asns.len(),
        )?;
        for lack in &summary.lacks {
            writeln!(out, "    {lack}")?;
        }
    }
    if !json {
        for note in notes {
            writeln!(out, "note: {note}")?;
        }
        writeln!(out, "registry version {}", registry.version())?;
    }
    out.flush()
}
