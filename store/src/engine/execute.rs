//! Statements as the HTTP face hands them over, run by the engine. Everything here blocks.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use hyper::body::Bytes;

use super::http::frames::Frames;
use super::library::{Connection, Library};
use super::statement::{Effect, Failure};

/// Bytes of an answer that has to be built as a whole, because its format has a frame around
/// all rows. Larger answers want a format of rows.
const WHOLE_ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes handed to an insert at a time, where they are not cut into compressed frames.
const INSERT_PIECE_BYTES: usize = 1024 * 1024;

/// Formats whose pieces make one text when put one after the other.
const ROW_FORMATS: [&str; 9] = [
    "RowBinary",
    "RowBinaryWithNamesAndTypes",
    "Native",
    "TabSeparated",
    "TSV",
    "CSV",
    "JSONEachRow",
    "JSONCompactEachRow",
    "JSONStringsEachRow",
];

/// The engine on one directory, for as long as the process serves it.
pub(super) struct Database {
    library: &'static Library,
    directory: PathBuf,
    /// Never used for a statement: the engine runs until its last connection closes.
    keeper: Mutex<Option<Connection>>,
    /// The engine's version.
    pub(super) version: String,
}

/// What the session of one request starts from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// `USE`, where one was named.
    pub(super) database: Option<String>,
    /// `SET name = 'value'`, in order.
    pub(super) settings: Vec<(String, String)>,
    /// Values of `{name:Type}` places, escaped as TabSeparated escapes them.
    pub(super) parameters: Vec<(String, String)>,
    /// What the request may do.
    pub(super) access: Access,
}

/// What a request may do.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// A GET: reading.
    Read,
    /// A POST: anything.
    #[default]
    Write,
}

/// The bytes of an insert's rows.
pub(super) enum Body {
    Plain(Vec<u8>),
    /// The engine's own compressed frames.
    Compressed(Vec<u8>),
}

impl Database {
    /// Opens `directory` and keeps it open.
    pub(super) fn open(library: &'static Library, directory: &Path) -> Result<Self, Failure> {
        let mut keeper = library.connect(directory)?;
        let version = keeper.query(b"SELECT version()", "TSVRaw", &[])?;
        let version = String::from_utf8_lossy(version.as_ref()).trim().to_owned();
        Ok(Self {
            library,
            directory: directory.to_owned(),
            keeper: Mutex::new(Some(keeper)),
            version,
        })
    }

    /// Writes what is left to the disk and ends the engine. All requests have ended before.
    pub(super) fn close(&self) {
        let keeper = self.keeper.lock().map(|mut keeper| keeper.take());
        drop(keeper);
        self.library.shut_down();
    }

    /// Runs one statement. Its answer goes to `give`, piece by piece, until `give` says stop.
    pub(super) fn run(
        &self,
        session: &Session,
        sql: &[u8],
        format: &str,
        give: &mut dyn FnMut(Bytes) -> Next,
    ) -> Result<Written, Failure> {
        let mut connection = self.connect(session)?;
        let analysis = connection.analyse(sql);
        if analysis.statements > 1 {
            return Err(Failure::new(
                "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). \
                 (SYNTAX_ERROR)",
            ));
        }
        // What does not parse is left to the engine, which says why.
        let parses = analysis.statements > 0;
        if session.access == Access::Read && parses && analysis.effect != Effect::Reads {
            return Err(read_only());
        }
        if analysis.effect == Effect::Reads && streams(sql, format) {
            let mut rows = connection.stream(sql, format, &session.parameters)?;
            let mut header = None;
            while let Some(piece) = rows.next()? {
                let piece = Bytes::from_owner(piece);
                // Each piece comes as an answer of its own: the first one's header is enough.
                let piece = match header {
                    Some(length) => piece.slice(length..),
                    None => {
                        header = Some(header_length(format, &piece));
                        piece
                    }
                };
                if give(piece) == Next::Stop {
                    return Ok(Written::default());
                }
            }
            return Ok(Written::default());
        }
        if analysis.effect == Effect::Reads {
            set(
                &mut connection,
                &[(
                    "max_result_bytes".to_owned(),
                    WHOLE_ANSWER_BYTES_MAX.to_string(),
                )],
            )?;
        }
        let answer = connection.query(sql, format, &session.parameters)?;
        let written = Written {
            rows: answer.rows_written(),
        };
        give(Bytes::from_owner(answer));
        Ok(written)
    }

    /// Inserts rows as one block per `max_insert_block_size` rows (about a million), all or
    /// nothing up to that.
    pub(super) fn insert(
        &self,
        session: &Session,
        statement: &str,
        format: &str,
        body: &Body,
    ) -> Result<Written, Failure> {
        if session.access == Access::Read {
            return Err(read_only());
        }
        if let Body::Compressed(bytes) = body {
            Frames::new(bytes).verify()?; // before anything is inserted
        }
        let mut connection = self.connect(session)?;
        let mut insert = connection.insert(statement, format)?;
        match body {
            Body::Plain(bytes) => {
                for piece in bytes.chunks(INSERT_PIECE_BYTES) {
                    insert.append(piece)?;
                }
            }
            Body::Compressed(bytes) => {
                let mut rows = Vec::new();
                let mut frames = Frames::new(bytes);
                while frames.next_into(&mut rows)? {
                    insert.append(&rows)?;
                }
            }
        }
        Ok(Written {
            rows: insert.finish()?,
        })
    }

