//! The first certificate, for a one-time token.

use std::path::Path;

use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::limits::ENROLMENT_BYTES_MAX;
use noroshi_proto::token::{Fingerprint, Token};
use noroshi_proto::v1::EnrolRequest;
use noroshi_proto::v1::enrolment_client::EnrolmentClient;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tonic::transport::Uri;

use super::line::{self, LineError};
use super::{AUTHORITY_FILE, IdentityError, Request, SENSOR_FILE, pem, put};
use crate::ship::CONNECT_TIMEOUT;

/// Why a sensor was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The operator looks at the network, or at the token.
    #[error("the collector at {collector} is not reached: {reason}")]
    Line {
        /// Where.
        collector: String,
        /// Why not.
        reason: LineError,
    },
    /// The operator does what the centre says.
    #[error("the collector at {collector} refuses: {reason}")]
    Refused {
        /// Who.
        collector: String,
        /// Why.
        reason: String,
    },
    /// The centre is not what it should be.
    #[error(
        "the collector at {collector} gave something else than this sensor's certificate: {reason}"
    )]
    Wrong {
        /// Who.
        collector: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operator looks at the directory.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Makes a key, has it certified for the token, and keeps both in `directory`.
///
/// # Errors
/// See [`EnrolError`]. Whatever was kept there before is let be.
pub async fn enrol(
    collector: &Uri,
    sensor: &SensorId,
    token: &Token,
    directory: &Path,
) -> Result<SensorCertificate, EnrolError> {
    let request = Request::new(sensor)?;
    // What cannot be written should be known before the token is used up.
    let trial = directory.join("enrolling");
    put(&trial, "")?;
    let _ = std::fs::remove_file(trial); // empty, and harmless
    let named = collector.to_string();
    let unreached = |reason: LineError| EnrolError::Line {
        collector: named.clone(),
        reason,
    };
    let connecting = timeout(
        CONNECT_TIMEOUT,
        line::connect_first(collector, token.authority),
    );
    let silent = || LineError::Connection("nobody answers".to_owned());
    let channel = connecting.await.unwrap_or_else(|_| Err(silent()));
    let channel = channel.map_err(unreached)?;
    let mut client = EnrolmentClient::new(channel)
        .max_decoding_message_size(ENROLMENT_BYTES_MAX)
        .max_encoding_message_size(ENROLMENT_BYTES_MAX);
    let asked = EnrolRequest {
        sensor: sensor.to_string(),
        secret: token.secret.to_vec(),
        signing_request: request.der.clone(),
    };
    let answer = timeout(CONNECT_TIMEOUT, client.enrol(asked)).await;
    let answer = answer.map_err(|_| unreached(silent()))?;
    let answer = answer.map_err(|status| EnrolError::Refused {
        collector: named.clone(),
        reason: line::verdict(&status),
    })?;
    let answer = answer.into_inner();
    let wrong = |reason: String| EnrolError::Wrong {
        collector: named.clone(),
        reason,
    };
    let certificate =
        SensorCertificate::read(&answer.certificate).map_err(|error| wrong(error.to_string()))?;
    let authority = Fingerprint(Sha256::digest(&answer.authority).into());
    if certificate.sensor != *sensor {
        return Err(wrong(format!("it is sensor {}'s", certificate.sensor)));
    }
    if authority != token.authority {
        return Err(wrong("it is of another authority".to_owned()));
    }
    put(&directory.join(AUTHORITY_FILE), &pem(&answer.authority))?;
    put(
        &directory.join(SENSOR_FILE),
        &request.pem(&answer.certificate),
    )?;
    Ok(certificate)
}
