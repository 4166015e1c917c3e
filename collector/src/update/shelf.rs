//! What is given to sensors: one version for each kind of machine, and its file.
//!
//! ```text
//! offers/x86_64-linux      what was signed, and to whom it goes; replaced as a whole
//! files/SHA256             programs, by their digests
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use noroshi_proto::time::Millis;
use noroshi_proto::update::key::PublicKey;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::version::Version;
use noroshi_proto::update::{Digest, Manifest, NotAnUpdate, Signed};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::rollout::Rollout;
use crate::identity::{IdentityError, files};

/// Where programs stand.
const FILES: &str = "files";
/// What is not whole yet; no digest is called so.
const DRAFT: &str = ".draft";

/// The directory of updates.
#[derive(Clone, Debug)]
pub struct Shelf {
    directory: PathBuf,
    keys: Vec<PublicKey>,
}

/// What is given to one kind of machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// As it is handed on.
    pub signed: Signed,
    /// What it says.
    pub manifest: Manifest,
    /// Who is given it.
    pub to: Rollout,
}

/// Why an update is not published.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The operator looks at the directory.
    #[error(transparent)]
    Files(#[from] IdentityError),
    /// The operator looks at the file.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The operator looks which keys stand in `[collector.updates]`.
    #[error("the manifest is not believed: {0}")]
    NotBelieved(#[from] NotAnUpdate),
    /// The owner of the key signs it again.
    #[error("the manifest has expired at {0}: sign the file again")]
    Expired(Millis),
    /// The operator takes the right file.
    #[error("it is not the file that was signed: {0}")]
    OtherFile(String),
    /// The owner of the key signs a higher version.
    #[error(
        "version {published} was published for {target}, and no sensor that saw it takes {offered}: \
         build and sign it with a higher version"
    )]
    NotNewer {
        /// What was tried.
        offered: Version,
        /// What sensors may have seen.
        published: Version,
        /// Where.
        target: Target,
    },
}

/// An offer as it is written.
#[derive(Deserialize, Serialize)]
struct Written {
    signed: String,
    to: String,
}

impl Shelf {
    /// The one in this directory, with what these keys signed.
    pub fn new(directory: &Path, keys: &[PublicKey]) -> Self {
        Self {
            directory: directory.to_owned(),
            keys: keys.to_vec(),
        }
    }

    fn offers(&self) -> PathBuf {
        self.directory.join("offers")
    }

    /// Where the program of this digest stands.
    pub fn file(&self, sha256: Digest) -> PathBuf {
        self.directory.join(FILES).join(sha256.to_string())
    }

    /// What is given to machines of this kind, whoever of them.
    ///
    /// # Errors
    /// [`ShelfError::Files`], or what stands there is not believed any more.
    pub fn offer(&self, target: &Target) -> Result<Option<Offer>, ShelfError> {
        let path = self.offers().join(target.as_str());
        let Some(text) = files::read(&path)? else {
            return Ok(None);
        };
        let damaged = |problem: String| {
            let path = path.clone();
            IdentityError::Damaged { path, problem }
        };
        let written: Written =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let to = written.to.parse::<Rollout>();
        let to = to.map_err(|error| damaged(error.to_string()))?;
        let signed = Signed::read(written.signed.as_bytes())?;
        let manifest = signed.open(&self.keys)?;
        Ok(Some(Offer {
            signed,
            manifest,
            to,
        }))
    }

    /// Every offer, by kind of machine.
    ///
    /// # Errors
    /// See [`Shelf::offer`].
    pub fn list(&self) -> Result<Vec<Offer>, ShelfError> {
        let directory = self.offers();
        if !directory.exists() {
            return Ok(Vec::new());
        }
        let targets = files::names(&directory)?;
        let targets = targets.iter().filter_map(|name| Target::new(name));
        let offers: Result<Vec<_>, _> = targets.map(|target| self.offer(&target)).collect();
        Ok(offers?.into_iter().flatten().collect())
    }

