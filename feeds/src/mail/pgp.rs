//! OpenPGP keys: the centre's, which signs, and the partners', to which is encrypted.
//!
//! What is encrypted is signed first, within (RFC 3156 §6.2).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use noroshi_proto::time::Millis;
use pgp::composed::{
    ArmorOptions, Deserializable as _, DetachedSignature, MessageBuilder, SignedPublicKey,
    SignedPublicSubKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::Signature;
use pgp::types::{KeyDetails as _, Password, SigningKey};

/// Size of a key file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PgpError {
    /// The operator mends the file.
    #[error("{path}: {problem}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The key does not do what it is for.
    #[error("OpenPGP: {0}")]
    Failed(#[from] pgp::errors::Error),
}

/// The centre's key. Clones share it.
#[derive(Clone)]
pub struct Signer(Arc<SignedSecretKey>);

/// A partner's key.
pub struct Certificate {
    key: SignedPublicKey,
    /// Which of its subkeys takes messages; the primary key where `None`.
    subkey: Option<usize>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.0.primary_key.fingerprint())
    }
}

impl Signer {
    /// Reads an armoured secret key without a passphrase.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, PgpError> {
        let text = read(path)?;
        let wrong = |problem: String| file(path, problem);
        let (key, _) = SignedSecretKey::from_string(&text).map_err(|error| {
            wrong(format!(
                "not an armoured OpenPGP secret key ({error}): gpg --armor --export-secret-keys"
            ))
        })?;
        key.verify_bindings()
            .map_err(|error| wrong(format!("its parts do not belong together ({error})")))?;
        let signer = Self(Arc::new(key));
        signer.sign(b"a trial").map_err(|error| {
            wrong(format!(
                "it does not sign ({error}): export a key without a passphrase that may sign"
            ))
        })?;
        Ok(signer)
    }

    /// An armoured signature of these bytes.
    ///
    /// # Errors
    /// Where the key does not sign.
    pub fn sign(&self, bytes: &[u8]) -> Result<String, PgpError> {
        let (random, password) = (rand::thread_rng(), Password::empty());
        let hash = HashAlgorithm::Sha512;
        let signature = match self.subkey() {
            Some(subkey) => {
                DetachedSignature::sign_binary_data(random, subkey, &password, hash, bytes)
            }
            None => {
                let key = &self.0.primary_key;
                DetachedSignature::sign_binary_data(random, key, &password, hash, bytes)
            }
        }?;
        Ok(signature.to_armored_string(ArmorOptions::default())?)
    }

    /// The public half, armoured: with it partners verify.
    ///
    /// # Errors
    /// Where the key cannot be written.
    pub fn public(&self) -> Result<String, PgpError> {
        Ok(self
            .0
            .to_public_key()
            .to_armored_string(ArmorOptions::default())?)
    }

    /// The newest subkey that may sign.
    fn subkey(&self) -> Option<&pgp::packet::SecretSubkey> {
        let subkeys = self.0.secret_subkeys.iter();
        let may_sign =
            |signatures: &[Signature]| signatures.iter().any(|one| one.key_flags().sign());
        subkeys
            .filter(|subkey| may_sign(&subkey.signatures))
            .max_by_key(|subkey| subkey.key.created_at().as_secs())
            .map(|subkey| &subkey.key)
    }

    fn key(&self) -> &dyn SigningKey {
        match self.subkey() {
            Some(subkey) => subkey,
            None => &self.0.primary_key,
        }
    }
}

impl Certificate {
    /// Reads an armoured public key that takes messages at `now`.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(path: &Path, now: Millis) -> Result<Self, PgpError> {
        let text = read(path)?;
        let wrong = |problem: &str| file(path, problem.to_owned());
        let (key, _) = SignedPublicKey::from_string(&text).map_err(|error| {
            wrong(&format!(
                "not an armoured OpenPGP public key ({error}): gpg --armor --export"
            ))
        })?;
        key.verify_bindings()
            .map_err(|error| wrong(&format!("its parts do not belong together ({error})")))?;
        if !key.details.revocation_signatures.is_empty() {
            return Err(wrong("it was revoked: ask the partner for its new one"));
        }
        let primary = key.details.users.iter().flat_map(|user| &user.signatures);
        let direct = key.details.direct_signatures.iter();
        let primary: Vec<&Signature> = primary.chain(direct).collect();
        let created = u64::from(key.primary_key.created_at().as_secs());
        if is_over(created, &primary, now) {
            return Err(wrong("it has expired: ask the partner for its new one"));
        }
        let subkeys = key.public_subkeys.iter().enumerate();
        let usable = subkeys.filter(|(_, subkey)| takes_messages(subkey, now));
        let subkey = usable.max_by_key(|(_, subkey)| subkey.key.created_at().as_secs());
        let subkey = subkey.map(|(index, _)| index);
        if subkey.is_none() && !primary.iter().any(|signature| encrypts(signature)) {
            return Err(wrong(
                "it has no valid key for encryption: ask the partner for one",
            ));
        }
        Ok(Self { key, subkey })
    }

    /// An armoured message of these bytes, signed within.
    ///
    /// # Errors
    /// Where a key does not do its part.
    pub fn encrypt(&self, bytes: &[u8], signer: Option<&Signer>) -> Result<String, PgpError> {
        let mut random = rand::thread_rng();
        // The version of the message that every gpg reads (RFC 9580 §5.13.1).
        let mut builder = MessageBuilder::from_bytes("", bytes.to_vec())
            .seipd_v1(&mut random, SymmetricKeyAlgorithm::AES256);
        if let Some(signer) = signer {
            builder.sign(signer.key(), Password::empty(), HashAlgorithm::Sha512);
        }
        match self
            .subkey
            .and_then(|index| self.key.public_subkeys.get(index))
        {
            Some(subkey) => builder.encrypt_to_key(&mut random, &subkey.key)?,
            None => builder.encrypt_to_key(&mut random, &self.key.primary_key)?,
        };
        Ok(builder.to_armored_string(&mut random, ArmorOptions::default())?)
    }
}

fn takes_messages(subkey: &SignedPublicSubKey, now: Millis) -> bool {
    let signatures: Vec<&Signature> = subkey.signatures.iter().collect();
    let revoked = signatures
        .iter()
        .any(|signature| signature.typ() == Some(pgp::packet::SignatureType::SubkeyRevocation));
    let created = u64::from(subkey.key.created_at().as_secs());
    !revoked && signatures.iter().any(|one| encrypts(one)) && !is_over(created, &signatures, now)
}

fn encrypts(signature: &Signature) -> bool {
    let flags = signature.key_flags();
    flags.encrypt_comms() || flags.encrypt_storage()
}

/// Whether the last of a key's own signatures says that it is over.
fn is_over(created: u64, signatures: &[&Signature], now: Millis) -> bool {
    let newest = signatures
        .iter()
        .max_by_key(|one| one.created().map(|at| at.as_secs()));
    let lasts = newest.and_then(|one| one.key_expiration_time());
    lasts.is_some_and(|lasts| {
        let lasts = u64::from(lasts.as_secs());
        lasts != 0 && created + lasts <= now.0 / 1000
    })
}

fn file(path: &Path, problem: String) -> PgpError {
    PgpError::File {
        path: path.to_owned(),
        problem,
    }
}

fn read(path: &Path) -> Result<String, PgpError> {
    let unreadable =
        |error: std::io::Error| file(path, format!("{error}: check the path and its rights"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(file(path, "too long for a key".to_owned()));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}
