//! Who a certificate says that its owner is, and for how long.
//!
//! A sensor's certificate names it by one URI, `noroshi:sensor:ID`, among its subject alternative
//! names. Whether to believe it is TLS's business: this reads and trusts nothing.

use std::ops::Range;

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::id::SensorId;
use crate::time::Millis;

/// What stands before the id.
const URI_PREFIX: &str = "noroshi:sensor:";

/// What is read of a sensor's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorCertificate {
    /// Whose it is.
    pub sensor: SensorId,
    /// From when on, and until when.
    pub valid: Range<Millis>,
}

/// Why a certificate is no sensor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASensor {
    /// These bytes are none.
    #[error("it is no X.509 certificate")]
    Unreadable,
    /// It names nobody, or more than one.
    #[error("it does not name one sensor by a URI noroshi:sensor:ID")]
    Unnamed,
}

/// The URI that names a sensor in its certificate.
pub fn uri(sensor: &SensorId) -> String {
    format!("{URI_PREFIX}{sensor}")
}

impl SensorCertificate {
    /// Reads a certificate, in DER.
    ///
    /// # Errors
    /// See [`NotASensor`].
    pub fn read(der: &[u8]) -> Result<Self, NotASensor> {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|_| NotASensor::Unreadable)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| NotASensor::Unreadable)?
            .ok_or(NotASensor::Unnamed)?;
        let mut sensors = names.value.general_names.iter().filter_map(|name| {
            let GeneralName::URI(uri) = name else {
                return None;
            };
            uri.strip_prefix(URI_PREFIX)
        });
        let (Some(id), None) = (sensors.next(), sensors.next()) else {
            return Err(NotASensor::Unnamed);
        };
        let valid = certificate.validity();
        Ok(Self {
            sensor: SensorId::new(id).ok_or(NotASensor::Unnamed)?,
            valid: millis(valid.not_before.timestamp())..millis(valid.not_after.timestamp()),
        })
    }

    /// When the owner asks for the next one: a third of its life remains.
    pub fn renew_at(&self) -> Millis {
        let life = self.valid.end.0.saturating_sub(self.valid.start.0);
        Millis(self.valid.end.0 - life / 3)
    }
}

fn millis(seconds: i64) -> Millis {
    Millis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(uris: &[&str]) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["collector.example".to_owned()]).unwrap();
        let uris = uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names.extend(uris);
        params.not_before = time::OffsetDateTime::from_unix_timestamp(1_000).unwrap();
        params.not_after = time::OffsetDateTime::from_unix_timestamp(4_000).unwrap();
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn one_uri_names_the_sensor() {
        let read = SensorCertificate::read(&certificate(&["https://a", "noroshi:sensor:jp-1"]));
        let read = read.unwrap();
        assert_eq!(read.sensor.as_str(), "jp-1");
        assert_eq!(read.valid, Millis(1_000_000)..Millis(4_000_000));
        assert_eq!(read.renew_at(), Millis(3_000_000));
    }

    proptest::proptest! {
        /// Whatever a peer shows.
        #[test]
        fn a_damaged_certificate_is_read_or_not_and_nothing_else(
            at in 0usize..400, byte: u8, length in 0usize..600,
        ) {
            let mut damaged = certificate(&["noroshi:sensor:jp-1"]);
            if let Some(place) = damaged.get_mut(at) {
                *place = byte;
            }
            damaged.truncate(length);
            let _ = SensorCertificate::read(&damaged).map(|read| read.renew_at());
        }
    }

    #[test]
    fn nobody_two_and_what_is_no_id_are_no_sensor() {
        for uris in [
            &[][..],
            &["noroshi:sensor:"],
            &["noroshi:sensor:JP 1"],
            &["noroshi:partner:jp-1"],
            &["noroshi:sensor:a", "noroshi:sensor:b"],
        ] {
            let read = SensorCertificate::read(&certificate(uris));
            assert_eq!(read, Err(NotASensor::Unnamed), "{uris:?}");
        }
        let read = SensorCertificate::read(b"not a certificate");
        assert_eq!(read, Err(NotASensor::Unreadable));
    }
}