    /// Gives a file to sensors of its kind, once it is found to be what was signed. The same again
    /// gives it to others, or for longer.
    ///
    /// # Errors
    /// See [`ShelfError`]; then nothing has changed.
    pub fn publish(
        &self,
        signed: &Signed,
        program: &Path,
        to: &Rollout,
        now: Millis,
    ) -> Result<Manifest, ShelfError> {
        let manifest = signed.open(&self.keys)?;
        if manifest.expires <= now {
            return Err(ShelfError::Expired(manifest.expires));
        }
        let before = self.offer(&manifest.target);
        if let Ok(Some(Offer {
            manifest: published,
            ..
        })) = &before
        {
            let same = manifest.version == published.version && manifest.sha256 == published.sha256;
            if manifest.version <= published.version && !same {
                return Err(ShelfError::NotNewer {
                    offered: manifest.version,
                    published: published.version,
                    target: manifest.target,
                });
            }
        }
        files::make_directory(&self.directory.join(FILES))?;
        files::make_directory(&self.offers())?;
        self.keep(program, &manifest)?;
        self.put(&Offer {
            signed: signed.clone(),
            manifest: manifest.clone(),
            to: to.clone(),
        })?;
        if let Err(error) = self.sweep() {
            tracing::warn!(%error, "old files of updates"); // they cost room and nothing else
        }
        Ok(manifest)
    }

