//! `[console]`: where people look, and who may.

use std::path::{Path, PathBuf};

use noroshi_console::Way;
use noroshi_console::serve::TlsFiles;
use noroshi_store::document::Section;

use super::file::{Lines, listen, tls};
use super::{CONSOLE_PORT, ConsoleSettings};

pub(super) fn read(mut section: Section<'_>, base: &Path, lines: &mut Lines) -> ConsoleSettings {
    let listen = listen(&mut section, CONSOLE_PORT);
    let users = section.optional::<PathBuf>("users");
    let behind_proxy = section.optional::<bool>("behind_proxy");
    let behind_proxy = behind_proxy.is_some_and(|wish| wish.value);
    let tls = tls(section.section("tls"), base, &mut lines.console_tls);
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
    section.close();
    ConsoleSettings {
        listen: listen.value,
        users: users.map(|path| base.join(path.value)),
        way,
    }
}
