//! Who is told, and how urgent and how sure it is for them.

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Attribution, Basis, Confidence, Kind, Severity, Tlp};
use noroshi_store::origin::{Country, PartnerId};
use noroshi_store::registry::Registry;
use noroshi_store::registry::attribution::{Addressee, Verdict, Whereabouts};
use noroshi_store::registry::partner::{PrefixUse, Programme};

use super::Withheld;
use super::text::Ground;
use crate::finding::{About, Finding, Reason, Support};

/// One reader of a finding.
#[derive(Clone, Debug)]
pub(super) struct Addressed {
    /// What it is to them.
    pub(super) kind: Kind,
    /// Who; `None` for the centre alone.
    pub(super) partner: Option<PartnerId>,
    pub(super) country: Option<String>,
    pub(super) tlp: Tlp,
    pub(super) attribution: Option<Attribution>,
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    pub(super) grounds: Vec<Ground>,
    pub(super) scanner: Option<String>,
    /// Seen at a telescope inside the partner's own network.
    pub(super) internal: bool,
}

/// Everybody who is told of a finding, or why nobody is.
pub(super) fn address(finding: &Finding, registry: &Registry) -> Result<Vec<Addressed>, Withheld> {
    let at = Millis(finding.at * 1000);
    match &finding.about {
        About::Source(..) | About::Victim(..) | About::Prefix(..) => {
            of_address(finding, registry, at)
        }
        About::Service(_, Some(country)) if finding.reason == Reason::NationalSurge => {
            Ok(of_country(finding, registry, at, *country))
        }
        About::Service(_, scope) => {
            let country = scope.map(|country| country.to_string());
            Ok(of_region(finding, registry, at, country))
        }
        About::Group(_) => Ok(vec![of_centre(finding, None)]),
        About::Network(_) => Err(Withheld::Nobody), // made after addressing
        About::ServiceOf(_, partner) => Ok(of_partner(finding, registry, at, partner)),
        About::Country(country) => {
            let mut told = of_country(finding, registry, at, *country);
            if told.iter().all(|one| one.partner.is_some()) {
                told.push(of_centre(finding, Some(country.to_string())));
            }
            Ok(told)
        }
        About::Sensor(sensor) => Ok(vec![of_sensor(sensor, registry)]),
    }
}

fn of_address(
    finding: &Finding,
    registry: &Registry,
    at: Millis,
) -> Result<Vec<Addressed>, Withheld> {
    let (Some(source), Some(origin)) = (finding.about.address(), finding.about.origin()) else {
        return Err(Withheld::Nobody);
    };
    if origin.bogon.is_some() && !registry.holds(source) {
        return Err(Withheld::Bogon);
    }
    let whereabouts = Whereabouts {
        source,
        asn: origin.asn,
        country: origin.country,
    };
    let addressee = match registry.verdict(whereabouts, at, Programme::Daedalus) {
        Verdict::Theirs(addressee) => addressee,
        Verdict::Withheld { reason, .. } => return Err(Withheld::Registry(reason)),
        Verdict::Nobody => return Err(Withheld::Nobody),
    };
    let owner = of_owner(finding, registry, &addressee, at);
    let informed = addressee.inform.iter().filter_map(|id| {
        let partner = registry.partner(id)?;
        Some(Addressed {
            partner: Some(partner.id.clone()),
            tlp: partner.tlp,
            ..owner.clone()
        })
    });
    let informed: Vec<Addressed> = informed.collect();
    Ok(std::iter::once(owner).chain(informed).collect())
}

fn of_owner(
    finding: &Finding,
    registry: &Registry,
    addressee: &Addressee,
    at: Millis,
) -> Addressed {
    let listed = finding
        .about
        .origin()
        .and_then(|origin| origin.scanner.as_deref());
    let scanner = addressee.scanner.clone().or(listed.map(str::to_owned));
    let internal = finding
        .sensors
        .iter()
        .any(|sensor| registry.is_internal(sensor, &addressee.partner, at));
    let kind = told_kind(finding, scanner.is_some(), internal);
    let urgent = internal || addressee.usage == Some(PrefixUse::Critical);
    let (confidence, mut grounds) = confidence(finding, registry, addressee.attribution.basis);
    match addressee.usage {
        Some(PrefixUse::Dynamic) => grounds.push(Ground::Dynamic),
        Some(PrefixUse::Cgn) => grounds.push(Ground::Cgn),
        _ => {}
    }
    Addressed {
        kind,
        partner: Some(addressee.partner.clone()),
        country: Some(addressee.country.to_string()),
        tlp: addressee.tlp,
        attribution: Some(addressee.attribution.clone()),
        severity: severity(kind, scanner.is_some(), urgent),
        confidence,
        grounds,
        scanner,
        internal,
    }
}

/// What it is to its owner: what scans inside the owner's network is infected, unless it is
/// known to scan; what is known to scan is not infected for the ports it asks for.
fn told_kind(finding: &Finding, is_known_scanner: bool, is_internal: bool) -> Kind {
    match (finding.kind, finding.reason) {
        (Kind::InfectedHost, Reason::BotPorts) if is_known_scanner => Kind::ScanningHost,
        (Kind::ScanningHost, _) if is_internal && !is_known_scanner => Kind::InfectedHost,
        (kind, _) => kind,
    }
}

