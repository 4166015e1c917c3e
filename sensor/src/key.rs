//! What a sensor draws by lot: the key that masks targets, once and for good, and the name of
//! each run of its process.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use noroshi_proto::id::Epoch;

use crate::mask::MaskKey;

/// Bytes of a key.
const KEY_BYTES: usize = 16;

/// Why there is no key, and so what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operator looks at path and permissions.
    #[error("cannot {action} the salt file {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of ours was damaged, or the path names something else.
    #[error(
        "the salt file {} has {length} bytes instead of 16: restore it, or delete it to draw a new \
         one (targets seen before and after will then not be recognised as the same)",
        path.display()
    )]
    Length {
        /// Which.
        path: PathBuf,
        /// How long it is.
        length: usize,
    },
}

/// The key kept in `path`; where there is none, one is drawn and kept there, readable by its
/// owner alone.
///
/// # Errors
/// The file cannot be read or made, or is not a key.
pub fn load_or_draw(path: &Path) -> Result<MaskKey, KeyError> {
    match fs::read(path) {
        Ok(bytes) => {
            let length = bytes.len();
            let key = <[u8; KEY_BYTES]>::try_from(bytes);
            let wrong = |_| KeyError::Length {
                path: path.to_owned(),
                length,
            };
            key.map(MaskKey::from_bytes).map_err(wrong)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let failed = |source| KeyError::File {
                action: "make",
                path: path.to_owned(),
                source,
            };
            draw(path).map_err(failed)
        }
        Err(source) => Err(KeyError::File {
            action: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// 64 random bits: the name of this run.
///
/// # Errors
/// The system has no random numbers.
pub fn draw_epoch() -> io::Result<Epoch> {
    random().map(|bytes| Epoch(u64::from_le_bytes(bytes)))
}

fn draw(path: &Path) -> io::Result<MaskKey> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let key: [u8; KEY_BYTES] = random()?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&draft, path)?; // whole or not there: half a key would never be noticed
    File::open(directory)?.sync_all()?;
    Ok(MaskKey::from_bytes(key))
}

/// Bytes that nobody can guess.
///
/// # Errors
/// The system has no random numbers.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::mask::Mask;
    use crate::telescope::Telescope;

    fn masked(key: &MaskKey) -> Vec<u32> {
        let telescope = Telescope::new(&["198.18.0.0/24".parse().unwrap()]);
        let mask = Mask::new(key, telescope);
        (0..=255)
            .map(|host| mask.mask([198, 18, 0, host].into()))
            .collect()
    }

    #[test]
    fn a_key_is_drawn_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/salt");
        let key = load_or_draw(&path).unwrap();
        assert_eq!(masked(&key), masked(&load_or_draw(&path).unwrap()));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let other = load_or_draw(&directory.path().join("other")).unwrap();
        assert_ne!(masked(&key), masked(&other));
    }

    #[test]
    fn half_a_key_is_no_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("salt");
        fs::write(&path, [7; 8]).unwrap();
        assert!(matches!(
            load_or_draw(&path),
            Err(KeyError::Length { length: 8, .. })
        ));
    }

    #[test]
    fn every_run_has_another_name() {
        assert_ne!(draw_epoch().unwrap(), draw_epoch().unwrap());
    }
}
