//! Daily reports as CSV and in ZIPs.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use noroshi_store::origin::{Country, PartnerId};
use serde::{Deserialize, Serialize};

use crate::day;
use crate::desk::Desk;
use crate::guard::Refusal;
use crate::shadowserver::{File, Report, zipped};

/// Days whose reports can be read, today among them.
pub const REPORT_DAYS: u64 = 92;
/// Days in an index, unless the reader says from where.
const DAYS_DEFAULT: u64 = 7;
/// Days in an index at most: each file in it is rendered to say its size.
const DAYS_MAX: u64 = 31;

/// `GET /v1/reports/` and its files.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/v1/reports/", get(index))
        .route("/v1/reports/{name}", get(report))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexQuery {
    from: Option<String>,
}

/// A file in the index.
#[derive(Serialize)]
struct Entry {
    name: String,
    day: String,
    report: &'static str,
    /// Of the CSV.
    bytes: usize,
    /// The day is not over: the file will grow.
    grows: bool,
    csv: String,
    zip: String,
    /// Where the centre signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

async fn index(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    query: Result<Query<IndexQuery>, QueryRejection>,
) -> Result<Json<Vec<Entry>>, Refusal> {
    let wrong = || Refusal::Wrong("the one parameter is 'from' (a day such as 2026-11-02)".into());
    let Query(query) = query.map_err(|_| wrong())?;
    let country = country_of(&desk, &reader)?;
    let kept = days_kept(desk.today());
    let today = *kept.end();
    let from = match query.from.as_deref() {
        None | Some("") => today.saturating_sub(DAYS_DEFAULT - 1),
        Some(name) => day::named(name).ok_or_else(wrong)?.max(*kept.start()),
    };
    let is_signed = desk.signer.is_some();
    let mut entries = Vec::new();
    for day in (from..=today).take(DAYS_MAX as usize) {
        let sightings = desk.sightings(&reader, day).await?;
        for report in Report::ALL {
            let file = File { day, report };
            let name = file.name(country);
            entries.push(Entry {
                day: day::name(day),
                report: report.name(),
                bytes: file.csv(&reader, &sightings).len(),
                grows: day == today,
                csv: format!("/v1/reports/{name}"),
                zip: format!("/v1/reports/{name}.zip"),
                signature: is_signed.then(|| format!("/v1/reports/{name}.asc")),
                name,
            });
        }
    }
    Ok(Json(entries))
}

async fn report(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let country = country_of(&desk, &reader)?;
    let (csv_name, form) = if let Some(csv_name) = name.strip_suffix(".zip") {
        (csv_name, Form::Zip)
    } else if let Some(csv_name) = name.strip_suffix(".asc") {
        (csv_name, Form::Signature)
    } else {
        (name.as_str(), Form::Csv)
    };
    let file = File::named(csv_name, country).ok_or(Refusal::NotFound)?;
    if !days_kept(desk.today()).contains(&file.day) {
        return Err(Refusal::NotFound);
    }
    let sightings = desk.sightings(&reader, file.day).await?;
    let csv = file.csv(&reader, &sightings);
    match form {
        // Without its charset some readers take a text for Latin-1.
        Form::Csv => Ok(typed("text/csv; charset=utf-8", csv)),
        Form::Zip => {
            let archive = zipped(csv_name, &csv).map_err(|_| Refusal::Unavailable)?;
            Ok(typed("application/zip", archive))
        }
        Form::Signature => {
            let signer = desk.signer.as_ref().ok_or(Refusal::NotFound)?;
            let signature = signer.sign(csv.as_bytes());
            let signature = signature.map_err(|_| Refusal::Unavailable)?;
            Ok(typed("application/pgp-signature", signature))
        }
    }
}

/// What is read of a report.
#[derive(Clone, Copy)]
enum Form {
    Csv,
    Zip,
    /// Of the CSV, detached and armoured.
    Signature,
}

fn typed(kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn days_kept(today: u64) -> RangeInclusive<u64> {
    today.saturating_sub(REPORT_DAYS - 1)..=today
}

/// A reader that has left the registry has no reports.
fn country_of(desk: &Desk, reader: &PartnerId) -> Result<Country, Refusal> {
    let partner = desk.registry.partner(reader).ok_or(Refusal::NotFound)?;
    Ok(partner.country)
}
