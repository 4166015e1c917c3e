//! Who may read: tokens and client certificates, one partner's each, kept as their SHA-256.
//!
//! # Format
//! A directory with one file per partner, named by the partner's id. One credential a line, at most
//! [`PER_PARTNER_MAX`], so that one can be changed without an interruption: add the new one, tell
//! the partner, remove the old one.
//! ```text
//! # comment
//! sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae    a token's digest alone
//! f1vA3rK8-or-the-token-itself-32-or-more                                     the token
//! certificate:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  a client certificate's digest
//! ```
//!
//! # How it is presented
//! Partners' tools differ in what they can send, so a token is good in each of these ways:
//! `Authorization: Bearer TOKEN`, `Authorization: Token TOKEN`, and Basic with the partner's id as
//! user and the token as password. A client certificate is known by its digest alone: who signed it
//! and until when does not matter, the operator does.
//!
//! # Promises
//! - A token itself is forgotten once its digest is made, and never logged.
//! - Looking a token up takes the same time whether it is known, and whose it is.
//! - What was removed from a file is refused within [`crate::keyring::LOOK_EVERY`], and a file that
//!   cannot be read lets nobody in.

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
/// Credentials of one partner at a time: the old one, the new one, and spares.
pub const PER_PARTNER_MAX: usize = 4;
/// Size of one file.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Why the credentials cannot be used: the operator mends the file that is named.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
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
    /// Not 64 hexadecimal digits either.
    #[error(
        "'certificate:' is followed by 64 hexadecimal digits: `openssl x509 -in client.pem -outform \
         DER | sha256sum`"
    )]
    NotACertificate,
    /// More than a partner needs, or a file that was appended to by mistake.
    #[error("at most {PER_PARTNER_MAX} credentials of one partner")]
    TooMany,
    /// Somebody else has it.
    #[error("this credential is another partner's as well: give each partner its own")]
    Shared,
}

/// SHA-256 of a token or of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Digest([u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
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

/// What somebody shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Token,
    Certificate,
}

/// Every credential there is, and whose it is.
#[derive(Debug, Default)]
pub struct Credentials {
    known: Vec<(Sort, Digest, PartnerId)>,
}

impl Credentials {
    /// Reads `directory`. Every file must be named after one of `partners`; a partner without a
    /// file reads nothing.
    ///
    /// # Errors
    /// With the file and line at fault, the first one.
    pub fn load(directory: &Path, partners: &[PartnerId]) -> Result<Self, CredentialError> {
        let (credentials, faults) = Self::load_what_can_be(directory, partners)?;
        match faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(credentials),
        }
    }

    /// As [`Credentials::load`], leaving out the files that are at fault: nobody is let in by one
    /// that may say something else than was meant, and nobody kept out by another's.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn load_what_can_be(
        directory: &Path,
        partners: &[PartnerId],
    ) -> Result<(Self, Vec<CredentialError>), CredentialError> {
        let mut credentials = Self::default();
        let mut faults = Vec::new();
        for path in files(directory)? {
            if let Err(fault) = credentials.add_file(&path, partners) {
                faults.push(fault);
            }
        }
        Ok((credentials, faults))
    }

    fn add_file(&mut self, path: &Path, partners: &[PartnerId]) -> Result<(), CredentialError> {
        let name = path.file_name().and_then(|name| name.to_str());
        let partner = partners
            .iter()
            .find(|partner| Some(partner.as_str()) == name)
            .ok_or_else(|| CredentialError::NoPartner(path.to_owned()))?;
        let text = read(path).map_err(|source| CredentialError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        self.add(partner, &text)
            .map_err(|(line, problem)| CredentialError::Line {
                path: path.to_owned(),
                line,
                problem,
            })
    }

    /// Adds the credentials of one partner, as its file has them: all of them, or none where one is
    /// at fault. The error carries the line, from 1.
    ///
    /// # Errors
    /// The first line that is no credential.
    pub fn add(&mut self, partner: &PartnerId, text: &str) -> Result<(), (usize, Problem)> {
        let mut new = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if new.len() == PER_PARTNER_MAX {
                return Err((number, Problem::TooMany));
            }
            let (sort, digest) = parse(line).map_err(|problem| (number, problem))?;
            let is_anothers =
                |(_, known, owner): &(_, Digest, PartnerId)| *known == digest && owner != partner;
            if self.known.iter().any(is_anothers) {
                return Err((number, Problem::Shared));
            }
            new.push((sort, digest, partner.clone()));
        }
        self.known.append(&mut new);
        Ok(())
    }

    /// Whose token it is.
    pub fn by_token(&self, token: &str) -> Option<&PartnerId> {
        self.find(Sort::Token, &Digest::of(token.as_bytes()))
    }

    /// Whose certificate it is, of a connection that proved to have its key; in DER.
    pub fn by_certificate(&self, certificate: &[u8]) -> Option<&PartnerId> {
        self.find(Sort::Certificate, &Digest::of(certificate))
    }

    fn find(&self, wanted: Sort, presented: &Digest) -> Option<&PartnerId> {
        let mut found = None;
        for (sort, known, partner) in &self.known {
            if known.matches(presented) && *sort == wanted {
                found = Some(partner); // and on: the loop is as long for every credential
            }
        }
        found
    }

    /// Partners that can read, each once.
    pub fn partners(&self) -> Vec<&PartnerId> {
        let mut partners: Vec<_> = self.known.iter().map(|(_, _, partner)| partner).collect();
        partners.sort();
        partners.dedup();
        partners
    }
}

/// The files of a directory, in a fixed order, so that the same directory gives the same error.
fn files(directory: &Path) -> Result<Vec<PathBuf>, CredentialError> {
    let unreadable = |source| CredentialError::Unreadable {
        path: directory.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path()); // others are an editor's, or a mounted volume's
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads no more than such a file may have.
fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other("too long for a file of credentials"));
    }
    fs::read_to_string(path)
}

fn parse(line: &str) -> Result<(Sort, Digest), Problem> {
    if let Some(digits) = line.strip_prefix("sha256:") {
        let digest = Digest::from_hexadecimal(digits).ok_or(Problem::NotADigest)?;
        return Ok((Sort::Token, digest));
    }
    if let Some(digits) = line.strip_prefix("certificate:") {
        let digest = Digest::from_hexadecimal(digits).ok_or(Problem::NotACertificate)?;
        return Ok((Sort::Certificate, digest));
    }
    if is_token(line) {
        Ok((Sort::Token, Digest::of(line.as_bytes())))
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
