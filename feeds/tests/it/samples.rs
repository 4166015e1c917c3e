//! An alert of every kind, as the analyzer makes them.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{
    Alert, Attribution, Basis, Confidence, Evidence, Kind, Severity, State, Subject, Tlp,
};
use noroshi_store::notices::SINKHOLE;
use uuid::Uuid;

/// 2 November 2026, 06:00:00 UTC.
const MORNING: u64 = 1_793_599_200_000;

fn alert(number: u128, kind: Kind, subject: Subject, services: &[&str]) -> Alert {
    Alert {
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()),
        kind,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: Some("th-cert".to_owned()),
        country: Some("TH".to_owned()),
        attribution: Some(Attribution {
            basis: Basis::Prefix,
            matched: "203.0.113.0/24".to_owned(),
            registry_version: "1f0c33a9b1d2".to_owned(),
        }),
        opened_at: Millis(MORNING + 10_000),
        first_seen: Millis(MORNING + 2_345),
        last_seen: Millis(MORNING + 9_900),
        detected_at: Millis(MORNING + 10_000),
        subject,
        evidence: Evidence {
            services: services.iter().map(|it| (*it).to_owned()).collect(),
            packets: 31,
            targets: 29,
            sensors: 2,
            ..Evidence::default()
        },
        reason_code: "scan".to_owned(),
        explanation: format!("Something was seen, case {number}."),
        exercise: false,
    }
}

fn source(text: &str) -> Subject {
    Subject::Source {
        source: text.parse().expect("an address"),
        asn: Some(64500),
    }
}

fn victim(text: &str) -> Subject {
    Subject::Victim {
        victim: text.to_owned(),
        asn: Some(64500),
    }
}

fn service(text: &str, scope: &str) -> Subject {
    Subject::Service {
        service: text.to_owned(),
        scope: scope.to_owned(),
    }
}

/// With Mirai's mark, and one service.
pub(crate) fn infected(number: u128, address: &str) -> Alert {
    let mut alert = alert(number, Kind::InfectedHost, source(address), &["tcp/23"]);
    alert.evidence.fingerprint = Some("mirai".to_owned());
    alert.evidence.source_port = Some(40_123);
    alert.reason_code = "mirai_syn".to_owned();
    alert
}

/// Hosts that become indicators.
pub(crate) fn indicated() -> Vec<(&'static str, Alert)> {
    let mut two = infected(2, "2001:db8::7");
    two.evidence.services.push("tcp/2323".to_owned());
    let scanning = ["tcp/22", "udp/53", "icmp/8"];
    vec![
        ("infected_host", infected(1, "203.0.113.7")),
        ("infected_host_v6_two_services", two),
        (
            "scanning_host",
            alert(3, Kind::ScanningHost, source("203.0.113.8"), &scanning),
        ),
        (
            "reflection_recon",
            alert(
                4,
                Kind::ReflectionRecon,
                source("203.0.113.9"),
                &["udp/123"],
            ),
        ),
    ]
}

/// Everything else that partners are told, never as an indicator.
pub(crate) fn reported() -> Vec<(&'static str, Alert)> {
    [harmless(), victims(), trends()].concat()
}

/// Hosts that must not be blocked, or not because of this.
fn harmless() -> Vec<(&'static str, Alert)> {
    let recon = source("203.0.113.20");
    let mut doubted = alert(10, Kind::ReflectionRecon, recon, &["udp/53"]);
    doubted.reason_code = "amplifier_doubt".to_owned();
    let mut known = alert(11, Kind::ScanningHost, source("203.0.113.21"), &["tcp/443"]);
    known.severity = Severity::Info;
    known.evidence.scanner = Some("A measuring university".to_owned());
    let mut exercise = infected(12, "203.0.113.22");
    exercise.exercise = true;
    let mut sinkhole = infected(13, "203.0.113.23");
    sinkhole.reason_code = SINKHOLE.to_owned();
    sinkhole.evidence.services.clear();
    let open = source("203.0.113.24");
    vec![
        ("reflection_recon_in_doubt", doubted),
        ("known_scanner", known),
        ("exercise", exercise),
        ("imported", sinkhole),
        (
            "open_reflector",
            alert(19, Kind::OpenReflector, open, &["udp/53"]),
        ),
    ]
}

fn victims() -> Vec<(&'static str, Alert)> {
    let mut forged = alert(
        14,
        Kind::ReflectionVictim,
        victim("203.0.113.80"),
        &["udp/389"],
    );
    forged.evidence.source_port = Some(443);
    let carpet = victim("203.0.113.128/25");
    let mut carpet = alert(15, Kind::DdosVictim, carpet, &["tcp/80", "tcp/443"]);
    carpet.evidence.victims = ["203.0.113.129", "203.0.113.130"]
        .map(|it| it.parse().expect("an address"))
        .to_vec();
    let flooded = alert(18, Kind::DdosVictim, victim("203.0.113.81"), &["tcp/80"]);
    let framed = alert(
        22,
        Kind::SpoofSuspect,
        victim("203.0.113.0/26"),
        &["tcp/23"],
    );
    vec![
        ("reflection_victim", forged),
        ("ddos_victim", flooded),
        ("ddos_victim_prefix", carpet),
        ("spoof_suspect", framed),
    ]
}

/// About no single address.
fn trends() -> Vec<(&'static str, Alert)> {
    let network = Subject::Network {
        network: "th-cert".to_owned(),
    };
    let mut jump = alert(16, Kind::InfectedHost, network, &["tcp/23"]);
    jump.severity = Severity::High;
    jump.evidence.hosts = vec!["203.0.113.31".parse().expect("an address")];
    let wanted = service("tcp/5555", "region");
    let mut surge = alert(17, Kind::ScanSurge, wanted, &["tcp/5555"]);
    surge.country = None;
    surge.attribution = None;
    surge.tlp = Tlp::Green;
    let national = service("tcp/8080", "TH");
    let rhythm = service("tcp/22", "region");
    let country = Subject::Country {
        country: "TH".to_owned(),
    };
    vec![
        ("infection_jump", jump),
        ("scan_surge", surge),
        (
            "new_service",
            alert(20, Kind::NewService, national, &["tcp/8080"]),
        ),
        (
            "coordinated_scan",
            alert(21, Kind::CoordinatedScan, rhythm, &["tcp/22"]),
        ),
        (
            "country_silence",
            alert(23, Kind::CountrySilence, country, &[]),
        ),
    ]
}
