//! What is pushed to a partner, and where: webhooks, mail, syslog.
//!
//! Secrets are paths, relative to the registry's own directory.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::alert::Kind;
use crate::document::{Section, Value, Written};

/// Webhooks of one partner: each is a connection and a queue of its own.
pub const WEBHOOKS_MAX: usize = 8;
/// Addresses that one mail goes to.
pub const RECIPIENTS_MAX: usize = 16;

/// Where a partner wants its alerts pushed; by default nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// `[[partner.webhook]]`
    pub webhooks: Vec<Webhook>,
    /// `[partner.mail]`
    pub mail: Option<Mail>,
    /// `[partner.syslog]`
    pub syslog: Option<Syslog>,
}

/// A URL that takes Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// `https://…`
    pub url: String,
    /// Shared secrets, `whsec_…` one a line; each signs, so that one can be changed for another.
    pub secret_file: Option<PathBuf>,
    /// Ed25519 keys, `whsk_…` one a line.
    pub key_file: Option<PathBuf>,
    /// What a message carries.
    pub payload: Payload,
    /// Which kinds; all where empty.
    pub kinds: Vec<Kind>,
    /// Line in the registry.
    pub line: usize,
}

/// What a webhook's message carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// Id, kind, severity, TLP and where to read the rest: no address crosses a third party.
    #[default]
    Thin,
    /// The alert.
    Full,
}

/// Mail to a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// To whom; the partner's contacts unless told otherwise.
    pub to: Vec<String>,
    /// Who is asked where nobody took a high case up.
    pub second: Vec<String>,
    /// The catalogue of texts.
    pub language: String,
    /// The partner's OpenPGP certificate, armoured; RED and AMBER+STRICT wait for one.
    pub pgp_key: Option<PathBuf>,
    /// When the daily digest is made: minutes after midnight, UTC.
    pub digest_at: u16,
    /// Line in the registry.
    pub line: usize,
}

/// A collector of syslog (RFC 5424 over TCP) that reads CEF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// `host:port`
    pub address: String,
    /// How it is carried.
    pub carriage: Carriage,
    /// Line in the registry.
    pub line: usize,
}

/// How lines of syslog are carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carriage {
    /// TLS (RFC 5425).
    #[default]
    Tls,
    /// Plain TCP (RFC 6587), within networks that the operator allows.
    Plain,
}

/// Reads what a partner wants pushed; `contacts` take its mail unless it says otherwise.
pub(super) fn read(partner: &mut Section<'_>, contacts: &[String], base: &Path) -> Push {
    let sections = partner.sections("webhook");
    if let Some(one_more) = sections.get(WEBHOOKS_MAX) {
        let text = format!("more than {WEBHOOKS_MAX} webhooks of one partner: take some out");
        partner.fault(one_more.line(), text);
    }
    let webhooks = sections.into_iter();
    Push {
        webhooks: webhooks
            .filter_map(|section| webhook(section, base))
            .collect(),
        mail: mail(partner.section("mail"), contacts, base),
        syslog: syslog(partner.section("syslog")),
    }
}

fn webhook(mut section: Section<'_>, base: &Path) -> Option<Webhook> {
    let line = section.line();
    let url = section.required::<String>("url");
    if let Some(url) = &url
        && let Err(text) = check_url(&url.value)
    {
        section.fault(url.line, text);
    }
    let secret_file = path(&mut section, "secret_file", base);
    let key_file = path(&mut section, "key_file", base);
    if secret_file.is_none() && key_file.is_none() {
        let text = "without a secret nothing proves that it comes from here: name a secret_file \
                    (whsec_…) or a key_file (whsk_…)";
        section.fault(line, text.to_owned());
    }
    let payload = section.optional("payload");
    let kinds = section.list::<Kind>("kinds");
    section.close();
    Some(Webhook {
        url: url?.value,
        secret_file,
        key_file,
        payload: payload.map(|payload| payload.value).unwrap_or_default(),
        kinds: kinds.into_iter().map(|kind| kind.value).collect(),
        line,
    })
}