    /// Gives what there is for these machines to others than before.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn direct(&self, offer: Offer, to: Rollout) -> Result<(), ShelfError> {
        self.put(&Offer { to, ..offer })
    }

    fn put(&self, offer: &Offer) -> Result<(), ShelfError> {
        let written = Written {
            signed: String::from_utf8_lossy(&offer.signed.to_bytes()).into_owned(), // it is text
            to: offer.to.to_string(),
        };
        let text = serde_json::json!(written).to_string();
        let path = self.offers().join(offer.manifest.target.as_str());
        Ok(files::put(&path, text.as_bytes())?)
    }

    /// Copies the program, and looks at every byte of it.
    fn keep(&self, program: &Path, manifest: &Manifest) -> Result<(), ShelfError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ShelfError::File { path, source }
        };
        let draft = self.directory.join(FILES).join(DRAFT);
        let mut from = File::open(program)
            .map_err(failed(program))?
            .take(manifest.bytes.saturating_add(1));
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(failed(program))?; // bounded by the manifest
        if bytes.len() as u64 != manifest.bytes {
            let text = format!(
                "its size is not the {} bytes of the manifest",
                manifest.bytes
            );
            return Err(ShelfError::OtherFile(text));
        }
        if Digest(Sha256::digest(&bytes).into()) != manifest.sha256 {
            return Err(ShelfError::OtherFile("its digest differs".to_owned()));
        }
        if let Some(target) = Target::of_program(&bytes).filter(|is| *is != manifest.target) {
            let text = format!(
                "it is a program for {target}, signed for {}",
                manifest.target
            );
            return Err(ShelfError::OtherFile(text));
        }
        let path = self.file(manifest.sha256);
        let keep = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(&bytes)?;
            files::like(&self.directory, &draft)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(self.directory.join(FILES))?.sync_all()
        };
        keep().map_err(failed(&path))
    }

    /// Removes programs that nobody is given.
    fn sweep(&self) -> Result<(), ShelfError> {
        let needed = self.list()?.into_iter();
        let needed: Vec<_> = needed
            .map(|offer| offer.manifest.sha256.to_string())
            .collect();
        let directory = self.directory.join(FILES);
        for name in files::names(&directory)? {
            if !needed.contains(&name) {
                files::remove(&directory.join(name))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use noroshi_proto::update::key::SigningKey;

    use super::*;

    const NOW: Millis = Millis(1_795_699_200_000);

    struct Author {
        key: SigningKey,
        directory: tempfile::TempDir,
    }

    impl Author {
        fn new() -> Self {
            Self {
                key: SigningKey::read(&SigningKey::draw().unwrap()).unwrap(),
                directory: tempfile::tempdir().unwrap(),
            }
        }

        fn shelf(&self) -> Shelf {
            let directory = self.directory.path().join("updates");
            Shelf::new(&directory, &[self.key.public()])
        }

        fn sign(&self, program: &[u8], version: &str) -> Signed {
            let manifest = Manifest {
                version: version.parse().unwrap(),
                target: Target::new("x86_64-linux").unwrap(),
                bytes: program.len() as u64,
                sha256: Digest(Sha256::digest(program).into()),
                issued: NOW,
                expires: Millis(NOW.0 + 1_000),
            };
            Signed::new(&manifest, &self.key)
        }

        fn publish(&self, program: &[u8], version: &str) -> Result<Manifest, ShelfError> {
            self.publish_as(program, &self.sign(program, version))
        }

        fn publish_as(&self, program: &[u8], signed: &Signed) -> Result<Manifest, ShelfError> {
            let path = self.directory.path().join("program");
            fs::write(&path, program).unwrap();
            self.shelf()
                .publish(signed, &path, &Rollout::Share(10), NOW)
        }

        fn offered(&self) -> Option<String> {
            let target = Target::new("x86_64-linux").unwrap();
            let offer = self.shelf().offer(&target).unwrap()?;
            let file = fs::read(self.shelf().file(offer.manifest.sha256)).unwrap();
            assert_eq!(Digest(Sha256::digest(file).into()), offer.manifest.sha256);
            Some(format!("{} {}", offer.manifest.version, offer.to))
        }
    }

    #[test]
    fn what_is_published_is_given_until_something_newer_is() {
        let author = Author::new();
        assert_eq!(author.offered(), None);
        assert!(author.shelf().list().unwrap().is_empty());
        author.publish(b"one", "0.2.0").unwrap();
        assert_eq!(author.offered().as_deref(), Some("0.2.0 10%"));
        author.publish(b"one", "0.2.0").expect("the same again");
        let offer = author.shelf().list().unwrap().remove(0);
        author.shelf().direct(offer, Rollout::All).unwrap();
        assert_eq!(author.offered().as_deref(), Some("0.2.0 all"));
        author.publish(b"two", "0.10.0").unwrap();
        assert_eq!(author.offered().as_deref(), Some("0.10.0 10%"));
        let files = fs::read_dir(author.directory.path().join("updates/files")).unwrap();
        assert_eq!(files.count(), 1, "what nobody is given goes");
    }

    #[test]
    fn mistakes_are_told_and_change_nothing() {
        let author = Author::new();
        author.publish(b"one", "0.2.0").unwrap();
        let older = author.publish(b"zero", "0.1.9").unwrap_err();
        assert!(matches!(older, ShelfError::NotNewer { .. }), "{older}");
        let twice = author.publish(b"another", "0.2.0").unwrap_err();
        assert!(matches!(twice, ShelfError::NotNewer { .. }), "{twice}");
        let other = author
            .publish_as(b"two!", &author.sign(b"two", "0.3.0"))
            .unwrap_err();
        assert!(matches!(other, ShelfError::OtherFile(_)), "{other}");
        let short = author
            .publish_as(b"tw", &author.sign(b"two", "0.3.0"))
            .unwrap_err();
        assert!(matches!(short, ShelfError::OtherFile(_)), "{short}");
        let stranger = Author::new().sign(b"two", "0.3.0");
        let stranger = author.publish_as(b"two", &stranger).unwrap_err();
        assert!(matches!(stranger, ShelfError::NotBelieved(_)), "{stranger}");
        let mut arm = b"\x7fELF\x02\x01".to_vec();
        arm.resize(64, 0);
        arm[18] = 183;
        let elsewhere = author.publish(&arm, "0.3.0").unwrap_err().to_string();
        assert!(elsewhere.contains("aarch64-linux"), "{elsewhere}");
        let path = author.directory.path().join("program");
        fs::write(&path, b"two").unwrap();
        let late = Millis(NOW.0 + 1_000);
        let signed = author.sign(b"two", "0.3.0");
        let late = author.shelf().publish(&signed, &path, &Rollout::All, late);
        assert!(matches!(late, Err(ShelfError::Expired(_))), "{late:?}");
        assert_eq!(author.offered().as_deref(), Some("0.2.0 10%"));
    }
}
