//! Who this sensor is: a key that never leaves this machine, and a certificate that says whose it
//! is.
//!
//! | module    | holds                                                     | touches the world |
//! |-----------|-----------------------------------------------------------|-------------------|
//! | [`mod@line`] | connections to the collector, encrypted or on loopback    | the network       |
//! | [`enrol`] | the first certificate, for a one-time token               | network and files |
//! | [`renew`] | the next ones                                             | network and files |
//!
//! Key and certificate stand in one file (mode 0600) that is replaced as a whole: they always
//! fit together, whenever the power fails. It is read anew for each connection, so a certificate
//! that was renewed or brought is used from the next connection on.

mod dial;
pub mod enrol;
pub mod line;
mod names;
pub mod renew;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use noroshi_proto::certificate::{NotASensor, SensorCertificate};
use noroshi_proto::id::SensorId;
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Key and certificate, in the directory of a sensor that was enrolled.
const SENSOR_FILE: &str = "sensor.pem";
/// The authority that signed the collector's certificate.
const AUTHORITY_FILE: &str = "authority.pem";

/// Where the sensor's identity is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFiles {
    /// In a directory of the sensor's own: by `noroshi-sensor enrol`, and renewed by itself.
    Enrolled(PathBuf),
    /// In files that the operator brings, and renews.
    Brought {
        /// The sensor's chain, its own certificate first.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
        /// Authorities of the collector's certificate.
        ca: PathBuf,
    },
}

/// What the sensor shows, and by whose word it knows the collector.
#[derive(Debug)]
pub struct Identity {
    /// What its certificate says.
    pub certificate: SensorCertificate,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authorities: Vec<CertificateDer<'static>>,
}

/// Why there is no identity, and so what to do.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Somebody enrols it.
    #[error(
        "this sensor is not enrolled ({} is not there): get a token by `noroshi sensor enrol` at \
         the centre, and give it to `noroshi-sensor enrol`", path.display()
    )]
    NotEnrolled {
        /// What is missing.
        path: PathBuf,
    },
    /// The operator looks at path and rights.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The operator enrols it anew, or mends the files that were brought.
    #[error("{}: {problem}", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A key cannot be made.
    #[error("no key can be made: {0}")]
    Key(#[from] rcgen::Error),
}

impl IdentityFiles {
    fn paths(&self) -> (PathBuf, PathBuf, PathBuf) {
        match self {
            Self::Enrolled(directory) => {
                let sensor = directory.join(SENSOR_FILE);
                (sensor.clone(), sensor, directory.join(AUTHORITY_FILE))
            }
            Self::Brought {
                certificate,
                key,
                ca,
            } => (certificate.clone(), key.clone(), ca.clone()),
        }
    }
}

impl Identity {
    /// Reads the files, as they are now.
    ///
    /// # Errors
    /// See [`IdentityError`], with the file at fault.
    pub fn load(files: &IdentityFiles) -> Result<Self, IdentityError> {
        let (certificate, key, ca) = files.paths();
        if matches!(files, IdentityFiles::Enrolled(_)) && !certificate.exists() {
            return Err(IdentityError::NotEnrolled { path: certificate });
        }
        let chain = certificates(&certificate)?;
        let unusable = |path: &Path, problem: String| IdentityError::Unusable {
            path: path.to_owned(),
            problem,
        };
        let read = SensorCertificate::read(chain.first().map_or(&[], |first| first.as_ref()))
            .map_err(|error: NotASensor| unusable(&certificate, error.to_string()))?;
        let key_der = PrivateKeyDer::from_pem_file(&key)
            .map_err(|error| unusable(&key, format!("no private key: {error}")))?;
        Ok(Self {
            certificate: read,
            chain,
            key: key_der,
            authorities: certificates(&ca)?,
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let unusable = |problem: String| IdentityError::Unusable {
        path: path.to_owned(),
        problem,
    };
    let bytes = fs::read(path).map_err(|source| IdentityError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let certificates = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("there is no certificate in it (PEM)".to_owned()));
    }
    Ok(certificates)
}

/// A key that was just made, and the request to have it certified.
struct Request {
    key: KeyPair,
    /// PKCS #10, DER.
    der: Vec<u8>,
}

impl Request {
    fn new(sensor: &SensorId) -> Result<Self, IdentityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let name = sensor.as_str();
        params.distinguished_name.push(DnType::CommonName, name);
        let der = params.serialize_request(&key)?.der().to_vec();
        Ok(Self { key, der })
    }

    /// Key and certificate, as they are kept.
    fn pem(&self, certificate: &[u8]) -> String {
        self.key.serialize_pem() + &pem(certificate)
    }
}

fn pem(certificate: &[u8]) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new("CERTIFICATE", certificate), config)
}

/// Gives what was made to whoever has `model`: root may enrol for the service's user.
fn like(model: &Path, made: impl AsRef<Path>) -> io::Result<()> {
    let (model, own) = (fs::metadata(model)?, fs::metadata(made.as_ref())?);
    if (model.uid(), model.gid()) == (own.uid(), own.gid()) || own.uid() != 0 {
        return Ok(());
    }
    chown(made, Some(model.uid()), Some(model.gid()))
}

/// Puts a file there, whole or not at all, for its owner alone.
fn put(path: &Path, text: &str) -> Result<(), IdentityError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let put = || {
        let mut make = DirBuilder::new();
        if !directory.exists() {
            make.recursive(true).mode(0o700).create(directory)?;
            like(directory.parent().unwrap_or(directory), directory)?;
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(".new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text.as_bytes())?;
        like(directory, &draft)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(directory)?.sync_all()
    };
    put().map_err(|source| IdentityError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let files = IdentityFiles::Enrolled(directory.path().join("identity"));
        let absent = Identity::load(&files).unwrap_err();
        assert!(matches!(absent, IdentityError::NotEnrolled { .. }));

        let sensor = SensorId::new("jp-1").unwrap();
        let request = Request::new(&sensor).unwrap();
        let mut params = CertificateParams::default();
        let uri = noroshi_proto::certificate::uri(&sensor);
        params.subject_alt_names = vec![rcgen::SanType::URI(uri.try_into().unwrap())];
        let signed = params.self_signed(&request.key).unwrap();
        let (kept, _, authority) = files.paths();
        put(&kept, &request.pem(signed.der())).unwrap();
        put(&authority, &pem(signed.der())).unwrap();
        let identity = Identity::load(&files).unwrap();
        assert_eq!(identity.certificate.sensor, sensor);
        assert_eq!(identity.chain, identity.authorities);
        assert_eq!(pem(signed.der()), signed.pem().replace('\r', ""));
        let mode = fs::metadata(&kept).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn half_a_file_is_no_identity() {
        let directory = tempfile::tempdir().unwrap();
        let files = IdentityFiles::Enrolled(directory.path().to_owned());
        let (kept, ..) = files.paths();
        put(&kept, "-----BEGIN CERTIFICATE-----\nAAAA").unwrap();
        let broken = Identity::load(&files).unwrap_err();
        assert!(matches!(broken, IdentityError::Unusable { .. }), "{broken}");
    }
}
