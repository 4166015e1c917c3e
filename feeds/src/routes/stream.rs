//! Alerts as they change, as server-sent events (WHATWG HTML, "Server-sent events").
//!
//! Each event's `id` is a cursor; a client that comes back with it as `Last-Event-ID` reads on
//! behind it. Nothing is kept for a client that does not read: it is let go
//! and comes back where it was.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use noroshi_store::cases::ChangeCursor;
use noroshi_store::changes::Shown;
use noroshi_store::origin::PartnerId;
use serde::Deserialize;
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;
use crate::render;
use crate::routes::page::cursor;
use crate::seats::Seat;

/// How often the store is asked for changes: its newest second stands back anyway.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// Alerts in one question.
const ALERTS_AT_ONCE: u32 = 100;
/// Events that wait for a client beyond what its connection takes.
const WAITING_MAX: usize = 4;
/// A client that takes nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(20);
/// A comment after so long without an event, so that nobody between takes the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends before its connection's time is over, in good order; the client comes back.
const STREAM_LIFE: Duration = Duration::from_secs(240);
/// What a client without a seat waits.
const NO_SEAT_WAIT: Duration = Duration::from_secs(30);

/// `GET /v1/alerts/stream`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/v1/alerts/stream", get(stream))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamQuery {
    since: Option<String>,
}

async fn stream(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    headers: HeaderMap,
    query: Result<Query<StreamQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query
        .map_err(|_| Refusal::Wrong("the one parameter is 'since' (a noroshi-next)".into()))?;
    let since = match headers.get("last-event-id") {
        Some(id) => cursor(Some(id.to_str().unwrap_or("?")))?,
        None => cursor(query.since.as_deref())?,
    };
    let seat = desk.seats.take(&reader);
    let seat = seat.ok_or(Refusal::TooOften(NO_SEAT_WAIT))?;
    let (client, events) = mpsc::channel(WAITING_MAX);
    let told = Told {
        client,
        reader,
        since,
        _seat: seat,
    };
    tokio::spawn(tell(desk, told));
    let events = Sse::new(ReceiverStream::new(events));
    let heartbeat = KeepAlive::new().interval(HEARTBEAT);
    Ok(events.keep_alive(heartbeat).into_response())
}

/// A client and how far it was told.
struct Told {
    client: Sender<Result<Event, Infallible>>,
    reader: PartnerId,
    since: ChangeCursor,
    _seat: Seat,
}

/// Tells a client of changes until it leaves, its time is over, or the feeds close.
async fn tell(desk: Arc<Desk>, mut told: Told) {
    let mut closing = desk.closing.subscribe();
    tokio::select! {
        _ = closing.wait_for(|closed| *closed) => {}
        () = tokio::time::sleep(STREAM_LIFE) => {}
        () = told.follow(&desk) => {}
    }
}

impl Told {
    /// Ends when the client takes nothing more, or the store does not answer.
    async fn follow(&mut self, desk: &Desk) {
        loop {
            let changes = desk
                .store
                .changes_of(&self.reader, self.since, ALERTS_AT_ONCE);
            let Ok(changes) = in_time(changes).await else {
                return; // the client comes back where it was
            };
            if changes.is_empty() {
                tokio::select! {
                    () = self.client.closed() => return,
                    () = tokio::time::sleep(ASK_EVERY) => continue,
                }
            }
            for (cursor, shown) in changes {
                if !self.hand_over(cursor, &shown).await {
                    return;
                }
                self.since = cursor;
            }
        }
    }

    async fn hand_over(&self, cursor: ChangeCursor, shown: &Shown) -> bool {
        let Some(alert) = render::one(&self.reader, shown) else {
            return true; // not this reader's
        };
        let event = Event::default().id(cursor.to_string()).data(alert);
        let taken = self.client.send_timeout(Ok(event), PATIENCE).await;
        taken.is_ok()
    }
}
