//! What the collector offers, and the file itself.
//!
//! Nothing that a collector says is believed: what it offers is a signature, and what it sends is
//! compared with what was signed. A file that does not come, does not end, or comes too slowly is
//! given up.

use std::path::PathBuf;
use std::time::Duration;

use noroshi_proto::id::SensorId;
use noroshi_proto::limits::{UPDATE_CHUNK_MAX, UPDATE_FETCH_MAX, UPDATE_MESSAGE_BYTES_MAX};
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;
use noroshi_proto::update::{Manifest, NotAnUpdate, Signed};
use noroshi_proto::v1::updates_client::UpdatesClient;
use noroshi_proto::v1::{FetchRequest, OfferRequest};
use tokio::time::timeout;
use tonic::Code;
use tonic::transport::Channel;

use super::releases::{ReleaseError, Releases};
use super::state::Failed;
use crate::config::collector::Collector;
use crate::identity::line::{self, LineError};
use crate::ship::CONNECT_TIMEOUT;

/// How long it is waited for what was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For each piece of a file.
    pub piece: Duration,
    /// For the whole file.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            piece: UPDATE_CHUNK_MAX,
            whole: UPDATE_FETCH_MAX,
        }
    }
}

/// Why there is nothing that can be used. All of it may be over later.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The collector is not reached.
    #[error(transparent)]
    Line(#[from] LineError),
    /// It does not answer, or the file comes too slowly.
    #[error("the collector takes too long: {0}")]
    Slow(&'static str),
    /// It says no.
    #[error("the collector refuses: {0}")]
    Refused(String),
    /// What it offers is nothing that is believed here.
    #[error("the collector offers something, and it is not believed: {0}")]
    NotBelieved(#[from] NotAnUpdate),
    /// What it sends is not what was signed, or it cannot be kept.
    #[error("the file cannot be used: {0}")]
    Release(#[from] ReleaseError),
}

/// A connection of its own: the stream of batches shares nothing with it.
pub struct Source {
    client: UpdatesClient<Channel>,
    sensor: SensorId,
    target: Target,
}

impl Source {
    /// Connects.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn connect(
        collector: &Collector,
        sensor: &SensorId,
        target: &Target,
    ) -> Result<Self, FetchError> {
        let connecting = timeout(CONNECT_TIMEOUT, line::connect(collector));
        let channel = connecting
            .await
            .map_err(|_| FetchError::Slow("to connect"))?;
        let client = UpdatesClient::new(channel?)
            .max_decoding_message_size(UPDATE_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(UPDATE_MESSAGE_BYTES_MAX);
        Ok(Self {
            client,
            sensor: sensor.clone(),
            target: target.clone(),
        })
    }

    /// What is offered to a sensor that runs `version`; it also tells what failed here. Nothing
    /// where the centre offers no updates at all.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn offer(
        &mut self,
        version: Version,
        failed: Option<&Failed>,
    ) -> Result<Option<Signed>, FetchError> {
        let asked = OfferRequest {
            sensor: self.sensor.to_string(),
            target: self.target.to_string(),
            version: version.to_string(),
            failed_version: failed.map_or(String::new(), |failed| failed.version.to_string()),
            failed_reason: failed.map_or(String::new(), |failed| failed.reason.clone()),
        };
        let answer = timeout(CONNECT_TIMEOUT, self.client.offer(asked)).await;
        let manifest = match answer.map_err(|_| FetchError::Slow("to answer"))? {
            Ok(answer) => answer.into_inner().manifest,
            Err(status) if status.code() == Code::Unimplemented => return Ok(None),
            Err(status) => return Err(FetchError::Refused(line::verdict(&status))),
        };
        if manifest.is_empty() {
            return Ok(None);
        }
        Ok(Some(Signed::read(&manifest)?))
    }

    /// Fetches the file of a manifest that was believed, and gives its program.
    ///
    /// # Errors
    /// See [`FetchError`]; then nothing of it is left among the releases.
    pub async fn fetch(
        &mut self,
        (signed, manifest): (&Signed, &Manifest),
        releases: &Releases,
        patience: Patience,
    ) -> Result<PathBuf, FetchError> {
        let asked = FetchRequest {
            sensor: self.sensor.to_string(),
            target: self.target.to_string(),
            sha256: manifest.sha256.0.to_vec(),
        };
        let refused = |status: tonic::Status| FetchError::Refused(line::verdict(&status));
        let fetching = async {
            let mut staging = releases.stage(manifest)?;
            let answer = timeout(patience.piece, self.client.fetch(asked)).await;
            let answer = answer.map_err(|_| FetchError::Slow("to send the file"))?;
            let mut pieces = answer.map_err(refused)?.into_inner();
            loop {
                let piece = timeout(patience.piece, pieces.message()).await;
                let piece = piece.map_err(|_| FetchError::Slow("to send the file's next bytes"))?;
                let Some(piece) = piece.map_err(refused)? else {
                    break;
                };
                staging.take(&piece.piece)?;
            }
            Ok(staging.finish(signed)?)
        };
        let fetched = timeout(patience.whole, fetching).await;
        fetched.unwrap_or(Err(FetchError::Slow("to send the whole file")))
    }
}
