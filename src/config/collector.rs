//! `[collector]` and `[collector.tls]`: where sensors connect to, and who says who they are.

use std::path::{Path, PathBuf};

use noroshi_collector::admit::allowance::Rates;
use noroshi_collector::identity::tls::{AuthoritySettings, TlsFiles, TlsSettings};
use noroshi_collector::settings::{Replay, Settings};
use noroshi_collector::update::UpdateSettings;
use noroshi_proto::limits::UPDATE_KEYS_MAX;
use noroshi_store::document::{Section, Written};

use super::file::listen;
use super::{COLLECTOR_PORT, STREAMS_MAX};

/// The directory of updates, beside that of identities, unless told otherwise.
const UPDATES: &str = "updates";
/// How long a sensor's certificate lives, unless told otherwise; renewed when a third is left.
const CERTIFICATE_DAYS: u32 = 30;
/// The longest: who finds a key that nobody misses uses it so long at most.
const CERTIFICATE_DAYS_MAX: u32 = 366;
const DAY_MILLIS: u64 = 86_400_000;
/// Names in the collector's certificate.
const NAMES_MAX: usize = 64;

/// Paths become relative to `base`; `identity` is where identities stand unless told otherwise.
/// `line` is set to that of `[collector.tls]`, where it is written.
pub(super) fn read(
    mut section: Section<'_>,
    base: &Path,
    identity: &Path,
    line: &mut usize,
) -> Settings {
    let listen = listen(&mut section, COLLECTOR_PORT);
    let tls_section = section.section("tls");
    let is_written = tls_section.is_written();
    *line = tls_section.line();
    let tls = tls(tls_section, base, identity);
    let updates = identity.with_file_name(UPDATES);
    let updates = self::updates(section.section("updates"), base, updates);
    if !is_written && !listen.value.ip().is_loopback() {
        let text = "sensors would be heard in the clear: write [collector.tls] with the names by \
                    which sensors reach this collector, or listen on 127.0.0.1";
        section.fault(listen.line, text.to_owned());
    }
    let admit_replay = section
        .optional::<bool>("admit_replay")
        .is_some_and(|wish| wish.value);
    let streams_max = positive(&mut section, "streams_max", "no sensor can connect");
    let tuples = positive(
        &mut section,
        "sensor_tuples_per_second",
        "no sensor is ever heard",
    );
    section.close();
    Settings {
        listen: listen.value,
        tls,
        updates,
        replay: if admit_replay {
            Replay::Admitted
        } else {
            Replay::Refused
        },
        streams_max: streams_max.unwrap_or(STREAMS_MAX),
        rates: Rates::per_second(tuples.map_or(Rates::TUPLES_PER_SECOND, u64::from)),
    }
}

/// Off unless it is written.
fn updates(mut section: Section<'_>, base: &Path, path: PathBuf) -> Option<UpdateSettings> {
    if !section.is_written() {
        section.close();
        return None;
    }
    let written = section.optional::<PathBuf>("path");
    let directory = written.map_or(path, |path| base.join(path.value));
    let mut keys = Vec::new();
    let written = section.list::<String>("keys");
    if written.is_empty() || written.len() > UPDATE_KEYS_MAX {
        let text = format!("`keys` are those that sensors believe: 1 to {UPDATE_KEYS_MAX}");
        section.fault(section.line(), text);
    }
    for key in written {
        match key.value.parse() {
            Ok(public) => keys.push(public),
            Err(error) => section.fault(key.line, format!("`{}`: {error}", key.value)),
        }
    }
    section.close();
    Some(UpdateSettings { directory, keys })
}

fn positive(section: &mut Section<'_>, key: &'static str, otherwise: &str) -> Option<u32> {
    let written = section.optional::<u32>(key)?;
    if written.value == 0 {
        let text = format!("with `{key}` at 0 {otherwise}: 1 or more");
        section.fault(written.line, text);
    }
    Some(written.value)
}

/// The centre's own authority where `names` are written, or the operator's where files are.
fn tls(mut section: Section<'_>, base: &Path, identity: &Path) -> Option<TlsSettings> {
    if !section.is_written() {
        section.close();
        return None;
    }
    let directory = section.optional::<PathBuf>("path");
    let directory = directory.map_or(identity.to_owned(), |path| base.join(path.value));
    let names = section.list::<String>("names");
    let days = section.optional::<u32>("certificate_days");
    let files = ["certificate", "key", "ca"].map(|key| section.optional::<PathBuf>(key));
    let authority = match files {
        [None, None, None] => own(&section, names, days),
        [Some(certificate), Some(key), Some(ca)] if names.is_empty() && days.is_none() => {
            Some(AuthoritySettings::Brought(TlsFiles {
                certificate: base.join(certificate.value),
                key: base.join(key.value),
                ca: base.join(ca.value),
            }))
        }
        _ => {
            let text = "[collector.tls] is either `names`, for the centre's own authority, or \
                        `certificate`, `key` and `ca`, all three, of yours";
            section.fault(section.line(), text.to_owned());
            None
        }
    };
    section.close();
    Some(TlsSettings {
        directory,
        authority: authority?,
    })
}

fn own(
    section: &Section<'_>,
    names: Vec<Written<String>>,
    days: Option<Written<u32>>,
) -> Option<AuthoritySettings> {
    if names.is_empty() || names.len() > NAMES_MAX {
        let text = format!(
            "`names` says how sensors reach this collector, as in [\"centre.example.org\"]: 1 to \
             {NAMES_MAX} names or addresses"
        );
        section.fault(section.line(), text);
        return None;
    }
    let mut good = Vec::new();
    for name in names {
        if is_name(&name.value) {
            good.push(name.value);
        } else {
            let text = format!(
                "`{}` is no host name and no address: write it as in sensors' collector URL, \
                 without scheme and port",
                name.value
            );
            section.fault(name.line, text);
        }
    }
    let days = days.unwrap_or(Written {
        value: CERTIFICATE_DAYS,
        line: 0,
    });
    if !(1..=CERTIFICATE_DAYS_MAX).contains(&days.value) {
        let text = format!("`certificate_days` is 1 to {CERTIFICATE_DAYS_MAX}");
        section.fault(days.line, text);
    }
    Some(AuthoritySettings::Own {
        names: good,
        sensor_millis: u64::from(days.value) * DAY_MILLIS,
    })
}

/// An address, or labels of letters, digits and hyphens (RFC 1123).
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.parse::<std::net::IpAddr>().is_ok() || name.len() <= 253 && name.split('.').all(is_label)
}
