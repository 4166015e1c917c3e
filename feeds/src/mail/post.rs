//! The way to the operator's mail server.

use std::path::PathBuf;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{AsyncTransport as _, Tokio1Executor};

use super::{MailError, Mails};
use crate::message::Message;
use crate::retry::Outcome;

/// How long the server may take for one command.
const SERVER_WAIT: Duration = Duration::from_secs(30);
/// How long it may take for one mail.
const MAIL_WAIT: Duration = Duration::from_secs(120);

/// The server, and who we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Whom we log in as, and the file of the password.
    pub login: Option<(String, PathBuf)>,
}

/// How the connection to a mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// STARTTLS, and nothing before it.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Not at all: for a server on this machine.
    None,
}

/// Hands mails to the server, a connection each.
pub struct Post(AsyncSmtpTransport<Tokio1Executor>);

impl Post {
    /// Reads what a connection needs; `authorities` is a file of certificates that are trusted too.
    ///
    /// # Errors
    /// What the operator mends.
    pub fn new(server: &Server, authorities: Option<&PathBuf>) -> Result<Self, String> {
        let mut tls = TlsParameters::builder(server.host.clone());
        if let Some(path) = authorities {
            for certificate in noroshi_web::outbound::authorities(path)? {
                let certificate = Certificate::from_der(certificate.to_vec());
                tls = tls.add_root_certificate(certificate.map_err(|error| error.to_string())?);
            }
        }
        let tls = match server.security {
            Security::None => Tls::None,
            _ => {
                let parameters = tls.build().map_err(|error| error.to_string())?;
                match server.security {
                    Security::StartTls => Tls::Required(parameters),
                    _ => Tls::Wrapper(parameters),
                }
            }
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .timeout(Some(SERVER_WAIT))
            .tls(tls);
        if let Some((user, file)) = &server.login {
            let shown = file.display();
            let password = std::fs::read_to_string(file)
                .map_err(|error| format!("{shown}: {error}: check the path and its rights"))?;
            let password = password.trim_end_matches(['\r', '\n']);
            if password.is_empty() || password.contains('\n') {
                return Err(format!("{shown}: write the password alone into it"));
            }
            builder = builder.credentials(Credentials::new(user.clone(), password.to_owned()));
        }
        Ok(Self(builder.build()))
    }

    /// Sends a message.
    pub async fn send(&self, mails: &Mails, message: &Message) -> Outcome {
        let mail = match mails.compose(message) {
            Ok(mail) => mail,
            Err(error @ MailError::NoKey(_)) => return Outcome::NoKey(error.to_string()),
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        let from = Some(mails.from.email.clone());
        let envelope = match Envelope::new(from, mails.to.clone()) {
            Ok(envelope) => envelope,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        match tokio::time::timeout(MAIL_WAIT, self.0.send_raw(&envelope, &mail)).await {
            Ok(Ok(_)) => Outcome::Delivered,
            Ok(Err(error)) => refused(&error),
            Err(_) => Outcome::unreached(format!("not taken within {MAIL_WAIT:?}")),
        }
    }
}

/// A server that says no to one mail may take the next; one that is not there takes none.
fn refused(error: &smtp::Error) -> Outcome {
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    if error.is_permanent() {
        return Outcome::Refused(told);
    }
    Outcome::unreached(told)
}
