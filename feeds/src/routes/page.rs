//! A page of the reader's alerts, in the order they changed, and where to read on.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use noroshi_proto::time::Millis;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;
use serde::Deserialize;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;

/// Alerts in one answer, unless the reader asks for fewer.
pub const ALERTS_DEFAULT: u32 = 500;
/// Alerts in one answer at most: about two megabytes.
pub const ALERTS_MAX: u32 = 1_000;
const NEXT: HeaderName = HeaderName::from_static("noroshi-next");
/// Lines of JSON.
pub(super) const JSON_LINES: &str = "application/x-ndjson";
/// Until when, in event time, everything that had arrived was examined.
const EXAMINED: HeaderName = HeaderName::from_static("noroshi-examined-until");
const MORE: HeaderName = HeaderName::from_static("noroshi-more");

/// Where to read on, and how much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    since: Option<String>,
    limit: Option<u32>,
}

/// The cursor of an earlier answer; nothing is the beginning.
pub(super) fn cursor(text: Option<&str>) -> Result<ChangeCursor, Refusal> {
    match text {
        None | Some("") => Ok(ChangeCursor::default()),
        Some(text) => text.parse().map_err(|_| {
            Refusal::Wrong("'since' is not a noroshi-next of an earlier answer".into())
        }),
    }
}

/// Changes of the reader's alerts, and whether more are waiting.
pub(super) struct Page {
    changes: Vec<(ChangeCursor, Shown)>,
    next: String,
    more: bool,
    examined: Option<Millis>,
}

impl Page {
    /// Asks the store for what the query says.
    pub(super) async fn read(
        desk: &Desk,
        reader: &PartnerId,
        query: Result<Query<PageQuery>, QueryRejection>,
    ) -> Result<Self, Refusal> {
        let Query(query) = query.map_err(|_| {
            Refusal::Wrong(
                "the parameters are 'since' (a noroshi-next) and 'limit' (a number)".into(),
            )
        })?;
        let since = cursor(query.since.as_deref())?;
        let limit = query.limit.unwrap_or(ALERTS_DEFAULT).clamp(1, ALERTS_MAX);
        // Before the changes: what is examined later may be among them all the same.
        let examined = desk.examined().await?;
        let changes = in_time(desk.store.changes_of(reader, since, limit)).await?;
        let next = changes.last().map_or(since, |(cursor, _)| *cursor);
        Ok(Self {
            next: next.to_string(),
            more: changes.len() == limit as usize,
            examined,
            changes,
        })
    }

    /// What it holds.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Shown> {
        self.changes.iter().map(|(_, shown)| shown)
    }

    /// The page as lines in some format, and where to read on.
    pub(super) fn answer(&self, kind: &'static str, lines: String) -> Result<Response, Refusal> {
        let next = HeaderValue::from_str(&self.next).map_err(|_| Refusal::Unavailable)?;
        let more = if self.more { "true" } else { "false" };
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
            (NEXT, next),
            (MORE, HeaderValue::from_static(more)),
        ];
        let mut response = (headers, lines).into_response();
        let examined = self.examined.map(|until| until.to_string());
        if let Some(until) = examined.and_then(|until| HeaderValue::from_str(&until).ok()) {
            response.headers_mut().insert(EXAMINED, until);
        }
        Ok(response)
    }
}