fn check_url(url: &str) -> Result<(), String> {
    let example = "write https://host/path";
    let parsed: Result<hyper::Uri, _> = url.parse();
    let parsed = parsed.map_err(|error| format!("`url` is {url:?} ({error}): {example}"))?;
    let known = matches!(parsed.scheme_str(), Some("https" | "http"));
    if !known || parsed.host().is_none_or(str::is_empty) {
        return Err(format!("`url` is {url:?}: {example}"));
    }
    let authority = parsed
        .authority()
        .map_or("", |authority| authority.as_str());
    if authority.contains('@') || url.contains('#') {
        return Err(format!(
            "`url` holds a user, a password or a fragment: {example}, the signature says who we are"
        ));
    }
    Ok(())
}

fn mail(mut section: Section<'_>, contacts: &[String], base: &Path) -> Option<Mail> {
    if !section.is_written() {
        section.close();
        return None;
    }
    let line = section.line();
    let mut to = addresses(&mut section, "to");
    if to.is_empty() {
        to = contacts.to_vec();
    }
    if let Some(odd) = to.iter().find(|address| !is_address(address)) {
        let text = format!("contact {odd:?} is not a mail address: name addresses in `to`");
        section.fault(line, text);
    }
    if to.is_empty() {
        let text = "nobody to write to: name addresses in `to`, or in the partner's `contacts`";
        section.fault(line, text.to_owned());
    }
    let second = addresses(&mut section, "second");
    let language = section.optional::<String>("language");
    let pgp_key = path(&mut section, "pgp_key", base);
    let digest_at = section.optional::<TimeOfDay>("digest_at");
    section.close();
    Some(Mail {
        to,
        second,
        language: language.map_or_else(|| "en".to_owned(), |language| language.value),
        pgp_key,
        digest_at: digest_at.map_or(0, |time| time.value.0),
        line,
    })
}

fn addresses(section: &mut Section<'_>, key: &'static str) -> Vec<String> {
    let written = section.list::<String>(key);
    if let Some(one_more) = written.get(RECIPIENTS_MAX) {
        let text = format!("more than {RECIPIENTS_MAX} addresses: make a list at the partner's");
        section.fault(one_more.line, text);
    }
    for address in &written {
        if !is_address(&address.value) {
            let text = format!("{:?} is not a mail address: write name@host", address.value);
            section.fault(address.line, text);
        }
    }
    written.into_iter().map(|address| address.value).collect()
}

/// Whether it is `name@host` in plain ASCII; what mail makes of it is mail's to say.
pub fn is_address(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b',');
    let parts = text.split_once('@');
    plain
        && parts
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn syslog(mut section: Section<'_>) -> Option<Syslog> {
    if !section.is_written() {
        section.close();
        return None;
    }
    let line = section.line();
    let address = section.required::<String>("address");
    if let Some(written) = &address
        && !is_host_and_port(&written.value)
    {
        let text = format!("`address` is {:?}: write \"host:6514\"", written.value);
        section.fault(written.line, text);
    }
    let tls = section.optional::<bool>("tls");
    let format = section.optional::<String>("format");
    if let Some(format) = format.filter(|format| format.value != "cef") {
        let text = format!("`format` is {:?}: write \"cef\"", format.value);
        section.fault(format.line, text);
    }
    section.close();
    Some(Syslog {
        address: address?.value,
        carriage: if tls.is_none_or(|tls| tls.value) {
            Carriage::Tls
        } else {
            Carriage::Plain
        },
        line,
    })
}

fn is_host_and_port(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}

fn path(section: &mut Section<'_>, key: &'static str, base: &Path) -> Option<PathBuf> {
    let written = section.optional::<PathBuf>(key);
    written.map(|Written { value, .. }| base.join(value))
}

/// Minutes after midnight.
struct TimeOfDay(u16);

impl Value for TimeOfDay {
    const EXPECTED: &'static str = "a time of day in UTC such as \"06:30\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        let (hour, minute) = value.as_str()?.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(Self(hour * 60 + minute))
    }
}

impl Value for Payload {
    const EXPECTED: &'static str = "\"thin\" or \"full\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        match value.as_str()? {
            "thin" => Some(Self::Thin),
            "full" => Some(Self::Full),
            _ => None,
        }
    }
}

impl Value for Kind {
    const EXPECTED: &'static str = "a kind of alert such as \"infected_host\"";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        serde_json::from_value(value.as_str()?.into()).ok()
    }
}

#[cfg(test)]
mod tests;
