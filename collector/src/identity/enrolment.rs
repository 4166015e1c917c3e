//! The gRPC service that gives certificates: the first for a token, the next for the last.

use std::path::PathBuf;
use std::sync::Arc;

use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_proto::v1::enrolment_server::Enrolment;
use noroshi_proto::v1::{EnrolRequest, EnrolResponse, RenewRequest, RenewResponse};
use noroshi_store::registry::Registry;
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status};

use super::IdentityError;
use super::authority::{Authority, NotSigned};
use super::caller::Caller;
use super::journal::{self, Deed};
use super::register::Register;
use super::revocations::{Revocations, RevocationsDirectory};
use super::tokens::{NotTaken, Tokens};
use crate::clock;

/// Certificates signed at a time; each takes the disk a moment.
const AT_WORK_MAX: usize = 4;

/// What certificates are given by.
pub struct Office {
    /// The directory of identities.
    pub directory: PathBuf,
    /// Signs.
    pub authority: Arc<Authority>,
    /// Unused tokens.
    pub tokens: Tokens,
    /// What was issued.
    pub register: Register,
    /// Who was revoked.
    pub revocations: RevocationsDirectory,
    /// Which sensors there are.
    pub registry: Arc<Registry>,
    /// How long a sensor's certificate lives, in milliseconds.
    pub sensor_millis: u64,
}

/// The service.
pub struct EnrolmentService {
    office: Arc<Office>,
    at_work: Semaphore,
}

impl EnrolmentService {
    /// Gives what `office` gives.
    pub fn new(office: Office) -> Self {
        Self {
            office: Arc::new(office),
            at_work: Semaphore::new(AT_WORK_MAX),
        }
    }

    /// Does something that waits for the disk, in its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Office, Millis) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let Ok(_turn) = self.at_work.acquire().await else {
            return Err(Status::unavailable("the collector ends"));
        };
        let office = Arc::clone(&self.office);
        let done = tokio::task::spawn_blocking(move || work(&office, clock::now())).await;
        done.unwrap_or_else(|_| Err(Status::internal("the certificate could not be made")))
    }
}

#[tonic::async_trait]
impl Enrolment for EnrolmentService {
    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let asked = request.into_inner();
        let response = self.in_turn(move |office, now| office.enrol(&asked, now));
        response.await.map(Response::new)
    }

    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let caller = caller.unwrap_or(Caller::Unknown);
        let asked = request.into_inner();
        let response = self.in_turn(move |office, now| office.renew(&caller, &asked, now));
        response.await.map(Response::new)
    }
}

impl Office {
    fn enrol(&self, asked: &EnrolRequest, now: Millis) -> Result<EnrolResponse, Status> {
        let sensor = SensorId::new(&asked.sensor)
            .ok_or_else(|| Status::invalid_argument("the sensor's id is none"))?;
        let secret = asked.secret.as_slice().try_into();
        let secret = secret.map_err(|_| Status::invalid_argument("the token's secret is none"))?;
        self.known(&sensor)?;
        let revocations = self.revoked()?;
        // Signed before the token is used up: a request that cannot be signed costs no token.
        let certificate = self.sign((&sensor, &revocations), &asked.signing_request, now)?;
        self.tokens.take(secret, &sensor, now).map_err(not_taken)?;
        self.note(&certificate)?;
        journal::note(&self.directory, Deed::Enrolled, &sensor, "its token", now)
            .map_err(|error| unavailable(&error))?;
        tracing::info!(%sensor, "enrolled");
        Ok(EnrolResponse {
            certificate,
            authority: self.authority.certificate().to_vec(),
        })
    }

    fn renew(
        &self,
        caller: &Caller,
        asked: &RenewRequest,
        now: Millis,
    ) -> Result<RenewResponse, Status> {
        let refused = |refusal: noroshi_proto::refusal::Refusal| {
            Status::new(Code::PermissionDenied, refusal.to_string())
        };
        let revocations = self.revoked()?;
        let Some(shown) = caller.admitted(&revocations).map_err(refused)? else {
            return Err(Status::permission_denied("no certificate was shown"));
        };
        self.known(&shown.sensor)?;
        let whose = (&shown.sensor, &revocations);
        let certificate = self.sign(whose, &asked.signing_request, now)?;
        self.note(&certificate)?;
        tracing::info!(sensor = %shown.sensor, "certificate renewed");
        Ok(RenewResponse { certificate })
    }

    fn known(&self, sensor: &SensorId) -> Result<(), Status> {
        if self.registry.sensor(sensor).is_some() {
            return Ok(());
        }
        let text = format!("sensor {sensor} is not in the centre's registry");
        Err(Status::permission_denied(text))
    }

    fn revoked(&self) -> Result<Revocations, Status> {
        let read = self.revocations.read();
        read.map_err(|error| unavailable(&error))
    }

    /// Signs for a sensor that was admitted by these revocations. A younger one, which comes while
    /// this is under way, makes void what is signed.
    fn sign(
        &self,
        (sensor, revocations): (&SensorId, &Revocations),
        request: &[u8],
        now: Millis,
    ) -> Result<Vec<u8>, Status> {
        let start = revocations.start_of_next(sensor, now);
        let valid = start..Millis(start.0.saturating_add(self.sensor_millis));
        let signed = self.authority.sign_sensor(request, sensor, valid);
        let signed = signed.map_err(|error| match error {
            NotSigned::Request(_) => Status::invalid_argument(error.to_string()),
            NotSigned::Identity(error) => unavailable(&error),
        })?;
        Ok(signed.to_vec())
    }

    fn note(&self, certificate: &[u8]) -> Result<(), Status> {
        let read = SensorCertificate::read(certificate)
            .map_err(|error| Status::internal(error.to_string()))?;
        self.register
            .note(&read)
            .map_err(|error| unavailable(&error))
    }
}

fn not_taken(reason: NotTaken) -> Status {
    match reason {
        NotTaken::Identity(error) => unavailable(&error),
        refused => {
            tracing::warn!(reason = %refused, "a token was not taken");
            Status::permission_denied(refused.to_string())
        }
    }
}

/// The log tells paths; a peer is told none.
fn unavailable(error: &IdentityError) -> Status {
    tracing::error!(%error, "identities");
    Status::unavailable("the centre cannot work with its identities now: try later")
}
