//! Who is at the other end of a connection.

use std::sync::Arc;

use noroshi_proto::certificate::{NotASensor, SensorCertificate};
use noroshi_proto::id::SensorId;
use noroshi_proto::refusal::Refusal;

use super::revocations::Revocations;

/// What a connection shows of its peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A program on this machine, in the clear: believed.
    Local,
    /// Somebody who showed no certificate.
    Unknown,
    /// Whoever holds the key of this certificate, which TLS found in order.
    Sensor(Arc<SensorCertificate>),
    /// Somebody with a certificate of the right authority that names no sensor.
    Stranger(NotASensor),
}

impl Caller {
    /// Of a certificate in DER, once TLS found it in order.
    pub fn of(certificate: &[u8]) -> Self {
        match SensorCertificate::read(certificate) {
            Ok(certificate) => Self::Sensor(Arc::new(certificate)),
            Err(reason) => Self::Stranger(reason),
        }
    }

    /// The sensor that the certificate names.
    pub fn sensor(&self) -> Option<&SensorId> {
        match self {
            Self::Sensor(certificate) => Some(&certificate.sensor),
            Self::Local | Self::Unknown | Self::Stranger(_) => None,
        }
    }

    /// The certificate, good as far as revocations say; `None` for a program on this machine.
    ///
    /// # Errors
    /// [`Refusal::Unidentified`].
    pub fn admitted(
        &self,
        revocations: &Revocations,
    ) -> Result<Option<&Arc<SensorCertificate>>, Refusal> {
        match self {
            Self::Local => Ok(None),
            Self::Sensor(certificate) => match revocations.against(certificate) {
                None => Ok(Some(certificate)),
                Some(at) => Err(Refusal::Unidentified(format!(
                    "what was issued to sensor {} was revoked at {at}: a younger certificate lets it \
                     in again (`noroshi sensor enrol {}`, by the centre's operator)",
                    certificate.sensor, certificate.sensor
                ))),
            },
            Self::Unknown => Err(Refusal::Unidentified(
                "none was shown: `noroshi-sensor enrol` fetches one".to_owned(),
            )),
            Self::Stranger(reason) => Err(Refusal::Unidentified(reason.to_string())),
        }
    }

    /// Whether this caller may speak for `claimed`.
    ///
    /// # Errors
    /// [`Refusal::Unidentified`].
    pub fn speaks_for(&self, claimed: &SensorId) -> Result<(), Refusal> {
        match self.sensor() {
            Some(sensor) if sensor != claimed => Err(Refusal::Unidentified(format!(
                "it is sensor {sensor}'s, and the stream says that it is sensor {claimed}'s"
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use noroshi_proto::time::Millis;

    use super::*;

    fn sensor(id: &str) -> SensorId {
        SensorId::new(id).unwrap()
    }

    fn caller(id: &str) -> Caller {
        Caller::Sensor(Arc::new(SensorCertificate {
            sensor: sensor(id),
            valid: Millis(1_000)..Millis(9_000),
        }))
    }

    #[test]
    fn who_shows_nothing_or_something_else_or_was_revoked_is_nobody() {
        let revoked = Revocations::new([(sensor("b"), Millis(2_000))]);
        assert_eq!(Caller::Local.admitted(&revoked), Ok(None));
        assert!(
            caller("a")
                .admitted(&revoked)
                .is_ok_and(|some| some.is_some())
        );
        for nobody in [
            Caller::Unknown,
            Caller::Stranger(NotASensor::Unnamed),
            caller("b"),
        ] {
            let refused = nobody.admitted(&revoked);
            assert!(
                matches!(refused, Err(Refusal::Unidentified(_))),
                "{nobody:?}"
            );
        }
    }

    #[test]
    fn a_sensor_speaks_for_itself_alone() {
        assert_eq!(caller("a").speaks_for(&sensor("a")), Ok(()));
        assert_eq!(Caller::Local.speaks_for(&sensor("a")), Ok(()));
        let forged = caller("a").speaks_for(&sensor("b"));
        assert!(matches!(forged, Err(Refusal::Unidentified(_))));
    }
}
