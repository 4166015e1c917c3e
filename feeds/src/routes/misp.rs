//! The reader's own MISP feed.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use noroshi_store::origin::PartnerId;
use uuid::Uuid;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;
use crate::misp::{DAYS, Event, manifest};

/// `GET /misp/manifest.json`, `/misp/hashes.csv` and `/misp/UUID.json`.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/misp/manifest.json", get(list))
        .route("/misp/hashes.csv", get(hashes))
        .route("/misp/{name}", get(event))
}

/// The reader's events, each with its day: those with something in them, and today's.
async fn events(desk: &Desk, reader: &PartnerId) -> Result<Vec<(u64, Event)>, Refusal> {
    // A reader that has left the registry has no feed.
    let partner = desk.registry.partner(reader).ok_or(Refusal::NotFound)?;
    let today = desk.today();
    let days = today.saturating_sub(DAYS - 1)..=today;
    let seen = in_time(desk.store.sighting_days_of(reader, days, today)).await?;
    let mut events: Vec<(u64, Event)> = seen
        .into_iter()
        .map(|(day, changed)| (day, Event::new(reader, partner.tlp, day, Some(changed))))
        .collect();
    if events.last().is_none_or(|(day, _)| *day != today) {
        events.push((today, Event::new(reader, partner.tlp, today, None)));
    }
    Ok(events)
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
) -> Result<Response, Refusal> {
    let events = events(&desk, &reader).await?;
    let events: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
    Ok(json(manifest(&events)))
}

async fn event(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let id = name.strip_suffix(".json").ok_or(Refusal::NotFound)?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let events = events(&desk, &reader).await?;
    let found = events.iter().find(|(_, event)| event.id() == id);
    let (day, event) = found.ok_or(Refusal::NotFound)?;
    let sightings = desk.sightings(&reader, *day).await?;
    Ok(json(event.body(&sightings)))
}

async fn hashes(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
) -> Result<Response, Refusal> {
    let mut lines = String::new();
    for (day, event) in events(&desk, &reader).await? {
        lines.push_str(&event.hashes(&desk.sightings(&reader, day).await?));
    }
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], lines).into_response())
}

fn json(body: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], body).into_response()
}
