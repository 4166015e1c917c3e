//! Answers as the ClickHouse client reads them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;

use crate::engine::execute::Written;
use crate::engine::statement::Failure;

const EXCEPTION_CODE: HeaderName = HeaderName::from_static("x-clickhouse-exception-code");
const SUMMARY: HeaderName = HeaderName::from_static("x-clickhouse-summary");

/// What an answer consists of.
pub(in crate::engine) enum Answer {
    /// One piece, or nothing.
    Whole(Option<Bytes>),
    /// Pieces as the engine makes them.
    Pieces(mpsc::Receiver<Result<Bytes, Failure>>),
}

/// The engine failed after part of the answer had left. The connection is cut without the
/// closing chunk, which the client reports as an error.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off: {0}")]
pub(in crate::engine) struct BrokeOff(Failure);

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces(pieces) => pieces
                .poll_recv(context)
                .map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(BrokeOff))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}

/// The result type of the HTTP service.
pub(super) type Answered = Result<Response<Answer>, Infallible>;

fn whole(status: StatusCode, text: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(text.into())));
    *response.status_mut() = status;
    response
}

pub(super) fn alive() -> Response<Answer> {
    whole(StatusCode::OK, "Ok.\n")
}

/// A refusal of the door's own, with ClickHouse's number for it.
pub(super) fn refused(status: StatusCode, code: u32, name: &str, why: &str) -> Response<Answer> {
    let text = format!("Code: {code}. DB::Exception: {why}. ({name})\n");
    with_code(whole(status, text), code)
}

/// What the engine said.
pub(super) fn failed(failure: &Failure) -> Response<Answer> {
    let status = match failure.code {
        27 | 48 | 62 | 115 | 271 => StatusCode::BAD_REQUEST,
        60 | 81 => StatusCode::NOT_FOUND, // unknown table, unknown database
        164 => StatusCode::FORBIDDEN,     // readonly
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let code = if failure.code == 0 {
        1002
    } else {
        failure.code
    }; // 1002: unknown exception
    with_code(whole(status, format!("{}\n", failure.message)), code)
}

fn with_code(mut response: Response<Answer>, code: u32) -> Response<Answer> {
    response
        .headers_mut()
        .insert(EXCEPTION_CODE, HeaderValue::from(code));
    response
}

/// Rows were written, or a statement without an answer has run.
pub(super) fn written(written: Written) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(None));
    let summary = format!("{{\"written_rows\":\"{}\"}}", written.rows);
    if let Ok(summary) = HeaderValue::try_from(summary) {
        response.headers_mut().insert(SUMMARY, summary);
    }
    response
}

/// The pieces of an answer in `format`.
pub(super) fn pieces(
    format: &str,
    pieces: mpsc::Receiver<Result<Bytes, Failure>>,
) -> Response<Answer> {
    let mut response = Response::new(Answer::Pieces(pieces));
    let kind = match format {
        "JSON" | "JSONCompact" => "application/json; charset=UTF-8",
        "JSONEachRow" | "JSONCompactEachRow" => "application/x-ndjson; charset=UTF-8",
        "CSV" | "CSVWithNames" => "text/csv; charset=UTF-8",
        "TabSeparated" | "TSV" | "TabSeparatedWithNames" | "TSVWithNames" => {
            "text/tab-separated-values; charset=UTF-8"
        }
        _ => "application/octet-stream",
    };
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
