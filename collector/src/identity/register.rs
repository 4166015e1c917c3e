//! Certificates issued: the newest of each sensor, for `noroshi sensor list`.
//!
//! Whether a certificate is good does not depend on it.

use std::path::{Path, PathBuf};

use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use serde::{Deserialize, Serialize};

use super::{IdentityError, files};

/// The directory of what was issued: a file per sensor of the registry.
#[derive(Clone, Debug)]
pub struct Register {
    directory: PathBuf,
}

/// The newest certificate of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Since when it is good.
    pub from: Millis,
    /// Until when.
    pub until: Millis,
}

#[derive(Deserialize, Serialize)]
struct File {
    from_ms: u64,
    until_ms: u64,
}

impl Register {
    /// The one in the directory of identities.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn open(identity: &Path) -> Result<Self, IdentityError> {
        let directory = identity.join("issued");
        files::make_directory(&directory)?;
        Ok(Self { directory })
    }

    /// Notes a certificate that was issued, instead of its sensor's older one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&self, certificate: &SensorCertificate) -> Result<(), IdentityError> {
        let file = File {
            from_ms: certificate.valid.start.0,
            until_ms: certificate.valid.end.0,
        };
        let text = serde_json::json!(file).to_string();
        files::put(&self.path(&certificate.sensor), text.as_bytes())
    }

    /// The newest certificate of a sensor.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(&self, sensor: &SensorId) -> Result<Option<Issued>, IdentityError> {
        let path = self.path(sensor);
        let Some(text) = files::read(&path)? else {
            return Ok(None);
        };
        let file: File = serde_json::from_str(&text).map_err(|error| IdentityError::Damaged {
            path,
            problem: error.to_string(),
        })?;
        Ok(Some(Issued {
            from: Millis(file.from_ms),
            until: Millis(file.until_ms),
        }))
    }

    /// A sensor's id is a file's name: it has letters, digits and hyphens alone.
    fn path(&self, sensor: &SensorId) -> PathBuf {
        self.directory.join(sensor.as_str())
    }
}
