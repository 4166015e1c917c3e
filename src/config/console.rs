//! `[console]`: where people look, and who may.

use std::path::{Path, PathBuf};

use noroshi_console::Way;
use noroshi_console::provider::{Claim, Settings as Provider};
use noroshi_store::document::Section;
use noroshi_web::tls::TlsFiles;

use super::file::{Lines, listen, public_url, tls};
use super::{CONSOLE_PORT, ConsoleSettings};

pub(super) fn read(mut section: Section<'_>, base: &Path, lines: &mut Lines) -> ConsoleSettings {
    let listen = listen(&mut section, CONSOLE_PORT);
    let users = section.optional::<PathBuf>("users");
    let behind_proxy = section.optional::<bool>("behind_proxy");
    let behind_proxy = behind_proxy.is_some_and(|wish| wish.value);
    let public_url = public_url(&mut section, "browsers reach the console");
    let authorities = section.optional::<PathBuf>("authorities");
    let tls = tls(section.section("tls"), base, &mut lines.console_tls);
    let provider = section.section("oidc");
    let provider = provider_of(provider, base, public_url.as_deref(), lines);
    let way = match tls {
        Some((certificate, key)) => Way::Tls(TlsFiles { certificate, key }),
        None if behind_proxy => Way::Proxy,
        None => Way::Loopback,
    };
    if way == Way::Loopback && !listen.value.ip().is_loopback() {
        let text = "passwords would cross the network in the clear: set certificate and key under \
                    [console.tls], or listen on 127.0.0.1, or say behind_proxy = true where a proxy \
                    speaks TLS with browsers";
        section.fault(listen.line, text.to_owned());
    }
    lines.authorities = authorities.as_ref().map_or(0, |path| path.line);
    section.close();
    ConsoleSettings {
        listen: listen.value,
        users: users.map(|path| base.join(path.value)),
        way,
        provider,
        authorities: authorities.map(|path| base.join(path.value)),
    }
}

/// `[console.oidc]`: the provider of identities.
fn provider_of(
    mut section: Section<'_>,
    base: &Path,
    public_url: Option<&str>,
    lines: &mut Lines,
) -> Option<Provider> {
    if !section.is_written() {
        section.close();
        return None;
    }
    let issuer = section.required::<String>("issuer");
    let client = section.required::<String>("client");
    let secret = section.required::<PathBuf>("secret");
    let claim = section.optional::<String>("claim");
    let name = section.optional::<String>("name");
    if public_url.is_none() {
        let text = "[console] public_url says where browsers come back from the provider, such as \
                    https://noroshi.example.org";
        section.fault(section.line(), text.to_owned());
    }
    let issuer = issuer.and_then(|written| {
        let issuer = Provider::issuer(&written.value);
        let issuer = issuer.map_err(|why| section.fault(written.line, format!("`issuer`: {why}")));
        issuer.ok()
    });
    let claim = claim.map_or(Some(Claim::default()), |written| {
        let claim = Claim::named(&written.value);
        if claim.is_none() {
            let known = Claim::ALL.map(Claim::name).join("\", \"");
            section.fault(written.line, format!("`claim` is one of \"{known}\""));
        }
        claim
    });
    lines.provider = secret.as_ref().map_or(0, |secret| secret.line);
    section.close();
    Some(Provider {
        issuer: issuer?,
        client: client?.value,
        secret: base.join(secret?.value),
        claim: claim?,
        name: name.map_or_else(|| "OpenID Connect".to_owned(), |name| name.value),
        back: Provider::back(public_url?).ok()?,
    })
}
