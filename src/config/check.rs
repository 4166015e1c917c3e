//! Everything wrong with a configuration and with the files it names, at once.

use std::path::Path;
use std::sync::Arc;

use noroshi_collector::enrich::geo;
use noroshi_collector::enrich::scanners::{ListReport, ScannerLists};
use noroshi_collector::identity::tls::{AuthoritySettings, Source};
use noroshi_console::user::Users;
use noroshi_console::{Way, provider};
use noroshi_feeds::channel::{self, Problem};
use noroshi_feeds::clock;
use noroshi_feeds::credential::Credentials;
use noroshi_store::document::{Document, Fault, Faults, read_text};
use noroshi_store::registry::Registry;
use noroshi_web::{outbound, tls};

use super::file::{self, Read};
use super::{Config, directory, keep};

/// A configuration in which nothing is wrong.
#[derive(Debug)]
pub struct Checked {
    /// What it means.
    pub config: Config,
    /// What is not wrong but worth knowing, in the registry and in the lists.
    pub notes: Vec<String>,
}

/// Reads the configuration and every file it names, completely.
///
/// # Errors
/// Everything wrong in any of them, with its line and what to do.
pub fn check(path: &Path) -> Result<Checked, Faults> {
    let text = read_text(path)?;
    let document = Document::parse(&path.display().to_string(), &text)?;
    let read = file::read(&document, directory(path));
    let mut notes = Vec::new();
    sources(&read, &document, &mut notes);
    if let Some(files) = &read.feeds.tls
        && let Err(error) = tls::acceptor(files, noroshi_feeds::CLIENTS)
    {
        document.fault(read.lines.tls, error.to_string());
    }
    if let Some(tls) = &read.collector.tls
        && let AuthoritySettings::Brought(files) = &tls.authority
        && let Err(error) = Source::Brought(files.clone()).acceptor(clock::now())
    {
        document.fault(read.lines.identity, error.to_string());
    }
    if let Way::Tls(files) = &read.console.way
        && let Err(error) = tls::acceptor(files, noroshi_console::CLIENTS)
    {
        document.fault(read.lines.console_tls, error.to_string());
    }
    if let Some(path) = &read.console.authorities
        && let Err(problem) = outbound::authorities(path)
    {
        document.fault(read.lines.authorities, problem);
    }
    if let Some(provider) = &read.console.provider
        && let Err(problem) = provider::secret(&provider.secret)
    {
        document.fault(read.lines.provider, problem);
    }
    let mut registry_faults = Vec::new();
    let registry = keep(
        read.registry.as_deref().map(Registry::load),
        &mut registry_faults,
    );
    if let Some(registry) = &registry {
        notes.extend(registry.notes().iter().map(Fault::to_string));
        tokens(&read, &document, registry);
        registry_faults.extend(users(&read, registry));
        registry_faults.extend(channels(&read, &document, registry));
    }
    let config = registry.and_then(|registry| read.into_config(Arc::new(registry)));
    let mut faults = document.into_faults();
    faults.extend(registry_faults);
    Faults::none_in(faults)?;
    let config = config
        .ok_or_else(|| Faults::of_file(&path.display().to_string(), "cannot be read".to_owned()))?;
    Ok(Checked { config, notes })
}

fn sources(read: &Read, document: &Document<'_>, notes: &mut Vec<String>) {
    if let Some(path) = &read.sources.country
        && let Err(error) = geo::countries(path)
    {
        document.fault(read.lines.country, error.to_string());
    }
    if let Some(path) = &read.sources.asn
        && let Err(error) = geo::as_numbers(path)
    {
        document.fault(read.lines.asn, error.to_string());
    }
    match ScannerLists::load(&read.sources.lists) {
        Ok((_, reports)) => {
            let left_out = reports.iter().filter(|report| report.left_out > 0);
            notes.extend(left_out.map(ListReport::to_string));
        }
        Err(error) => document.fault(read.lines.lists, error.to_string()),
    }
}

fn tokens(read: &Read, document: &Document<'_>, registry: &Registry) {
    let Some(directory) = &read.feeds.tokens else {
        return;
    };
    let partners: Vec<_> = registry
        .partners()
        .iter()
        .map(|partner| partner.id.clone())
        .collect();
    if let Err(error) = Credentials::load(directory, &partners) {
        document.fault(read.lines.tokens, error.to_string());
    }
}

/// What is wrong with the console's users, in their own file.
fn users(read: &Read, registry: &Registry) -> Vec<Fault> {
    let Some(path) = read.console.users.as_deref() else {
        return Vec::new();
    };
    match Users::load(path, registry) {
        Err(faults) => faults.into_vec(),
        Ok(users) => match users.without_password() {
            Some(user) if read.console.provider.is_none() => vec![Fault {
                file: path.display().to_string(),
                line: None,
                text: format!(
                    "`{}` has no password, and [console.oidc] names no provider of identities",
                    user.name
                ),
            }],
            _ => Vec::new(),
        },
    }
}

/// Reads every key and address that alerts are pushed with.
fn channels(read: &Read, document: &Document<'_>, registry: &Registry) -> Vec<Fault> {
    let Err(problems) = channel::open(&read.feeds.push, registry.partners(), None, clock::now())
    else {
        return Vec::new();
    };
    let file = read.registry.as_deref().map(Path::display);
    let file = file.map(|file| file.to_string()).unwrap_or_default();
    let mut faults = Vec::new();
    for Problem { line, text } in problems {
        match line {
            None => document.fault(read.lines.push, text),
            line => faults.push(Fault {
                file: file.clone(),
                line,
                text,
            }),
        }
    }
    faults
}
