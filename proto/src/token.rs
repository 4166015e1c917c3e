//! The one-time token that a sensor is enrolled with: one word to copy.
//!
//! It carries a secret, by which the centre knows the sensor, and the fingerprint of the centre's
//! authority, by which the sensor knows the centre when they meet for the first time.

use std::fmt;
use std::str::FromStr;

/// Bytes of the secret: more than anybody can guess.
pub const SECRET_BYTES: usize = 20;
/// What a token begins with.
const PREFIX: &str = "noroshi1";

/// SHA-256 of a certificate's DER.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// What `noroshi sensor enrol` gives and `noroshi-sensor enrol` takes.
///
/// [`fmt::Display`] writes it out whole; [`fmt::Debug`] keeps the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// What the centre knows it by.
    pub secret: [u8; SECRET_BYTES],
    /// The authority that signed the collector's certificate.
    pub authority: Fingerprint,
}

/// These words are no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no enrolment token: copy the whole word that `noroshi sensor enrol` printed, which \
     begins with {PREFIX}-"
)]
pub struct NoToken;

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// `noroshi1-SECRET-FINGERPRINT`, both in hexadecimal.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}-")?;
        hex(&self.secret, f)?;
        write!(f, "-{}", self.authority)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(…, {})", self.authority)
    }
}

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let mut parts = text.trim().split('-');
        let (Some(PREFIX), Some(secret), Some(authority), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoToken);
        };
        Ok(Self {
            secret: bytes(secret).ok_or(NoToken)?,
            authority: Fingerprint(bytes(authority).ok_or(NoToken)?),
        })
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            secret: [0xab; SECRET_BYTES],
            authority: Fingerprint([0x01; 32]),
        }
    }

    #[test]
    fn a_token_is_read_as_it_is_written() {
        assert_eq!(format!(" {}\n", token()).parse(), Ok(token()));
        assert!(!format!("{:?}", token()).contains("abab"));
    }

    #[test]
    fn what_is_cut_or_changed_is_no_token() {
        let whole = token().to_string();
        for wrong in [
            "",
            &whole[..whole.len() - 1],
            &whole.replace("noroshi1", "noroshi2"),
            &whole.replace("abab", "abxb"),
            &whole.replacen("ab", "é", 1),
            &format!("{whole}-00"),
        ] {
            assert_eq!(wrong.parse::<Token>(), Err(NoToken), "{wrong}");
        }
    }
}
