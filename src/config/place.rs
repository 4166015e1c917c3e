//! Where the store is.

use std::path::{Path, PathBuf};

use noroshi_store::document::{Section, Written};
use noroshi_store::engine::Endpoint;

/// The embedded engine's directory, unless told otherwise.
const EMBEDDED_PATH: &str = "data";
/// User and database of a server, where its URL names none.
const SERVER_USER: &str = "default";
const SERVER_DATABASE: &str = "noroshi";
/// Longest password, in bytes; a longer file is none.
const PASSWORD_BYTES_MAX: usize = 4_096;

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this directory, served by an engine of our own.
    Embedded(PathBuf),
    /// At a ClickHouse server.
    Server(Endpoint),
}

/// `[store]`: the place and the cluster's name. `None`: faulty, and noted.
pub(super) fn read(mut section: Section<'_>, base: &Path) -> Option<(Place, Option<String>)> {
    let url = section.optional::<String>("url");
    let path = section.optional::<PathBuf>("path");
    let password = section.optional::<PathBuf>("password_file");
    let cluster = section.optional::<String>("cluster");
    let place = match url {
        Some(url) if url.value != "embedded" => server(&section, &url, password, base),
        _ => {
            for (key, line) in [
                ("password_file", password.map(|path| path.line)),
                ("cluster", cluster.as_ref().map(|name| name.line)),
            ] {
                if let Some(line) = line {
                    let text =
                        format!("`{key}` is for a server: take it out, or name one in `url`");
                    section.fault(line, text);
                }
            }
            let path = path.map_or(EMBEDDED_PATH.into(), |path| path.value);
            Some(Place::Embedded(base.join(path)))
        }
    };
    section.close();
    Some((place?, cluster.map(|name| name.value)))
}

fn server(
    section: &Section<'_>,
    url: &Written<String>,
    password: Option<Written<PathBuf>>,
    base: &Path,
) -> Option<Place> {
    let endpoint = match endpoint(&url.value) {
        Ok(endpoint) => endpoint,
        Err(text) => {
            section.fault(url.line, format!("`url` {text}"));
            return None;
        }
    };
    let Some(file) = password else {
        return Some(Place::Server(endpoint));
    };
    match read_password(&base.join(file.value)) {
        Ok(password) => Some(Place::Server(Endpoint {
            password,
            ..endpoint
        })),
        Err(text) => {
            section.fault(file.line, text);
            None
        }
    }
}

/// `http://user@host:8123/database`, user and database optional.
fn endpoint(url: &str) -> Result<Endpoint, String> {
    let example = "write \"embedded\" or \"http://user@clickhouse:8123/noroshi\"";
    let Some(rest) = url.strip_prefix("http://") else {
        return Err(format!("is {url:?}: {example} (https is not built in)"));
    };
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority
        .split_once('@')
        .unwrap_or((SERVER_USER, authority));
    if user.contains(':') {
        return Err("holds a password: put it into a file and name that in `password_file`".into());
    }
    let word = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let database = if database.is_empty() {
        SERVER_DATABASE
    } else {
        database
    };
    if user.is_empty() || !word(database) {
        return Err(format!("is {url:?}: {example}"));
    }
    let port = host
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse::<u16>().ok());
    if port.is_none_or(|port| port == 0) || host.starts_with(':') {
        return Err(format!(
            "is {url:?}, without a host and its port: {example}"
        ));
    }
    Ok(Endpoint {
        url: format!("http://{host}"),
        user: user.to_owned(),
        password: String::new(),
        database: database.to_owned(),
    })
}

fn read_password(path: &Path) -> Result<String, String> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("{file} cannot be read ({error}): check the path and its rights")
    })?;
    let password = text.trim_end_matches(['\r', '\n']);
    match password.len() {
        0 => Err(format!("{file} is empty: write the password into it")),
        1..=PASSWORD_BYTES_MAX if !password.contains('\n') => Ok(password.to_owned()),
        _ => Err(format!(
            "{file} holds more than one line: write the password alone into it"
        )),
    }
}