    fn connect(&self, session: &Session) -> Result<Connection, Failure> {
        let mut connection = self.library.connect(&self.directory)?;
        if let Some(database) = &session.database {
            let sql = format!("USE {}", quoted(database, '`'));
            connection.query(sql.as_bytes(), "Null", &[])?;
        }
        set(&mut connection, &session.settings)?;
        Ok(connection)
    }
}

fn read_only() -> Failure {
    Failure::new("Code: 164. DB::Exception: A GET may only read: use POST. (READONLY)")
}

/// Whether more of an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    More,
    /// The client went away.
    Stop,
}

/// What a statement wrote.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Rows, those that views wrote among them.
    pub(super) rows: u64,
}

fn set(connection: &mut Connection, settings: &[(String, String)]) -> Result<(), Failure> {
    if settings.is_empty() {
        return Ok(());
    }
    let mut sql = String::from("SET ");
    for (index, (name, value)) in settings.iter().enumerate() {
        let known =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !known {
            return Err(Failure::new(format!(
                "Code: 115. DB::Exception: Unknown setting {name:?}. (UNKNOWN_SETTING)"
            )));
        }
        let comma = if index == 0 { "" } else { ", " };
        sql.push_str(&format!("{comma}{name} = {}", quoted(value, '\'')));
    }
    connection.query(sql.as_bytes(), "Null", &[]).map(drop)
}

/// A name or a text in SQL's quotes.
fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        if character == quote || character == '\\' {
            out.push('\\');
        }
        out.push(character);
    }
    out.push(quote);
    out
}

/// Whether the answer can be given in pieces. A statement that names its own format is answered
/// as a whole, for the format may be any.
fn streams(sql: &[u8], format: &str) -> bool {
    let text = String::from_utf8_lossy(sql).to_ascii_uppercase();
    let mut words =
        without_leading_comments(&text).split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let selects = words
        .by_ref()
        .find(|word| !word.is_empty())
        .is_some_and(|first| first == "SELECT" || first == "WITH");
    selects && ROW_FORMATS.contains(&format) && words.all(|word| word != "FORMAT")
}

fn without_leading_comments(mut sql: &str) -> &str {
    loop {
        sql = sql.trim_start();
        let rest = match sql.get(..2) {
            Some("--") => sql.split_once('\n'),
            Some("/*") => sql.split_once("*/"),
            _ => return sql,
        };
        let Some((_, rest)) = rest else {
            return "";
        };
        sql = rest;
    }
}

/// How long the header is that an answer of this format begins with.
fn header_length(format: &str, piece: &[u8]) -> usize {
    match format {
        "RowBinaryWithNamesAndTypes" => names_and_types_length(piece),
        _ => 0,
    }
}

/// How long the header of `RowBinaryWithNamesAndTypes` is: a count, then that many names, then
/// that many types, each behind its length.
fn names_and_types_length(piece: &[u8]) -> usize {
    let mut at = 0;
    let columns = variable_length(piece, &mut at);
    for _ in 0..columns.saturating_mul(2) {
        if at >= piece.len() {
            break;
        }
        let length = variable_length(piece, &mut at);
        at = at.saturating_add(length).min(piece.len());
    }
    at
}

/// LEB128, as the engine writes lengths.
fn variable_length(bytes: &[u8], at: &mut usize) -> usize {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let Some(&byte) = bytes.get(*at) else {
            return 0;
        };
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("a`b\\c", '`'), "`a\\`b\\\\c`");
        assert_eq!(quoted("it's", '\''), "'it\\'s'");
    }

    #[test]
    fn only_selects_in_row_formats_are_given_in_pieces() {
        assert!(streams(b"  select 1", "RowBinary"));
        assert!(streams(
            b"-- a format\n/* and\nmore */ select 1",
            "RowBinary"
        ));
        assert!(streams(b"WITH 1 AS x SELECT x", "Native"));
        assert!(streams(b"SELECT format_version FROM t", "CSV"));
        assert!(!streams(b"SELECT 1 FORMAT JSON", "RowBinary"));
        assert!(!streams(b"SELECT 1", "JSON"));
        assert!(!streams(b"DESCRIBE TABLE t", "RowBinary"));
    }

    #[test]
    fn the_header_of_named_rows_is_measured() {
        let piece = b"\x02\x06number\x01s\x06UInt64\x06String\x00\x01";
        assert_eq!(names_and_types_length(piece), piece.len() - 2);
        assert_eq!(names_and_types_length(b""), 0);
        assert_eq!(names_and_types_length(b"\xff\xff"), 2);
    }
}
