//! A log as it is written: CSV with a header that names `address`, `time` and `port`.
//!
//! Times are UTC, `2026-11-02T06:00:02.345Z` or `2026-11-02 06:00:02`; the port is the source's,
//! by which its provider finds the customer behind NAT (RFC 6302). Further columns are not read.

use std::fmt;
use std::net::IpAddr;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use noroshi_proto::time::Millis;

/// Largest log, in bytes.
pub const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most lines of one log.
pub const LINES_MAX: usize = 1_000_000;
/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 1_024;
/// How far ahead of ours a server's clock may be, in milliseconds.
const AHEAD_MILLIS: u64 = 300_000;
/// What is older tells nothing of today's machine, in milliseconds: 30 days.
const BEHIND_MILLIS: u64 = 30 * 86_400_000;

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// Who connected.
    pub address: IpAddr,
    /// When.
    pub at: Millis,
    /// From which port.
    pub port: u16,
}

/// What stands in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Its connections, in the order of the file.
    pub contacts: Vec<Contact>,
    /// What could not be read.
    pub bad: Vec<BadLine>,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.problem)
    }
}

/// Why a whole log is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The operator names the columns.
    #[error("line 1 is no header: it must name the columns address, time and port")]
    NoHeader,
    /// The operator splits the file.
    #[error("more than {LINES_MAX} lines: split the file")]
    TooLong,
}

/// Where the columns stand.
struct Columns {
    address: usize,
    time: usize,
    port: usize,
}

/// Reads a log at wall time `now`.
///
/// # Errors
/// Where nothing of it can be read.
pub fn read(text: &str, now: Millis) -> Result<Log, LogError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate();
    let (_, header) = lines.next().ok_or(LogError::NoHeader)?;
    let columns = columns(header).ok_or(LogError::NoHeader)?;
    let mut log = Log::default();
    for (index, line) in lines {
        if index > LINES_MAX {
            return Err(LogError::TooLong);
        }
        if line.trim().is_empty() {
            continue;
        }
        match contact(line, &columns, now) {
            Ok(contact) => log.contacts.push(contact),
            Err(problem) => log.bad.push(BadLine {
                line: index + 1,
                problem,
            }),
        }
    }
    Ok(log)
}

fn columns(header: &str) -> Option<Columns> {
    let names = fields(header).ok()?;
    let place = |wanted: &str| {
        names
            .iter()
            .position(|name| name.trim().eq_ignore_ascii_case(wanted))
    };
    Some(Columns {
        address: place("address")?,
        time: place("time")?,
        port: place("port")?,
    })
}

fn contact(line: &str, columns: &Columns, now: Millis) -> Result<Contact, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
    }
    let fields = fields(line)?;
    let field = |index: usize, name: &str| {
        let value = fields.get(index).map(|value| value.trim());
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("no {name}"))
    };
    let address = field(columns.address, "address")?;
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("`{address}` is no address"))?;
    let port = field(columns.port, "port")?;
    let port: u16 = port
        .parse()
        .map_err(|_| format!("`{port}` is no port: 0 to 65535"))?;
    let at = time(field(columns.time, "time")?)?;
    if at.0 > now.0 + AHEAD_MILLIS {
        return Err(format!("{at} is not yet"));
    }
    if at.0 + BEHIND_MILLIS < now.0 {
        return Err(format!("{at} is more than 30 days ago"));
    }
    Ok(Contact {
        address: address.to_canonical(),
        at,
        port,
    })
}

/// An instant in UTC. Any other offset is refused: a wrong one would name another's customer.
fn time(text: &str) -> Result<Millis, String> {
    let wrong = || format!("`{text}` is no time in UTC: write 2026-11-02T06:00:02Z");
    let utc = text
        .strip_suffix(['Z', 'z'])
        .or(text.strip_suffix("+00:00"))
        .or(text.strip_suffix(" UTC"))
        .unwrap_or(text);
    let of_day = utc.get(10..).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, 'T' | 't' | ' ' | ':' | '.');
    if !of_day.chars().all(is_plain) {
        return Err(wrong()); // an offset, which jiff would pass over
    }
    let civil: DateTime = utc.parse().map_err(|_| wrong())?;
    let timestamp = Offset::UTC.to_timestamp(civil).map_err(|_| wrong())?;
    let millis = u64::try_from(timestamp.as_millisecond()).map_err(|_| wrong())?;
    Ok(Millis(millis))
}

/// The fields of one line of CSV (RFC 4180), quoted or not.
fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (quoted, character) {
            (true, '"') if characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            (true, '"') => quoted = false,
            (false, '"') if field.is_empty() => quoted = true,
            (false, ',') => fields.push(std::mem::take(&mut field)),
            (_, other) => field.push(other),
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    fields.push(field);
    Ok(fields)
}
