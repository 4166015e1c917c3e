//! A request of a ClickHouse client, read: what to run, in which session, over which bytes.
//! Pure; the bytes have been received as a whole.

use hyper::Method;

use crate::engine::execute::{Access, Body, Session};
use crate::engine::statement::Failure;

use super::frames::Frames;
use super::multipart;

/// What a request asks for.
pub(super) enum Work {
    /// Any statement; the answer in `format` unless it names its own.
    Run {
        session: Session,
        sql: Vec<u8>,
        format: String,
    },
    /// An insert whose rows are the body.
    Insert {
        session: Session,
        /// Without `FORMAT`.
        statement: String,
        format: String,
        rows: Body,
    },
}

/// Parameters of the URL that are not settings of the engine.
enum Parameter {
    Query,
    Database,
    DefaultFormat,
    Decompress,
    /// Nothing to do here: identification, which the client sends and we answer by header, or
    /// what is always so.
    Ignored,
    /// Spoken by a server and not here.
    Unspoken,
    Value,
    Setting,
}

fn parameter(name: &str) -> Parameter {
    match name {
        "query" => Parameter::Query,
        "database" => Parameter::Database,
        "default_format" => Parameter::DefaultFormat,
        "decompress" => Parameter::Decompress,
        "user" | "password" | "query_id" | "wait_end_of_query" | "buffer_size" => {
            Parameter::Ignored
        }
        "session_id" | "session_timeout" | "session_check" | "role" | "quota_key" | "compress" => {
            Parameter::Unspoken
        }
        _ if name.starts_with("param_") => Parameter::Value,
        _ => Parameter::Setting,
    }
}

/// Reads a request.
///
/// # Errors
/// For parameters that are not spoken here, and bodies that are not what they say.
pub(super) fn read(
    method: &Method,
    url_query: &str,
    content_type: Option<&str>,
    body: Vec<u8>,
) -> Result<Work, Failure> {
    let mut fields = Fields::default();
    if method == Method::GET || method == Method::HEAD {
        fields.session.access = Access::Read;
    }
    for (name, value) in form_urlencoded::parse(url_query.as_bytes()) {
        fields.take(&name, value.into_owned())?;
    }
    let mut body = body;
    if let Some(boundary) = content_type.and_then(multipart::boundary) {
        for (name, value) in multipart::fields(&body, &boundary)? {
            fields.take(&name, value)?;
        }
        body = Vec::new();
    }
    fields.work(body)
}

#[derive(Default)]
struct Fields {
    query: String,
    format: Option<String>,
    decompress: bool,
    session: Session,
}

impl Fields {
    fn take(&mut self, name: &str, value: String) -> Result<(), Failure> {
        match parameter(name) {
            Parameter::Query => self.query.push_str(&value),
            Parameter::Database => self.session.database = Some(value).filter(|v| !v.is_empty()),
            Parameter::DefaultFormat => self.format = Some(value),
            Parameter::Decompress => self.decompress = value != "0",
            Parameter::Value => {
                let name = name.strip_prefix("param_").unwrap_or(name);
                self.session.parameters.push((name.to_owned(), value));
            }
            Parameter::Setting => self.session.settings.push((name.to_owned(), value)),
            Parameter::Unspoken => {
                if !matches!(value.as_str(), "" | "0") {
                    return Err(Failure::new(format!(
                        "Code: 48. DB::Exception: {name} is not supported by the embedded engine: \
                         use a server. (NOT_IMPLEMENTED)"
                    )));
                }
            }
            Parameter::Ignored => {}
        }
        Ok(())
    }

