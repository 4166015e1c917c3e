//! `[feeds.push]` and `[feeds.mail]`: how alerts are pushed to partners.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use noroshi_feeds::channel::{MailSettings, Settings};
use noroshi_feeds::mail::post::{Security, Server};
use noroshi_store::document::{Section, Written};
use noroshi_store::registry::push::is_address;

/// Ports of a mail server, unless told otherwise: submission (RFC 6409), and in TLS (RFC 8314).
const SUBMISSION_PORT: u16 = 587;
const SUBMISSIONS_PORT: u16 = 465;

/// Reads both tables out of `[feeds]`; paths become relative to `base`.
pub(super) fn read(
    feeds: &mut Section<'_>,
    base: &Path,
    public_url: Option<&str>,
    key_file: PathBuf,
) -> Settings {
    let default = Settings::default();
    let mail = mail(feeds.section("mail"), base);
    let mut section = feeds.section("push");
    let allow_private = section.list::<IpNet>("allow_private");
    let authorities = path(&mut section, "authorities", base);
    let answer = section.optional::<u32>("answer_within_minutes");
    if let Some(answer) = answer.as_ref().filter(|answer| answer.value == 0) {
        let text = "nobody answers within no time: 1 minute or more";
        section.fault(answer.line, text.to_owned());
    }
    section.close();
    Settings {
        allow_private: allow_private.into_iter().map(|net| net.value).collect(),
        authorities,
        public_url: public_url.map(str::to_owned),
        key_file,
        answer_within: answer.map_or(default.answer_within, |minutes| {
            Duration::from_secs(u64::from(minutes.value) * 60)
        }),
        mail,
    }
}

fn mail(mut section: Section<'_>, base: &Path) -> Option<MailSettings> {
    if !section.is_written() {
        section.close();
        return None;
    }
    let server = server(&mut section, base);
    let from = section.required::<String>("from");
    let operator = section.optional::<String>("operator");
    for address in from.iter().chain(&operator) {
        if !is_address(&address.value) {
            let text = format!("{:?} is not a mail address: write name@host", address.value);
            section.fault(address.line, text);
        }
    }
    let signing_key = path(&mut section, "signing_key", base);
    section.close();
    Some(MailSettings {
        server: server?,
        from: from?.value,
        signing_key,
        operator: operator.map(|address| address.value),
    })
}

fn server(section: &mut Section<'_>, base: &Path) -> Option<Server> {
    let smtp = section.required::<String>("smtp");
    let security = security(section);
    let user = section.optional::<String>("user");
    let password = section.optional::<PathBuf>("password_file");
    let login = match (user, password) {
        (Some(user), Some(file)) => Some((user.value, base.join(file.value))),
        (None, None) => None,
        (Some(Written { line, .. }), None) | (None, Some(Written { line, .. })) => {
            let text = "user and password_file belong together: write both or neither";
            section.fault(line, text.to_owned());
            None
        }
    };
    let smtp = smtp?;
    let usual = match security {
        Security::Implicit => SUBMISSIONS_PORT,
        _ => SUBMISSION_PORT,
    };
    let (host, port) = match smtp.value.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse().ok()),
        None => (smtp.value.clone(), Some(usual)),
    };
    let Some(port) = port.filter(|port| *port != 0 && !host.is_empty()) else {
        let text = format!("`smtp` is {:?}: write \"mail.example.org:587\"", smtp.value);
        section.fault(smtp.line, text);
        return None;
    };
    if security == Security::None && !is_this_machine(&host) {
        let text = "mail would cross a network in the clear: tls = \"starttls\" or \"implicit\", \
                    or a server on 127.0.0.1";
        section.fault(smtp.line, text.to_owned());
    }
    Some(Server {
        host,
        port,
        security,
        login,
    })
}

fn security(section: &mut Section<'_>) -> Security {
    let Some(written) = section.optional::<String>("tls") else {
        return Security::StartTls;
    };
    match written.value.as_str() {
        "starttls" => Security::StartTls,
        "implicit" => Security::Implicit,
        "none" => Security::None,
        other => {
            let text = format!("`tls` is {other:?}: write \"starttls\", \"implicit\" or \"none\"");
            section.fault(written.line, text);
            Security::StartTls
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn path(section: &mut Section<'_>, key: &'static str, base: &Path) -> Option<PathBuf> {
    let written = section.optional::<PathBuf>(key);
    written.map(|path| base.join(path.value))
}

#[cfg(test)]
mod tests;
