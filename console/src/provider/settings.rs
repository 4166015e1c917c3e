//! Which provider of identities there is, and how the console is known to it.

use std::io;
use std::path::{Path, PathBuf};

use noroshi_store::document::is_open_to_others;
use openidconnect::core::CoreIdTokenClaims;
use openidconnect::{IssuerUrl, RedirectUrl};

/// Path at which the browser comes back.
pub const BACK: &str = "/sign-in/elsewhere/back";
/// Bytes of the console's secret there.
const SECRET_MAX: usize = 1_024;

/// What the name of a user there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// The provider's own identifier: never given to somebody else.
    #[default]
    Subject,
    /// A mail address that the provider has verified.
    Email,
    /// A name that people know; the provider says whether it can change hands.
    PreferredUsername,
}

impl Claim {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Subject, Self::Email, Self::PreferredUsername];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|claim| claim.name() == name)
    }

    /// Its name in tokens and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "sub",
            Self::Email => "email",
            Self::PreferredUsername => "preferred_username",
        }
    }

    /// What has to be asked for beside `openid` (OpenID Connect Core, §5.4).
    pub(super) fn scope(self) -> Option<&'static str> {
        match self {
            Self::Subject => None,
            Self::Email => Some("email"),
            Self::PreferredUsername => Some("profile"),
        }
    }

    pub(super) fn of(self, claims: &CoreIdTokenClaims) -> Option<String> {
        match self {
            Self::Subject => Some(claims.subject().to_string()),
            Self::Email => {
                let email = claims
                    .email()
                    .filter(|_| claims.email_verified() == Some(true));
                email.map(|email| email.to_string())
            }
            Self::PreferredUsername => claims.preferred_username().map(|name| name.to_string()),
        }
    }
}

/// Which provider, and as whom the console is known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its address, without `/.well-known/…`; `https`, or on this machine.
    pub issuer: IssuerUrl,
    /// The console's name there.
    pub client: String,
    /// The file of what it proves that with, which nobody else may read.
    pub secret: PathBuf,
    /// What a user is known by there.
    pub claim: Claim,
    /// What people call the provider.
    pub name: String,
    /// Where the browser comes back: the console's address and [`BACK`].
    pub back: RedirectUrl,
}

impl Settings {
    /// An issuer's address.
    ///
    /// # Errors
    /// In words: what is said there is believed, so the way there must be as sure.
    pub fn issuer(text: &str) -> Result<IssuerUrl, String> {
        let issuer = IssuerUrl::new(text.to_owned()).map_err(|error| error.to_string())?;
        let url = issuer.url();
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() == "https" || (url.scheme() == "http" && is_here) {
            return Ok(issuer);
        }
        Err("an issuer is reached by https, or on this machine".to_owned())
    }

    /// Where browsers come back, which the provider has to be told: [`BACK`] at the console's own
    /// address.
    ///
    /// # Errors
    /// Where that is no address.
    pub fn back(public_url: &str) -> Result<RedirectUrl, String> {
        RedirectUrl::new(format!("{public_url}{BACK}")).map_err(|error| error.to_string())
    }
}

/// Reads the file of the console's secret at the provider: one line.
///
/// # Errors
/// In words, with the file at fault and what to do.
pub fn secret(path: &Path) -> Result<String, String> {
    let file = path.display();
    let wrong = |error: io::Error| format!("{file}: {error}: check the path and its rights");
    if is_open_to_others(path) {
        return Err(format!(
            "others may read the console's secret: chmod 600 {file}"
        ));
    }
    let text = std::fs::read_to_string(path).map_err(wrong)?;
    let secret = text.trim();
    if secret.is_empty() || secret.len() > SECRET_MAX || secret.contains(char::is_control) {
        return Err(format!(
            "{file}: the secret is one line of 1 to {SECRET_MAX} bytes"
        ));
    }
    Ok(secret.to_owned())
}
