//! Who let whom in or out, and when: one line of JSON for each, never changed.
//!
//! Renewals are left out: nobody decides them. So the file grows with what people do.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;

use super::{IdentityError, files};

/// The file, in the directory of identities.
const FILE: &str = "journal.jsonl";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A token was given.
    Invited,
    /// A token was used.
    Enrolled,
    /// Certificates were made void.
    Revoked,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Enrolled => "enrolled",
            Self::Revoked => "revoked",
        }
    }
}

/// Notes what `by` did about `sensor`.
///
/// # Errors
/// It cannot be written.
pub fn note(
    identity: &Path,
    deed: Deed,
    sensor: &SensorId,
    by: &str,
    now: Millis,
) -> Result<(), IdentityError> {
    let path = identity.join(FILE);
    let line = serde_json::json!({
        "at": now.to_string(),
        "did": deed.name(),
        "sensor": sensor.as_str(),
        "by": by,
    });
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(format!("{line}\n").as_bytes())?; // at once: lines do not mix
            file.sync_all()
        });
    let written = written.and_then(|()| files::like(identity, &path));
    written.map_err(files::failed("write", &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_are_kept_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let sensor = SensorId::new("jp-1").unwrap();
        for (deed, at) in [(Deed::Invited, 0), (Deed::Enrolled, 1), (Deed::Revoked, 2)] {
            note(directory.path(), deed, &sensor, "a \"b\"", Millis(at)).unwrap();
        }
        let text = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
        expect_test::expect![[r#"
            {"at":"1970-01-01T00:00:00.000Z","by":"a \"b\"","did":"invited","sensor":"jp-1"}
            {"at":"1970-01-01T00:00:00.001Z","by":"a \"b\"","did":"enrolled","sensor":"jp-1"}
            {"at":"1970-01-01T00:00:00.002Z","by":"a \"b\"","did":"revoked","sensor":"jp-1"}
        "#]]
        .assert_eq(&text);
    }
}
