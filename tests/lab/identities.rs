//! Certificates that are revoked and that expire: what came meanwhile waits for the next one.

use std::fs;
use std::path::{Path, PathBuf};

use noroshi_proto::certificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_sensor::clock;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use time::OffsetDateTime;

use super::Test;
use super::scanner::Scanner;
use super::site::{Site, Wishes, until};

const TAKES: &[&str] = &["zmap", "hping3"];
/// How long a certificate lives that is to expire.
const LIFE_MILLIS: u64 = 8_000;
const DAY_MILLIS: u64 = 86_400_000;

pub const TESTS: &[Test] = &[
    Test {
        name: "identities::what_waits_when_a_certificate_is_revoked_comes_with_the_next",
        takes: TAKES,
        run: revoked,
    },
    Test {
        name: "identities::what_waits_when_a_certificate_expires_comes_with_the_next",
        takes: TAKES,
        run: expired,
    },
];

fn revoked() {
    let mut site = Site::start();
    let mut sent = site.scan(Scanner::Zmap);
    site.settle();
    site.uplink("down");
    sent += site.scan(Scanner::Flood(2_000));
    site.sensor_command("revoke");
    site.uplink("up");
    site.sensor_ends();
    let log = site.log("sensor.log");
    assert!(log.contains("was revoked at"), "{log}");
    site.enrol();
    site.start_sensor();
    sent += site.scan(Scanner::Zmap);
    assert_eq!(site.settle().raw.packets, sent);
}

fn expired() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(directory.path());
    authority.collector();
    let end = Millis(clock::now().0 + LIFE_MILLIS);
    authority.sensor(end);
    let files = |name: &str| {
        format!("certificate = \"{name}.pem\"\nkey = \"{name}-key.pem\"\nca = \"ca.pem\"\n")
    };
    let wishes = Wishes {
        collector_tls: Some(files("collector")),
        identity: Some(format!("[identity]\n{}", files("sensor"))),
        ..Wishes::default()
    };
    let mut site = Site::start_with(directory, wishes);
    let mut sent = site.scan(Scanner::Zmap);
    until("the certificate expires", || clock::now() > end);
    site.kill_collector();
    site.start_collector();
    site.hear("sensor.log", "does not take this sensor's certificate");
    sent += site.scan(Scanner::Flood(2_000));
    authority.sensor(Millis(clock::now().0 + DAY_MILLIS));
    assert_eq!(site.settle().raw.packets, sent);
}

/// An operator's own.
struct Authority {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(directory: &Path) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("it signs itself");
        fs::write(directory.join("ca.pem"), certificate.pem()).expect("writable");
        Self {
            directory: directory.to_owned(),
            issuer: Issuer::new(params, key),
        }
    }

    fn collector(&self) {
        let params = CertificateParams::new(vec!["192.0.2.10".to_owned()]);
        self.issue("collector", &params.expect("a name"));
    }

    fn sensor(&self, end: Millis) {
        let id = SensorId::new("jp-1").expect("an id");
        let mut params = CertificateParams::default();
        let uri = certificate::uri(&id).try_into();
        params.subject_alt_names = vec![SanType::URI(uri.expect("a URI"))];
        let end = i64::try_from(end.seconds()).expect("this century");
        params.not_after = OffsetDateTime::from_unix_timestamp(end).expect("this century");
        self.issue("sensor", &params);
    }

    /// The certificate last: whoever reads in between sees files that do not fit, and tries again.
    fn issue(&self, name: &str, params: &CertificateParams) {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("it is signed");
        let write = |suffix: &str, text: String| {
            let path = self.directory.join(format!("{name}{suffix}"));
            fs::write(path, text).expect("writable");
        };
        write("-key.pem", key.serialize_pem());
        write(".pem", signed.pem());
    }
}