    fn work(self, body: Vec<u8>) -> Result<Work, Failure> {
        if let Some((statement, format)) = insert_with_format(&self.query)
            && !body.is_empty()
        {
            return Ok(Work::Insert {
                session: self.session,
                statement: statement.to_owned(),
                format: format.to_owned(),
                rows: if self.decompress {
                    Body::Compressed(body)
                } else {
                    Body::Plain(body)
                },
            });
        }
        // As a server does: the body continues the URL's text.
        let mut sql = self.query.into_bytes();
        if self.decompress {
            let (mut frames, mut piece) = (Frames::new(&body), Vec::new());
            while frames.next_into(&mut piece)? {
                sql.extend_from_slice(&piece);
            }
        } else {
            sql.extend_from_slice(&body);
        }
        if sql.is_empty() {
            return Err(Failure::new(
                "Code: 62. DB::Exception: The request holds no statement. (SYNTAX_ERROR)",
            ));
        }
        Ok(Work::Run {
            session: self.session,
            sql,
            format: self.format.unwrap_or_else(|| "TabSeparated".to_owned()),
        })
    }
}

/// Splits `INSERT INTO t (a, b) FORMAT RowBinary` before its last two words. `None` where the
/// text is anything else, for example `INSERT … SELECT`.
fn insert_with_format(query: &str) -> Option<(&str, &str)> {
    let query = query.trim().trim_end_matches(';').trim_end();
    let first = query.split_whitespace().next()?;
    if !first.eq_ignore_ascii_case("INSERT") {
        return None;
    }
    let (before, format) = query.rsplit_once(char::is_whitespace)?;
    let before = before.trim_end();
    let statement = before.get(..before.len().checked_sub("FORMAT".len())?)?;
    let keyword = &before[statement.len()..];
    let apart = statement.ends_with(|c: char| c.is_whitespace() || matches!(c, ')' | '`' | '"'));
    let named = !format.is_empty()
        && format
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (keyword.eq_ignore_ascii_case("FORMAT") && apart && named)
        .then_some((statement.trim_end(), format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(url: &str, body: &[u8]) -> (Session, String, String) {
        match read(&Method::POST, url, None, body.to_vec()).unwrap() {
            Work::Run {
                session,
                sql,
                format,
            } => (session, String::from_utf8(sql).unwrap(), format),
            Work::Insert { .. } => panic!("an insert"),
        }
    }

    #[test]
    fn a_select_stands_in_the_body() {
        let (session, sql, format) = run(
            "default_format=RowBinary&database=d&max_threads=2&param_x=1%202",
            b"SELECT {x:String}",
        );
        assert_eq!(
            (sql.as_str(), format.as_str()),
            ("SELECT {x:String}", "RowBinary")
        );
        assert_eq!(session.database.as_deref(), Some("d"));
        assert_eq!(
            session.settings,
            [("max_threads".to_owned(), "2".to_owned())]
        );
        assert_eq!(session.parameters, [("x".to_owned(), "1 2".to_owned())]);
    }

    #[test]
    fn the_body_continues_the_url() {
        let (_, sql, format) = run("query=SELECT%20", b"1");
        assert_eq!(
            (sql.as_str(), format.as_str()),
            ("SELECT 1", "TabSeparated")
        );
    }

    #[test]
    fn an_insert_loses_its_format() {
        let cases = [
            (
                "INSERT INTO t(a,`b`) FORMAT RowBinary",
                Some(("INSERT INTO t(a,`b`)", "RowBinary")),
            ),
            (
                "insert into t format Native;",
                Some(("insert into t", "Native")),
            ),
            (
                "INSERT INTO t SETTINGS a=1\nFORMAT  CSV ",
                Some(("INSERT INTO t SETTINGS a=1", "CSV")),
            ),
            ("INSERT INTO t SELECT 1", None),
            ("INSERT INTO t VALUES", None),
            ("INSERT INTO reformat x", None),
            ("SELECT 1 FORMAT CSV", None),
            ("", None),
        ];
        for (query, expected) in cases {
            assert_eq!(insert_with_format(query), expected, "{query}");
        }
    }

    #[test]
    fn what_a_server_speaks_and_we_do_not_is_refused() {
        for url in ["session_id=x", "role=r", "compress=1", ""] {
            assert!(read(&Method::POST, url, None, Vec::new()).is_err(), "{url}");
        }
    }

    #[test]
    fn a_get_reads() {
        let Ok(Work::Run { session, .. }) = read(&Method::GET, "query=SELECT+1", None, Vec::new())
        else {
            panic!("a statement");
        };
        assert_eq!(session.access, Access::Read);
    }
}
