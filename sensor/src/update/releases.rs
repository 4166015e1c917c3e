//! Versions on disk: a directory each, with the program and what was signed about it.
//!
//! ```text
//! releases/0.2.0/noroshi-sensor     mode 0500
//! releases/0.2.0/signed             the manifest, as the centre gave it
//! staging/                          the same, while it arrives
//! ```
//! A directory comes to be among the releases as a whole, once everything in it was found right
//! and is on disk.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use noroshi_proto::limits::UPDATE_MANIFEST_BYTES_MAX;
use noroshi_proto::update::key::PublicKey;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;
use noroshi_proto::update::{Digest, Manifest, NotAnUpdate, PRODUCT, Signed};
use sha2::{Digest as _, Sha256};

use super::state::make;

const RELEASES: &str = "releases";
const STAGING: &str = "staging";
const SIGNED: &str = "signed";

/// Versions in a directory.
#[derive(Clone, Debug)]
pub struct Releases {
    directory: PathBuf,
}

/// A file that arrives.
#[derive(Debug)]
pub struct Staging<'a> {
    releases: &'a Releases,
    manifest: &'a Manifest,
    file: File,
    bytes: u64,
    digest: Sha256,
}

/// Why a version cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The operator looks at path and rights, or at the disk.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Its key is not believed any more, or somebody changed it.
    #[error("its manifest is not believed: {0}")]
    Manifest(#[from] NotAnUpdate),
    /// It is something else than its manifest says.
    #[error("it is not the file that was signed: {0}")]
    OtherFile(String),
}

impl ReleaseError {
    fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}

impl Releases {
    /// Those in the directory of updates.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    fn of(&self, version: Version) -> PathBuf {
        self.directory.join(RELEASES).join(version.to_string())
    }

    fn staging(&self) -> PathBuf {
        self.directory.join(STAGING)
    }

    /// The program of a version, once all of it was found to be what one of `keys` signed for
    /// `here`. When it expires counts where it is taken, not where it is started.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub fn program(
        &self,
        version: Version,
        keys: &[PublicKey],
        here: &Target,
    ) -> Result<PathBuf, ReleaseError> {
        let directory = self.of(version);
        let path = directory.join(SIGNED);
        let signed = File::open(&path).and_then(|file| {
            let mut bytes = Vec::new();
            let most = u64::try_from(UPDATE_MANIFEST_BYTES_MAX).unwrap_or(u64::MAX);
            file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let signed = signed.map_err(ReleaseError::file("read", &path))?;
        let manifest = Signed::read(&signed)?.open(keys)?;
        if manifest.version != version || manifest.target != *here {
            let text = format!("it is {} for {}", manifest.version, manifest.target);
            return Err(ReleaseError::OtherFile(text));
        }
        let program = directory.join(PRODUCT);
        let read = digest_of(&program, manifest.bytes);
        match read.map_err(ReleaseError::file("read", &program))? {
            (bytes, digest) if bytes == manifest.bytes && digest == manifest.sha256 => Ok(program),
            (bytes, _) if bytes != manifest.bytes => Err(ReleaseError::OtherFile(format!(
                "it has {bytes} bytes or more instead of {}",
                manifest.bytes
            ))),
            _ => Err(ReleaseError::OtherFile("its digest differs".to_owned())),
        }
    }

    /// Begins to take the file of `manifest`; whatever arrived before is gone.
    ///
    /// # Errors
    /// [`ReleaseError::File`].
    pub fn stage<'a>(&'a self, manifest: &'a Manifest) -> Result<Staging<'a>, ReleaseError> {
        let staging = self.staging();
        let begin = || {
            remove(&staging)?;
            make(&staging)?;
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o500)
                .open(staging.join(PRODUCT))
        };
        Ok(Staging {
            releases: self,
            manifest,
            file: begin().map_err(ReleaseError::file("write", &staging))?,
            bytes: 0,
            digest: Sha256::new(),
        })
    }

    /// Removes every version but these, and what has not arrived.
    ///
    /// # Errors
    /// [`ReleaseError::File`].
    pub fn sweep(&self, needed: impl Iterator<Item = Version>) -> Result<(), ReleaseError> {
        let needed: Vec<PathBuf> = needed.map(|version| self.of(version)).collect();
        let releases = self.directory.join(RELEASES);
        let sweep = || {
            remove(&self.staging())?;
            for entry in fs::read_dir(&releases)? {
                let path = entry?.path();
                if !needed.contains(&path) {
                    remove(&path)?;
                }
            }
            Ok::<_, io::Error>(())
        };
        match sweep() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // there are none yet
            swept => swept.map_err(ReleaseError::file("remove", &releases)),
        }
    }
}

impl Staging<'_> {
    /// Takes the next bytes; never more than were promised.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub fn take(&mut self, piece: &[u8]) -> Result<(), ReleaseError> {
        let more = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(more);
        if self.bytes > self.manifest.bytes {
            return Err(ReleaseError::OtherFile(format!(
                "it has more than {} bytes",
                self.manifest.bytes
            )));
        }
        self.digest.update(piece);
        let written = self.file.write_all(piece);
        written.map_err(ReleaseError::file("write", &self.releases.staging()))
    }

    /// Makes it one of the releases, where it is whole and right, and gives its program.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub fn finish(self, signed: &Signed) -> Result<PathBuf, ReleaseError> {
        let (releases, manifest) = (self.releases, self.manifest);
        if self.bytes != manifest.bytes {
            let (bytes, promised) = (self.bytes, manifest.bytes);
            let text = format!("it ends after {bytes} bytes of {promised}");
            return Err(ReleaseError::OtherFile(text));
        }
        if Digest(self.digest.finalize().into()) != manifest.sha256 {
            return Err(ReleaseError::OtherFile("its digest differs".to_owned()));
        }
        let (staging, release) = (releases.staging(), releases.of(manifest.version));
        let finish = || {
            self.file.set_permissions(Permissions::from_mode(0o500))?;
            self.file.sync_all()?;
            drop(self.file); // what is open for writing cannot be run
            let mut file = File::create_new(staging.join(SIGNED))?;
            file.write_all(&signed.to_bytes())?;
            file.sync_all()?;
            File::open(&staging)?.sync_all()?;
            let among = releases.directory.join(RELEASES);
            make(&among)?;
            remove(&release)?;
            fs::rename(&staging, &release)?;
            File::open(&among)?.sync_all()?;
            File::open(&releases.directory)?.sync_all()
        };
        finish().map_err(ReleaseError::file("write", &release))?;
        Ok(release.join(PRODUCT))
    }
}

/// Of a file, as far as it may go; one byte more shows that it goes further.
fn digest_of(path: &Path, bytes_max: u64) -> io::Result<(u64, Digest)> {
    let mut file = File::open(path)?.take(bytes_max.saturating_add(1));
    let (mut bytes, mut digest) = (0, Sha256::new());
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((bytes, Digest(digest.finalize().into())));
        }
        bytes += read as u64;
        digest.update(&piece[..read]);
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
