//! A sign-in on its way to the provider of identities and back. Pure: the secret is an argument.
//!
//! All that binds one follows from a secret in a cookie of the browser that began it, so the console
//! remembers nothing for who never comes back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::session::Secret;

/// Seconds in which somebody has to come back.
pub const LIFE: u32 = 600;
/// Longest place to go on to, in bytes; a longer one is forgotten.
const NEXT_MAX: usize = 1_024;

/// One sign-in elsewhere.
pub struct Journey {
    secret: Secret,
    /// Where to go on to, a path of the console's.
    pub next: String,
}

impl Journey {
    /// Begins one.
    pub fn begin(secret: Secret, next: &str) -> Self {
        let next = if next.len() <= NEXT_MAX { next } else { "/" };
        Self {
            secret,
            next: next.to_owned(),
        }
    }

    /// What the browser keeps of it.
    pub fn cookie(&self) -> String {
        let next = URL_SAFE_NO_PAD.encode(&self.next);
        format!("{}.{next}", self.secret.text())
    }

    /// From what the browser kept, where its answer is to this very journey.
    pub fn taken_up(cookie: &str, state: &str) -> Option<Self> {
        let (secret, next) = cookie.split_once('.')?;
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        let journey = Self {
            secret: Secret::received(secret),
            next,
        };
        Secret::received(&journey.state())
            .is(state)
            .then_some(journey)
    }

    /// Comes back in the address, and shows that this browser began it (RFC 6749, §10.12).
    pub fn state(&self) -> String {
        self.derived("state")
    }

    /// Comes back in the signed token, and shows that it was made for this journey (OpenID Connect
    /// Core, §15.5.2).
    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// Shows with the code that who trades it in is who asked for it (RFC 7636).
    pub fn verifier(&self) -> String {
        self.derived("verifier")
    }

    /// The secret has 256 random bits, so what is made of it by a hash tells nothing about it.
    fn derived(&self, purpose: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(b"noroshi sign-in 1\n");
        digest.update(purpose);
        digest.update(b"\n");
        digest.update(self.secret.text());
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journey(bits: u8) -> Journey {
        Journey::begin(Secret::of([bits; 32]), "/alerts?kind=scan_surge")
    }

    #[test]
    fn a_journey_comes_back_to_the_browser_that_began_it() {
        let begun = journey(1);
        let back = Journey::taken_up(&begun.cookie(), &begun.state()).unwrap();
        assert_eq!(back.next, "/alerts?kind=scan_surge");
        assert_eq!(back.nonce(), begun.nonce());
        assert_eq!(back.verifier(), begun.verifier());
        assert!(Journey::taken_up(&journey(2).cookie(), &begun.state()).is_none());
        assert!(Journey::taken_up(&begun.cookie(), "").is_none());
        assert!(Journey::taken_up("", &begun.state()).is_none());
        assert!(Journey::taken_up("secret.***", &begun.state()).is_none());
    }

    #[test]
    fn what_travels_in_the_open_does_not_tell_the_rest() {
        let journey = journey(1);
        let told = [journey.state(), journey.nonce(), journey.verifier()];
        assert!(told[0] != told[1] && told[1] != told[2] && told[0] != told[2]);
        let verifier = told[2].as_bytes();
        assert_eq!(verifier.len(), 43, "43 to 128 characters (RFC 7636, §4.1)");
        assert!(!told.contains(&Secret::of([1; 32]).text().to_owned()));
    }

    #[test]
    fn a_long_way_to_go_on_is_forgotten() {
        let long = "/".repeat(NEXT_MAX + 1);
        assert_eq!(Journey::begin(Secret::of([1; 32]), &long).next, "/");
    }
}