fn severity(kind: Kind, is_known_scanner: bool, is_urgent: bool) -> Severity {
    match kind {
        Kind::ScanningHost | Kind::ReflectionRecon if is_known_scanner => Severity::Info,
        Kind::OpenReflector => Severity::Low,
        _ if is_urgent => Severity::High,
        Kind::ScanningHost | Kind::ReflectionRecon | Kind::SpoofSuspect => Severity::Low,
        _ => Severity::Medium,
    }
}

/// How sure it is: by the evidence, then no more than its attribution allows.
fn confidence(finding: &Finding, registry: &Registry, basis: Basis) -> (Confidence, Vec<Ground>) {
    let mut owners: Vec<&PartnerId> = finding
        .sensors
        .iter()
        .filter_map(|sensor| registry.sensor(sensor).map(|known| &known.partner))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    let independent = owners.len() >= 2;
    let (confidence, ground) = match finding.support {
        Support::Weak => (Confidence::Low, Ground::FewPackets),
        Support::Plain => (Confidence::Medium, Ground::Forgeable),
        Support::Broad | Support::Torn if independent => {
            (Confidence::High, Ground::IndependentSensors)
        }
        Support::Broad | Support::Torn => (Confidence::Medium, Ground::Forgeable),
        Support::Steady => (Confidence::High, Ground::Steady),
    };
    let mut grounds = vec![ground];
    match (&finding.about, finding.support) {
        (About::Source(..), Support::Torn) => grounds.push(Ground::PathsDiffer),
        (About::Source(..), Support::Steady) if finding.sensors.len() >= 2 => {
            grounds.push(Ground::PathsAgree);
        }
        _ => {}
    }
    if finding.reason == Reason::BotPorts {
        grounds.push(Ground::ByPorts);
    }
    if basis == Basis::Country && confidence > Confidence::Medium {
        grounds.push(Ground::ByCountry);
    }
    match grounds.iter().any(|ground| ground.limits()) {
        true => (confidence.min(Confidence::Medium), grounds),
        false => (confidence, grounds),
    }
}

/// The partners of the programme about signs of attacks; the centre alone where there are
/// none. No source is named: the community may know.
fn of_region(
    finding: &Finding,
    registry: &Registry,
    at: Millis,
    country: Option<String>,
) -> Vec<Addressed> {
    let centre = of_centre(finding, country);
    let told: Vec<Addressed> = registry
        .partners_of_programme(Programme::Practice, at)
        .map(|partner| Addressed {
            partner: Some(partner.id.clone()),
            tlp: Tlp::Green,
            ..centre.clone()
        })
        .collect();
    if told.is_empty() { vec![centre] } else { told }
}

/// The country's own partners of that programme; the centre alone where there are none.
fn of_country(
    finding: &Finding,
    registry: &Registry,
    at: Millis,
    country: Country,
) -> Vec<Addressed> {
    let centre = of_centre(finding, Some(country.to_string()));
    let told: Vec<Addressed> = registry
        .partners_of_programme(Programme::Practice, at)
        .filter(|partner| partner.country == country)
        .map(|partner| Addressed {
            partner: Some(partner.id.clone()),
            tlp: partner.tlp,
            ..centre.clone()
        })
        .collect();
    if told.is_empty() { vec![centre] } else { told }
}

/// One partner, if it takes part in that programme; else the centre alone.
fn of_partner(
    finding: &Finding,
    registry: &Registry,
    at: Millis,
    partner: &PartnerId,
) -> Vec<Addressed> {
    let mut told = registry.partners_of_programme(Programme::Practice, at);
    let Some(partner) = told.find(|one| one.id == *partner) else {
        return vec![of_centre(finding, None)];
    };
    vec![Addressed {
        partner: Some(partner.id.clone()),
        tlp: partner.tlp,
        ..of_centre(finding, Some(partner.country.to_string()))
    }]
}

/// The centre, of what is about no single address.
fn of_centre(finding: &Finding, country: Option<String>) -> Addressed {
    let silence = finding.reason == Reason::CountrySilence;
    let (confidence, ground) = match finding.support {
        Support::Weak => (Confidence::Low, Ground::FewTargets),
        Support::Plain if silence => (Confidence::Medium, Ground::OneTelescope),
        Support::Plain | Support::Torn => (Confidence::Medium, Ground::FewTargets),
        Support::Broad | Support::Steady if silence => (Confidence::High, Ground::OthersGoOn),
        Support::Broad | Support::Steady => (Confidence::High, Ground::ManySources),
    };
    Addressed {
        kind: finding.kind,
        partner: None,
        country,
        tlp: Tlp::default(),
        attribution: None,
        severity: Severity::Medium,
        confidence,
        grounds: vec![ground],
        scanner: None,
        internal: false,
    }
}

/// The owner of a sensor; the centre alone where it is not registered any more.
fn of_sensor(sensor: &SensorId, registry: &Registry) -> Addressed {
    let owner = registry
        .sensor(sensor)
        .and_then(|known| registry.partner(&known.partner));
    Addressed {
        kind: Kind::SensorSilence,
        partner: owner.map(|partner| partner.id.clone()),
        country: owner.map(|partner| partner.country.to_string()),
        tlp: owner.map_or_else(Tlp::default, |partner| partner.tlp),
        attribution: None,
        severity: Severity::Medium,
        confidence: Confidence::High,
        grounds: Vec::new(),
        scanner: None,
        internal: false,
    }
}
