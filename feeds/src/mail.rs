//! Mail: a message as the bytes of RFC 5322, in the partner's language. Pure.
//!
//! | module    | holds                                                  |
//! |-----------|--------------------------------------------------------|
//! | [`letter`] | subject, body and attachment, before any envelope     |
//! | [`pgp`]   | keys; signing and encrypting (RFC 3156)                |
//! | [`post`]  | the way to the operator's mail server                  |
//!
//! # Promises
//! - The TLP label begins the subject and is the first line of the body.
//! - What is RED or AMBER+STRICT leaves encrypted, or not at all; its subject names nobody.
//! - What is signed are the bytes that are sent.
//! - The same message gives the same mail, but for the signature.

pub mod letter;
pub mod pgp;
pub mod post;

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{self, HeaderName, HeaderValue, Headers};
use lettre::message::{Mailbox, Mailboxes};
use noroshi_store::alert::Tlp;
use noroshi_store::origin::{Country, PartnerId};
use uuid::Uuid;

use crate::key::Key;
use crate::message::Message;
use crate::text::Texts;
use letter::Letter;
use pgp::{Certificate, PgpError, Signer};

/// Who a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The partner: all that concerns it.
    Partner,
    /// The centre's own duty officer: which case, and no more.
    Operator,
}

/// Mails of one kind to one partner.
pub struct Mails {
    /// From whom.
    pub from: Mailbox,
    /// To whom.
    pub to: Vec<Address>,
    /// For whom.
    pub audience: Audience,
    /// Whose cases they are about.
    pub partner: PartnerId,
    /// Where that partner works.
    pub country: Country,
    /// In which words.
    pub texts: &'static Texts,
    /// Who signs.
    pub signer: Option<Signer>,
    /// To whose key it is encrypted.
    pub certificate: Option<Certificate>,
    /// Where partners read their feeds; no slash at the end.
    pub public_url: Option<String>,
    /// Signs the links to answer by, where there is a public URL too.
    pub key: Option<Key>,
}

/// Why a mail cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It waits for the partner's key, and the operator is told.
    #[error(
        "{0} must not leave in the clear: ask the partner for its OpenPGP key and name it in pgp_key"
    )]
    NoKey(&'static str),
    /// The operator mends a key.
    #[error(transparent)]
    Pgp(#[from] PgpError),
}

impl Mails {
    /// A message as a mail.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn compose(&self, message: &Message) -> Result<Vec<u8>, MailError> {
        let letter = Letter::new(self, message);
        let inner = letter.part();
        let mut mail = self
            .headers(message, &letter.subject())
            .to_string()
            .into_bytes();
        if letter.must_be_secret() {
            let label = letter::label(letter.tlp());
            let certificate = self.certificate.as_ref().ok_or(MailError::NoKey(label))?;
            let secret = certificate.encrypt(&inner, self.signer.as_ref())?;
            mail.extend(encrypted(message.id, &secret));
            return Ok(mail);
        }
        match &self.signer {
            Some(signer) => mail.extend(signed(message.id, &inner, &signer.sign(&inner)?)),
            None => {
                mail.extend(inner);
                mail.extend(b"\r\n");
            }
        }
        Ok(mail)
    }

    fn headers(&self, message: &Message, subject: &str) -> Headers {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(message.at.0);
        let mut headers = Headers::new();
        headers.set(header::From::from(Mailboxes::from(self.from.clone())));
        let to = self
            .to
            .iter()
            .map(|address| Mailbox::new(None, address.clone()));
        headers.set(header::To::from(to.collect::<Mailboxes>()));
        headers.set(header::Subject::from(subject.to_owned()));
        headers.set(header::Date::new(at));
        headers.set(header::MessageId::from(self.message_id(message.id)));
        if let Some(opened) = message.opened.filter(|opened| *opened != message.id) {
            headers.set(header::InReplyTo::from(self.message_id(opened)));
            headers.set(header::References::from(self.message_id(opened)));
        }
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
        ] {
            let name = HeaderName::new_from_ascii_str(name);
            headers.insert_raw(HeaderValue::new(name, value.to_owned()));
        }
        headers.set(header::MIME_VERSION_1_0);
        headers
    }

    fn message_id(&self, id: Uuid) -> String {
        format!("<{id}@{}>", self.from.email.domain())
    }
}

/// The same label for whoever must know it before it is read.
fn is_secret(tlp: Tlp) -> bool {
    tlp >= Tlp::AmberStrict
}

/// `multipart/signed` (RFC 3156 §5): `inner` stands in it byte for byte.
fn signed(id: Uuid, inner: &[u8], signature: &str) -> Vec<u8> {
    let boundary = format!("signed-{}", id.simple());
    let mut part = format!(
        "Content-Type: multipart/signed; micalg=pgp-sha512;\r\n \
         protocol=\"application/pgp-signature\";\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
    )
    .into_bytes();
    part.extend_from_slice(inner);
    part.extend(
        format!(
            "\r\n--{boundary}\r\nContent-Type: application/pgp-signature; name=\"signature.asc\"\r\n\
             Content-Disposition: attachment; filename=\"signature.asc\"\r\n\r\n{}\r\n--{boundary}--\r\n",
            lines(signature)
        )
        .into_bytes(),
    );
    part
}

/// `multipart/encrypted` (RFC 3156 §4).
fn encrypted(id: Uuid, secret: &str) -> Vec<u8> {
    let boundary = format!("encrypted-{}", id.simple());
    format!(
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n \
         boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
         Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--{boundary}\r\n\
         Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\n\
         Content-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n{}\r\n--{boundary}--\r\n",
        lines(secret)
    )
    .into_bytes()
}

/// Armour with the line ends of mail.
fn lines(armour: &str) -> String {
    let lines: Vec<&str> = armour.trim_end().lines().collect();
    lines.join("\r\n")
}

#[cfg(test)]
mod tests;
