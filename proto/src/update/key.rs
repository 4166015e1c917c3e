//! Ed25519 keys (RFC 8032), by the library that TLS uses.

use std::fmt;
use std::str::FromStr;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::{Hex, from_hex};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// What a public key begins with as text.
const PREFIX: &str = "ed25519:";
/// PKCS #8 of an Ed25519 key, before its 32 bytes (RFC 8410, as OpenSSL writes it).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// By which updates are believed: one word, `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// By which updates are signed. It belongs on a machine without a network.
pub struct SigningKey(Ed25519KeyPair);

/// These words are no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key is one word, {PREFIX} and 64 digits, as `noroshi update key` prints it")]
pub struct NoPublicKey;

/// These bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no Ed25519 key (PKCS #8)")]
pub struct NoKey;

/// The system gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

impl PublicKey {
    /// Whether its owner has signed exactly these bytes.
    pub fn has_signed(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(message, signature).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = NoPublicKey;

    fn from_str(text: &str) -> Result<Self, NoPublicKey> {
        let digits = text.strip_prefix(PREFIX).ok_or(NoPublicKey)?;
        from_hex(digits.as_bytes()).map(Self).ok_or(NoPublicKey)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", Hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SigningKey {
    /// A new one, as it is kept: PKCS #8, DER. OpenSSL reads it, too.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn draw() -> Result<Vec<u8>, NoRandom> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| NoRandom)?;
        Ok([&PKCS8[..], &seed].concat())
    }

    /// Reads a key that [`SigningKey::draw`] or OpenSSL made.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn read(der: &[u8]) -> Result<Self, NoKey> {
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der);
        key.map(Self).map_err(|_| NoKey)
    }

    /// What is told to sensors.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref()); // always 32 bytes (RFC 8032)
        PublicKey(bytes)
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes.copy_from_slice(self.0.sign(message).as_ref()); // always 64 bytes (RFC 8032)
        bytes
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(…, {})", self.public())
    }
}
