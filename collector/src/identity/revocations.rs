//! What stands against whom.
//!
//! A revocation makes void what was issued to a sensor until then. So it holds for an operator's
//! own authority, too, and a sensor comes back by a younger certificate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use tokio::sync::watch;

use super::{IdentityError, files};

/// How often a collector looks whether somebody was revoked.
const LOOK: Duration = Duration::from_millis(250);

/// The newest revocation of each sensor that has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations(BTreeMap<SensorId, Millis>);

/// Where revocations stand: a file per sensor.
#[derive(Clone, Debug)]
pub struct RevocationsDirectory {
    path: PathBuf,
}

/// Revocations as they are now.
pub type Watched = watch::Receiver<Arc<Revocations>>;

impl Revocations {
    /// Those of these sensors, at these times.
    pub fn new(revoked: impl IntoIterator<Item = (SensorId, Millis)>) -> Self {
        Self(revoked.into_iter().collect())
    }

    /// Whether the certificate is void, and since when.
    pub fn against(&self, certificate: &SensorCertificate) -> Option<Millis> {
        let at = self.of(&certificate.sensor)?;
        (certificate.valid.start <= at).then_some(at)
    }

    /// When the sensor was revoked last.
    pub fn of(&self, sensor: &SensorId) -> Option<Millis> {
        self.0.get(sensor).copied()
    }

    /// From when on a certificate that is issued now must be good, so that no revocation until
    /// now makes it void. Certificates count whole seconds.
    pub fn start_of_next(&self, sensor: &SensorId, now: Millis) -> Millis {
        let second = |time: Millis| time.seconds() * 1_000;
        let after = self.of(sensor).map_or(0, |at| second(at) + 1_000);
        Millis(second(now).max(after))
    }
}

impl RevocationsDirectory {
    /// The one in the directory of identities.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(identity: &Path) -> Result<Self, IdentityError> {
        let path = identity.join("revoked");
        files::make_directory(&path)?;
        Ok(Self { path })
    }

    /// Makes void what was issued to `sensor` until now.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn revoke(&self, sensor: &SensorId, now: Millis) -> Result<(), IdentityError> {
        let text = format!("{}\n", now.0);
        files::put(&self.path.join(sensor.as_str()), text.as_bytes())
    }

    /// All of them. A file that says no time stands against every certificate of its sensor.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn read(&self) -> Result<Revocations, IdentityError> {
        let mut revoked = BTreeMap::new();
        for name in files::names(&self.path)? {
            let Some(sensor) = SensorId::new(&name) else {
                continue; // nobody is called so
            };
            if let Some(text) = files::read(&self.path.join(&name))? {
                let at = text.trim().parse().unwrap_or(u64::MAX);
                revoked.insert(sensor, Millis(at));
            }
        }
        Ok(Revocations(revoked))
    }

    /// Tells whenever they change, until `stopped`. While they cannot be read, what was read last
    /// holds, and the log says so.
    pub async fn watch(
        self,
        tell: watch::Sender<Arc<Revocations>>,
        stopped: impl Future<Output = ()>,
    ) {
        let mut stopped = std::pin::pin!(stopped);
        let mut seen = None;
        loop {
            let stamp = self.stamp().await;
            // Two changes within one stamp of the file system are seen by reading twice.
            if seen != Some((stamp, true)) {
                seen = Some((stamp, seen.is_some_and(|(before, _)| before == stamp)));
                match self.read() {
                    Ok(read) if read != **tell.borrow() => {
                        tell.send_replace(Arc::new(read));
                    }
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "revocations cannot be read"),
                }
            }
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn stamp(&self) -> Option<SystemTime> {
        let metadata = tokio::fs::metadata(&self.path).await.ok()?;
        metadata.modified().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensor(id: &str) -> SensorId {
        SensorId::new(id).unwrap()
    }

    fn certificate(id: &str, from: u64) -> SensorCertificate {
        SensorCertificate {
            sensor: sensor(id),
            valid: Millis(from)..Millis(from + 86_400_000),
        }
    }

    #[test]
    fn what_was_issued_until_then_is_void_and_nothing_else() {
        let revocations = Revocations::new([(sensor("a"), Millis(5_400))]);
        assert_eq!(
            revocations.against(&certificate("a", 5_000)),
            Some(Millis(5_400))
        );
        assert_eq!(revocations.against(&certificate("a", 6_000)), None);
        assert_eq!(revocations.against(&certificate("b", 5_000)), None);
    }

    #[test]
    fn the_next_certificate_is_younger_than_any_revocation() {
        let revocations = Revocations::new([(sensor("a"), Millis(5_400))]);
        for now in [5_400, 5_999, 6_000, 9_500] {
            let start = revocations.start_of_next(&sensor("a"), Millis(now));
            assert_eq!(revocations.against(&certificate("a", start.0)), None);
            assert!(start.0 <= now + 1_000, "{start:?}");
        }
        let other = revocations.start_of_next(&sensor("b"), Millis(5_400));
        assert_eq!(other, Millis(5_000));
    }

    #[tokio::test]
    async fn a_revocation_is_told_to_those_who_watch() {
        let directory = tempfile::tempdir().unwrap();
        let revocations = RevocationsDirectory::open(directory.path()).unwrap();
        let (tell, mut watched) = watch::channel(Arc::default());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let watching = tokio::spawn(revocations.clone().watch(tell, async {
            let _ = stopped.await;
        }));
        for at in [1_000, 2_000] {
            revocations.revoke(&sensor("a"), Millis(at)).unwrap();
            let told = |all: &Arc<Revocations>| all.of(&sensor("a")) == Some(Millis(at));
            watched.wait_for(told).await.unwrap();
        }
        stop.send(()).unwrap();
        watching.await.unwrap();
    }

    #[test]
    fn a_damaged_revocation_stands_against_all() {
        let directory = tempfile::tempdir().unwrap();
        let revocations = RevocationsDirectory::open(directory.path()).unwrap();
        std::fs::write(directory.path().join("revoked/a"), "").unwrap();
        let read = revocations.read().unwrap();
        assert!(read.against(&certificate("a", 1 << 50)).is_some());
    }
}
