//! The feeds' own key: with it they sign what they hand out and want back unchanged, such as the
//! links in mails and the places in lists.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

const KEY_BYTES: usize = 32;
/// Bytes of a signature that are handed out: 128 bits cannot be guessed, and links stay short.
const SIGNATURE_BYTES: usize = 16;

/// A secret of 32 bytes.
#[derive(Clone)]
pub struct Key([u8; KEY_BYTES]);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file.
    #[error("cannot read or make the key {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Its contents.
    #[error("{0}: a key has 64 hexadecimal digits: make one with `openssl rand -hex 32`")]
    Spoiled(PathBuf),
}

impl Key {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads the key, or draws one and keeps it (mode 0600) where there is none.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds something else.
    pub fn load_or_draw(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File {
            path: path.to_owned(),
            source,
        };
        match fs::read_to_string(path) {
            Ok(text) => parse(text.trim()).ok_or_else(|| KeyError::Spoiled(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match draw(path) {
                // Another process drew it at the same time: its key counts.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let text = fs::read_to_string(path).map_err(failed)?;
                    parse(text.trim()).ok_or_else(|| KeyError::Spoiled(path.to_owned()))
                }
                drawn => drawn.map_err(failed),
            },
            Err(error) => Err(failed(error)),
        }
    }

    /// A signature of `text`, good for `purpose` alone: what was signed for one is worth nothing
    /// for another. In base64url, 22 characters.
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        let signature = self.mac(purpose, text).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(&signature[..SIGNATURE_BYTES])
    }

    /// Whether `signature` is that of `text` for `purpose`; it takes the same time for each.
    pub fn verifies(&self, purpose: &str, text: &str, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        let mac = self.mac(purpose, text);
        signature.len() == SIGNATURE_BYTES && mac.verify_truncated_left(&signature).is_ok()
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length is a key's");
        mac.update(purpose.as_bytes());
        mac.update(&[0]); // no purpose is the beginning of another with a text
        mac.update(text.as_bytes());
        mac
    }
}

fn parse(text: &str) -> Option<Key> {
    let digits = text.as_bytes();
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Key(key))
}

/// Draws a key and puts it where no half of it is ever seen.
fn draw(path: &Path) -> io::Result<Key> {
    let mut key = [0; KEY_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    let written = writeln!(file, "{digits}").and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&beside, path));
    fs::remove_file(&beside)?;
    linked.map(|()| Key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_good_for_its_text_and_purpose() {
        let key = Key::new([7; KEY_BYTES]);
        let signature = key.sign("link", "case 1");
        assert_eq!(signature.len(), 22);
        assert!(key.verifies("link", "case 1", &signature));
        for (purpose, text) in [("link", "case 2"), ("page", "case 1"), ("lin", "kcase 1")] {
            assert!(!key.verifies(purpose, text, &signature), "{purpose} {text}");
        }
        assert!(!Key::new([8; KEY_BYTES]).verifies("link", "case 1", &signature));
        for wrong in ["", "AAAA", &signature[..21], &format!("{signature}AA")] {
            assert!(!key.verifies("link", "case 1", wrong), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_drawn_once_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("feeds.key");
        let drawn = Key::load_or_draw(&path).unwrap();
        let read = Key::load_or_draw(&path).unwrap();
        assert_eq!(drawn.sign("a", "b"), read.sign("a", "b"));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        fs::write(&path, "short").unwrap();
        assert!(Key::load_or_draw(&path).is_err());
    }
}
