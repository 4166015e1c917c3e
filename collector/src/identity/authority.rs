//! The centre's own authority: the key that signs sensors' and collectors' certificates.
//!
//! It is drawn where there is none, in one file (mode 0600) that holds key and certificate. What
//! a sensor asks for is not what it gets: of a signing request only the key is taken.

use std::ops::Range;
use std::path::Path;

use noroshi_proto::certificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::limits::SIGNING_REQUEST_BYTES_MAX;
use noroshi_proto::time::Millis;
use noroshi_proto::token::Fingerprint;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{IdentityError, files};

/// The authority's file, in the directory of identities.
const FILE: &str = "authority.pem";
/// How long the authority lives: longer than the boxes in the field.
const YEARS: u64 = 20;
const YEAR_MILLIS: u64 = 366 * 86_400_000;
/// How far a sensor's clock may be behind when it looks at the centre's certificates.
const BACKDATED_MILLIS: u64 = 7 * 86_400_000;
/// Bytes of a serial number: random, so that nothing must be counted.
const SERIAL_BYTES: usize = 16;

/// Signs.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A server's certificate, its authority's behind it, and the key.
pub struct ServerIdentity {
    /// The server's own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Never written to disk.
    pub key: PrivateKeyDer<'static>,
}

/// What was sent is no signing request.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    /// It will never be right.
    #[error("the signing request cannot be used: {0}")]
    Request(String),
    /// The authority's own trouble.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Authority {
    /// Reads the authority in `directory`; where there is none, one is drawn and kept there.
    ///
    /// # Errors
    /// The file cannot be read or made, or is damaged.
    pub fn open_or_draw(directory: &Path, now: Millis) -> Result<Self, IdentityError> {
        let path = directory.join(FILE);
        if let Some(text) = files::read(&path)? {
            return Self::parse(&text, &path);
        }
        files::make_directory(directory)?;
        files::put_once(&path, draw(now)?.as_bytes())?;
        // Whoever was first: what is there now counts.
        let text = files::read(&path)?.unwrap_or_default();
        Self::parse(&text, &path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, IdentityError> {
        let damaged = |problem: String| IdentityError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let certificate = CertificateDer::from_pem_slice(text.as_bytes())
            .map_err(|error| damaged(format!("no certificate: {error}")))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes())
            .map_err(|error| damaged(format!("no key: {error}")))?;
        let key = KeyPair::try_from(&key).map_err(|error| damaged(error.to_string()))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)
            .map_err(|error| damaged(error.to_string()))?;
        Ok(Self {
            certificate,
            issuer,
        })
    }

    /// The authority's own certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// What a token says of it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(&self.certificate).into())
    }

    /// A certificate for `sensor` and the key of a signing request (PKCS #10, DER).
    ///
    /// # Errors
    /// The request is none, or not signed by its key.
    pub fn sign_sensor(
        &self,
        request: &[u8],
        sensor: &SensorId,
        valid: Range<Millis>,
    ) -> Result<CertificateDer<'static>, NotSigned> {
        if request.len() > SIGNING_REQUEST_BYTES_MAX {
            let text = format!("it has more than {SIGNING_REQUEST_BYTES_MAX} bytes");
            return Err(NotSigned::Request(text));
        }
        let asked = CertificateSigningRequestParams::from_der(&request.into())
            .map_err(|error| NotSigned::Request(error.to_string()))?;
        let mut params = params(sensor.as_str(), valid)?;
        let uri = certificate::uri(sensor).try_into();
        params.subject_alt_names = vec![SanType::URI(uri.map_err(IdentityError::from)?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let signed = params.signed_by(&asked.public_key, &self.issuer);
        Ok(signed.map_err(IdentityError::from)?.der().clone())
    }

    /// A certificate for a server that is reached by these names and addresses.
    ///
    /// # Errors
    /// A name is none.
    pub fn sign_server(
        &self,
        names: &[String],
        now: Millis,
        life_millis: u64,
    ) -> Result<ServerIdentity, IdentityError> {
        let key = KeyPair::generate()?;
        let valid = backdated(now)..Millis(now.0.saturating_add(life_millis));
        let mut server = params("Noroshi collector", valid)?;
        server.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.use_authority_key_identifier_extension = true;
        let signed = server.signed_by(&key, &self.issuer)?;
        Ok(ServerIdentity {
            chain: vec![signed.der().clone(), self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }
}

/// Key and certificate of a new authority, PEM.
fn draw(now: Millis) -> Result<String, IdentityError> {
    let key = KeyPair::generate()?;
    let valid = backdated(now)..Millis(now.0.saturating_add(YEARS * YEAR_MILLIS));
    // Two centres' authorities differ by name, so that a sensor's log tells which one it met.
    let [a, b, c, d] = files::random::<4>()?;
    let name = format!("Noroshi authority {a:02x}{b:02x}{c:02x}{d:02x}");
    let mut params = params(&name, valid)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let certificate = params.self_signed(&key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

fn params(name: &str, valid: Range<Millis>) -> Result<CertificateParams, IdentityError> {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.not_before = instant(valid.start);
    params.not_after = instant(valid.end);
    params.serial_number = Some(SerialNumber::from_slice(&files::random::<SERIAL_BYTES>()?));
    params.distinguished_name = distinguished_name;
    Ok(params)
}

fn backdated(now: Millis) -> Millis {
    Millis(now.0.saturating_sub(BACKDATED_MILLIS))
}

/// Whole seconds: certificates know no others.
fn instant(time: Millis) -> OffsetDateTime {
    let seconds = i64::try_from(time.seconds()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use noroshi_proto::certificate::SensorCertificate;

    use super::*;

    const NOW: Millis = Millis(1_793_599_200_000);

    fn request(params: CertificateParams) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        params.serialize_request(&key).unwrap().der().to_vec()
    }

    #[test]
    fn an_authority_is_drawn_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("data/identity");
        let drawn = Authority::open_or_draw(&inside, NOW).unwrap();
        let read = Authority::open_or_draw(&inside, NOW).unwrap();
        assert_eq!(drawn.fingerprint(), read.fingerprint());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inside), 0o700);
        assert_eq!(mode(&inside.join(FILE)), 0o600);
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 1);
    }

    #[test]
    fn half_an_authority_is_none() {
        let directory = tempfile::tempdir().unwrap();
        Authority::open_or_draw(directory.path(), NOW).unwrap();
        let path = directory.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(matches!(
            Authority::open_or_draw(directory.path(), NOW),
            Err(IdentityError::Damaged { .. })
        ));
    }

    /// Whatever it asks to be, a sensor becomes the one its token or certificate names.
    #[test]
    fn of_a_signing_request_only_the_key_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_draw(directory.path(), NOW).unwrap();
        let mut wish = CertificateParams::new(vec!["collector.example".to_owned()]).unwrap();
        let other = SanType::URI("noroshi:sensor:other".try_into().unwrap());
        wish.subject_alt_names.push(other);
        wish.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let sensor = SensorId::new("jp-1").unwrap();
        let valid = NOW..Millis(NOW.0 + 3_600_000);
        let signed = authority
            .sign_sensor(&request(wish), &sensor, valid.clone())
            .unwrap();
        let read = SensorCertificate::read(&signed).unwrap();
        assert_eq!(read, SensorCertificate { sensor, valid });
    }

    #[test]
    fn what_is_no_signing_request_is_not_signed() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_draw(directory.path(), NOW).unwrap();
        let sensor = SensorId::new("jp-1").unwrap();
        let mut forged = request(CertificateParams::default());
        let last = forged.len() - 1;
        forged[last] ^= 1; // its signature
        for wrong in [
            forged,
            Vec::new(),
            vec![0x30; SIGNING_REQUEST_BYTES_MAX + 1],
        ] {
            let signed = authority.sign_sensor(&wrong, &sensor, NOW..Millis(NOW.0 + 1));
            assert!(matches!(signed, Err(NotSigned::Request(_))), "{signed:?}");
        }
    }
}
