//! The next certificates: the sensor asks for them itself, showing the last.

use std::path::Path;
use std::time::Duration;

use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::limits::ENROLMENT_BYTES_MAX;
use noroshi_proto::time::Millis;
use noroshi_proto::v1::RenewRequest;
use noroshi_proto::v1::enrolment_client::EnrolmentClient;
use tokio::time::{sleep, timeout};

use super::line::{self, LineError};
use super::{Identity, IdentityError, IdentityFiles, Request, SENSOR_FILE, put};
use crate::clock;
use crate::config::collector::{Collector, Way};
use crate::ship::CONNECT_TIMEOUT;

/// How long it is waited at most before the clock and the files are looked at again.
const LOOK_MAX: Duration = Duration::from_secs(3_600);
/// The least pause after an attempt that failed.
const AGAIN_MIN: Duration = Duration::from_secs(1);

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
enum RenewError {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the collector refuses: {0}")]
    Refused(String),
    #[error("the collector gave something else than this sensor's certificate: {0}")]
    Wrong(String),
    #[error("nobody answers")]
    Silent,
}

/// Renews the certificate whenever a third of its life remains; never ends. Nothing is done for a
/// sensor that is not enrolled, or whose certificate is brought.
pub async fn keep_valid<T>(collector: &Collector) -> T {
    let Way::Tls(files @ IdentityFiles::Enrolled(directory)) = collector.way() else {
        return std::future::pending().await;
    };
    loop {
        let pause = match Identity::load(files) {
            Ok(identity) => {
                let now = clock::now();
                let due = until(identity.certificate.renew_at(), now);
                if due.is_zero() {
                    attempt(collector, &identity.certificate, directory).await
                } else {
                    due
                }
            }
            Err(_) => LOOK_MAX, // whoever connects says why; it is looked at again
        };
        sleep(pause.min(LOOK_MAX)).await;
    }
}

/// One attempt, and how long to wait then.
async fn attempt(collector: &Collector, last: &SensorCertificate, directory: &Path) -> Duration {
    let renewed = timeout(2 * CONNECT_TIMEOUT, renew(collector, last, directory));
    match renewed.await.unwrap_or(Err(RenewError::Silent)) {
        Ok(next) => {
            tracing::info!(until = %next.valid.end, "certificate renewed");
            AGAIN_MIN
        }
        Err(error) => {
            let until_over = until(last.valid.end, clock::now());
            tracing::warn!(%error, until = %last.valid.end, "certificate not renewed");
            (until_over / 10).max(AGAIN_MIN)
        }
    }
}

async fn renew(
    collector: &Collector,
    last: &SensorCertificate,
    directory: &Path,
) -> Result<SensorCertificate, RenewError> {
    let request = Request::new(&last.sensor)?;
    let channel = line::connect(collector).await?;
    let mut client = EnrolmentClient::new(channel)
        .max_decoding_message_size(ENROLMENT_BYTES_MAX)
        .max_encoding_message_size(ENROLMENT_BYTES_MAX);
    let asked = RenewRequest {
        signing_request: request.der.clone(),
    };
    let answer = client.renew(asked).await;
    let answer = answer.map_err(|status| RenewError::Refused(line::verdict(&status)))?;
    let certificate = answer.into_inner().certificate;
    let next = SensorCertificate::read(&certificate)
        .map_err(|error| RenewError::Wrong(error.to_string()))?;
    if next.sensor != last.sensor || next.valid.end <= last.valid.end {
        let text = format!("it is sensor {}'s until {}", next.sensor, next.valid.end);
        return Err(RenewError::Wrong(text));
    }
    put(&directory.join(SENSOR_FILE), &request.pem(&certificate))?;
    Ok(next)
}

fn until(then: Millis, now: Millis) -> Duration {
    Duration::from_millis(then.0.saturating_sub(now.0))
}
