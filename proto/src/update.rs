//! Which file a sensor may run next: a manifest, signed where nobody reaches the key.
//!
//! | module      | holds                                              |
//! |-------------|----------------------------------------------------|
//! | [`key`]     | Ed25519 keys: what signs, and what is believed     |
//! | [`version`] | versions, which only ever grow                     |
//! | [`target`]  | which machines a file is for                       |
//!
//! # Format
//! ```text
//! signature 128 hexadecimal digits                 Ed25519 of every byte below this line
//! noroshi-update 1
//! product noroshi-sensor
//! version 0.2.0
//! target x86_64-linux
//! bytes 5995704
//! sha256 64 hexadecimal digits
//! issued 1795699200                                seconds since 1970
//! expires 1803475200
//! ```
//! The first line of what is signed says what it is, so that no signature of it is one of
//! something else.
//!
//! # Promises
//! - Nothing is read of a manifest before its signature was found good.
//! - A manifest has one text: what reads and would be written otherwise is none.

pub mod key;
pub mod target;
pub mod version;

use std::fmt;

use crate::limits::{UPDATE_BYTES_MAX, UPDATE_MANIFEST_BYTES_MAX};
use crate::time::Millis;

use self::key::{PublicKey, SIGNATURE_BYTES, SigningKey};
use self::target::Target;
use self::version::Version;

/// What the sensor's updates are called.
pub const PRODUCT: &str = "noroshi-sensor";
/// What every signed text begins with.
const FORMAT: &str = "noroshi-update 1";
/// What an envelope begins with.
const SIGNATURE: &[u8] = b"signature ";

/// SHA-256 of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

/// What was signed about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The file's, and what it calls itself.
    pub version: Version,
    /// The machines it runs on.
    pub target: Target,
    /// Its size, 1 to [`UPDATE_BYTES_MAX`].
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
    /// When this was written; whole seconds.
    pub issued: Millis,
    /// From when on it is not to be taken any more; whole seconds.
    pub expires: Millis,
}

/// A manifest with its signature, as it is kept and as it travels: whoever has it knows nothing
/// of it before [`Signed::open`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    signature: [u8; SIGNATURE_BYTES],
    manifest: Vec<u8>,
}

/// Why something is no update that may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnUpdate {
    /// More bytes than any.
    #[error("it has more than {UPDATE_MANIFEST_BYTES_MAX} bytes")]
    TooLong,
    /// Cut, or something else.
    #[error("it does not begin with a signature")]
    NotSigned,
    /// Whoever signed is not believed here, or it was changed.
    #[error("none of the keys that are believed here has signed it")]
    Unbelieved,
    /// Signed, and wrong: of another format, or written by hand.
    #[error(
        "what was signed is no manifest of a sensor's update: its line `{0}` is not as it should be"
    )]
    Malformed(&'static str),
}

impl Signed {
    /// Signs.
    pub fn new(manifest: &Manifest, key: &SigningKey) -> Self {
        let manifest = manifest.to_string().into_bytes();
        Self {
            signature: key.sign(&manifest),
            manifest,
        }
    }

    /// Takes an envelope apart, and believes nothing.
    ///
    /// # Errors
    /// [`NotAnUpdate::TooLong`] and [`NotAnUpdate::NotSigned`].
    pub fn read(bytes: &[u8]) -> Result<Self, NotAnUpdate> {
        const LINE: usize = SIGNATURE.len() + 2 * SIGNATURE_BYTES;
        if bytes.len() > UPDATE_MANIFEST_BYTES_MAX {
            return Err(NotAnUpdate::TooLong);
        }
        let Some((line, [b'\n', manifest @ ..])) = bytes.split_at_checked(LINE) else {
            return Err(NotAnUpdate::NotSigned);
        };
        let digits = line.strip_prefix(SIGNATURE).ok_or(NotAnUpdate::NotSigned)?;
        Ok(Self {
            signature: from_hex(digits).ok_or(NotAnUpdate::NotSigned)?,
            manifest: manifest.to_vec(),
        })
    }

    /// The envelope.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend_from_slice(Hex(&self.signature).to_string().as_bytes());
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.manifest);
        bytes
    }

    /// What was signed, once one of `keys` has signed it.
    ///
    /// # Errors
    /// [`NotAnUpdate::Unbelieved`] and [`NotAnUpdate::Malformed`].
    pub fn open(&self, keys: &[PublicKey]) -> Result<Manifest, NotAnUpdate> {
        let signed = |key: &PublicKey| key.has_signed(&self.manifest, &self.signature);
        if !keys.iter().any(signed) {
            return Err(NotAnUpdate::Unbelieved);
        }
        Manifest::parse(&self.manifest)
    }
}

impl Manifest {
    /// Reads what was signed.
    ///
    /// # Errors
    /// [`NotAnUpdate::Malformed`], with the line at fault.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAnUpdate> {
        let text = str::from_utf8(bytes).map_err(|_| NotAnUpdate::Malformed(FORMAT))?;
        let mut lines = Lines(text.lines());
        if lines.0.next() != Some(FORMAT) {
            return Err(NotAnUpdate::Malformed(FORMAT));
        }
        lines.value("product", |product| (product == PRODUCT).then_some(()))?;
        let manifest = Self {
            version: lines.value("version", |text| text.parse().ok())?,
            target: lines.value("target", Target::new)?,
            bytes: lines.value("bytes", |text| text.parse().ok())?,
            sha256: lines.value("sha256", |text| from_hex(text.as_bytes()).map(Digest))?,
            issued: lines.value("issued", seconds)?,
            expires: lines.value("expires", seconds)?,
        };
        if !(1..=UPDATE_BYTES_MAX).contains(&manifest.bytes) {
            return Err(NotAnUpdate::Malformed("bytes"));
        }
        if manifest.expires <= manifest.issued {
            return Err(NotAnUpdate::Malformed("expires"));
        }
        if manifest.to_string() != text {
            return Err(NotAnUpdate::Malformed(FORMAT)); // a line more, or another spelling
        }
        Ok(manifest)
    }
}

/// What is signed.
impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FORMAT}\nproduct {PRODUCT}\nversion {}", self.version)?;
        writeln!(f, "target {}\nbytes {}", self.target, self.bytes)?;
        writeln!(f, "sha256 {}", self.sha256)?;
        let (issued, expires) = (self.issued.seconds(), self.expires.seconds());
        writeln!(f, "issued {issued}\nexpires {expires}")
    }
}

struct Lines<'a>(std::str::Lines<'a>);

impl Lines<'_> {
    /// The value of the next line, which must be `name`'s.
    fn value<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, NotAnUpdate> {
        let line = self.0.next().and_then(|line| line.split_once(' '));
        let value = line.filter(|(named, _)| *named == name);
        let value = value.and_then(|(_, value)| parse(value));
        value.ok_or(NotAnUpdate::Malformed(name))
    }
}

fn seconds(text: &str) -> Option<Millis> {
    text.parse::<u64>().ok()?.checked_mul(1_000).map(Millis)
}

/// Bytes in hexadecimal.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Lower-case digits alone, so that each number has one text.
pub(crate) fn from_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

impl Digest {
    /// Of 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text.as_bytes()).map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Hex(&self.0))
    }
}

#[cfg(test)]
mod tests;
