//! Who may read: bearer tokens, one partner's each, kept as their SHA-256.
//!
//! # Format
//! A directory with one file per partner, named by the partner's id. One token a line, at most
//! [`TOKENS_PER_PARTNER_MAX`], so that a token can be changed without an interruption: add the new
//! one, tell the partner, remove the old one.
//! ```text
//! # comment
//! sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae    its digest alone
//! f1vA3rK8-or-the-token-itself-32-or-more                                     the token
//! ```
//!
//! # Promises
//! - A token itself is forgotten once its digest is made, and never logged.
//! - Looking a token up takes the same time whether it is known, and whose it is.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use noroshi_store::origin::PartnerId;
use sha2::{Digest as _, Sha256};

/// Shortest token: 32 characters of base64 are 192 bits, beyond guessing without any lock-out.
pub const TOKEN_CHARACTERS_MIN: usize = 32;
/// Longest token: what fits a request header with room to spare.
pub const TOKEN_CHARACTERS_MAX: usize = 256;
/// Tokens of one partner at a time: the old one, the new one, and spares.
pub const TOKENS_PER_PARTNER_MAX: usize = 4;
/// Size of one token file.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Why the tokens cannot be used: the operator mends the file that is named.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The directory or a file of it.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line of a file.
    #[error("{path}:{line}: {problem}")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong and what to do.
        problem: Problem,
    },
    /// A file that belongs to nobody.
    #[error("{0}: the registry has no partner of that name: rename or remove the file")]
    NoPartner(PathBuf),
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Guessable, or not fit for a header.
    #[error(
        "a token has {TOKEN_CHARACTERS_MIN} to {TOKEN_CHARACTERS_MAX} letters, digits, '-', '_', \
         '.', '~', '+', '/' or '=': make one with `openssl rand -base64 32`"
    )]
    NotAToken,
    /// Not 64 hexadecimal digits.
    #[error("'sha256:' is followed by 64 hexadecimal digits: `printf %s TOKEN | sha256sum`")]
    NotADigest,
    /// More than one partner may hold a token, or a file too many.
    #[error("at most {TOKENS_PER_PARTNER_MAX} tokens of one partner")]
    TooMany,
    /// Somebody else has it.
    #[error("this token is another partner's as well: give each partner its own")]
    Shared,
}

/// SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Digest([u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl Digest {
    fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    fn from_hexadecimal(digits: &str) -> Option<Self> {
        let digits = digits.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Compares every byte, whatever the first ones say.
    fn matches(&self, other: &Self) -> bool {
        let difference = self
            .0
            .iter()
            .zip(&other.0)
            .fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

/// Every token there is, and whose it is.
#[derive(Debug, Default)]
pub struct Tokens {
    known: Vec<(Digest, PartnerId)>,
}

impl Tokens {
    /// Reads `directory`. Every file must be named after one of `partners`; a partner without a
    /// file reads nothing.
    ///
    /// # Errors
    /// With the file and line at fault.
    pub fn load(directory: &Path, partners: &[PartnerId]) -> Result<Self, TokenError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| TokenError::Unreadable { path, source }
        };
        let mut tokens = Self::default();
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
            paths.push(entry.map_err(unreadable(directory))?.path());
        }
        paths.sort(); // so that the same directory gives the same error
        for path in paths {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if name.starts_with('.') {
                continue; // an editor's, or a mounted volume's
            }
            let Some(partner) = partners.iter().find(|partner| partner.as_str() == name) else {
                return Err(TokenError::NoPartner(path));
            };
            let text = read(&path).map_err(unreadable(&path))?;
            tokens
                .add(partner, &text)
                .map_err(|(line, problem)| TokenError::Line {
                    path,
                    line,
                    problem,
                })?;
        }
        Ok(tokens)
    }

    /// Adds the tokens of one partner, as its file has them. The error carries the line, from 1.
    ///
    /// # Errors
    /// The first line that is not a token.
    pub fn add(&mut self, partner: &PartnerId, text: &str) -> Result<(), (usize, Problem)> {
        let mut count = 0;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            count += 1;
            if count > TOKENS_PER_PARTNER_MAX {
                return Err((number, Problem::TooMany));
            }
            let digest = parse(line).map_err(|problem| (number, problem))?;
            if self
                .known
                .iter()
                .any(|(known, owner)| *known == digest && owner != partner)
            {
                return Err((number, Problem::Shared));
            }
            self.known.push((digest, partner.clone()));
        }
        Ok(())
    }

    /// Whose token it is.
    pub fn partner(&self, token: &str) -> Option<&PartnerId> {
        let presented = Digest::of(token);
        let mut found = None;
        for (known, partner) in &self.known {
            if known.matches(&presented) {
                found = Some(partner); // and on: the loop is as long for every token
            }
        }
        found
    }

    /// Partners that can read, each once.
    pub fn partners(&self) -> Vec<&PartnerId> {
        let mut partners: Vec<&PartnerId> = self.known.iter().map(|(_, partner)| partner).collect();
        partners.sort();
        partners.dedup();
        partners
    }
}

/// Reads no more than a token file may have.
fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other("too long for a file of tokens"));
    }
    fs::read_to_string(path)
}

fn parse(line: &str) -> Result<Digest, Problem> {
    if let Some(digits) = line.strip_prefix("sha256:") {
        return Digest::from_hexadecimal(digits).ok_or(Problem::NotADigest);
    }
    if is_token(line) {
        Ok(Digest::of(line))
    } else {
        Err(Problem::NotAToken)
    }
}

/// The characters of a bearer token (RFC 6750 §2.1), long enough not to be guessed.
fn is_token(text: &str) -> bool {
    let fits = (TOKEN_CHARACTERS_MIN..=TOKEN_CHARACTERS_MAX).contains(&text.len());
    fits && text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte))
}

#[cfg(test)]
mod tests;
