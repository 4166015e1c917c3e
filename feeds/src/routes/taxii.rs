//! TAXII 2.1: one API root per partner, read-only.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, RawQuery, Request, State};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use noroshi_store::origin::PartnerId;
use noroshi_store::stix::Versions;
use uuid::Uuid;

use crate::desk::{Desk, in_time};
use crate::guard::Refusal;
use crate::taxii::answer::{self, Page};
use crate::taxii::question::Question;
use crate::taxii::{MEDIA, collection, is_acceptable, is_taxii};

const ADDED_FIRST: HeaderName = HeaderName::from_static("x-taxii-date-added-first");
const ADDED_LAST: HeaderName = HeaderName::from_static("x-taxii-date-added-last");
/// The longest text of a refusal.
const REFUSAL_BYTES_MAX: usize = 4_096;

/// `GET /taxii2/…`
pub(crate) fn routes() -> Router<Arc<Desk>> {
    const COLLECTION: &str = "/taxii2/{root}/collections/{collection}";
    Router::new()
        .route("/taxii2/", get(discovery))
        .route("/taxii2/{root}/", get(api_root))
        .route("/taxii2/{root}/collections/", get(collections))
        .route(&format!("{COLLECTION}/"), get(one_collection))
        .route(&format!("{COLLECTION}/manifest/"), get(manifest))
        .route(
            &format!("{COLLECTION}/objects/"),
            get(objects).merge(post(add)),
        )
        .route(
            &format!("{COLLECTION}/objects/{{object}}/"),
            get(object).merge(delete(remove)),
        )
        .route(
            &format!("{COLLECTION}/objects/{{object}}/versions/"),
            get(versions),
        )
}

/// Why a question is not answered, where [`Refusal`] has no word for it.
enum Fault {
    Refused(Refusal),
    ReadOnly,
    NotTaxii,
    NotAcceptable,
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Refused(refusal) => return refusal.into_response(),
            Self::ReadOnly => (StatusCode::FORBIDDEN, "this collection is read-only"),
            Self::NotTaxii => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content type is not application/taxii+json;version=2.1",
            ),
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "answers are application/taxii+json;version=2.1: let 'Accept' name it",
            ),
        };
        let body = axum::Json(serde_json::json!({ "error": message }));
        (status, body).into_response()
    }
}

fn is_ours(path: &str) -> bool {
    path == "/taxii2" || path.starts_with("/taxii2/")
}

/// Says refusals in TAXII's words. It stands outside the guard, so that its refusals are among them.
pub(crate) async fn words(request: Request, next: Next) -> Response {
    let ours = is_ours(request.uri().path());
    let response = next.run(request).await;
    let is_answer = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == MEDIA);
    if !ours || is_answer {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let bytes = to_bytes(body, REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let usual = head.status.canonical_reason().unwrap_or_default();
    let title = said["error"].as_str().unwrap_or(usual);
    let text = answer::error(title, head.status.as_u16());
    head.headers.remove(CONTENT_LENGTH);
    head.headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    Response::from_parts(head, Body::from(text))
}

/// What holds for every path alike, whether it is there or not: the slash at its end (users leave
/// it out), and what the reader accepts.
pub(crate) async fn manners(
    State(desk): State<Arc<Desk>>,
    request: Request,
    next: Next,
) -> Response {
    let uri = request.uri();
    let path = uri.path();
    if !is_ours(path) {
        return next.run(request).await;
    }
    if !path.ends_with('/') {
        let query = uri.query().map_or_else(String::new, |it| format!("?{it}"));
        let place = format!("{}{path}/{query}", desk.public_url);
        return match HeaderValue::from_str(&place) {
            Ok(place) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, place)]).into_response(),
            Err(_) => Refusal::NotFound.into_response(),
        };
    }
    let accept = request.headers().get(ACCEPT);
    let accept = accept.map(|value| value.to_str().unwrap_or("?"));
    if !is_acceptable(accept) {
        return Fault::NotAcceptable.into_response();
    }
    next.run(request).await
}

fn said(text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(MEDIA))], text).into_response()
}

async fn discovery(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
) -> Response {
    said(answer::discovery(&desk.public_url, &reader))
}

async fn api_root(
    Extension(reader): Extension<PartnerId>,
    Path(root): Path<String>,
) -> Result<Response, Fault> {
    is_own_root(&reader, &root)?;
    Ok(said(answer::api_root(&reader)))
}

async fn collections(
    Extension(reader): Extension<PartnerId>,
    Path(root): Path<String>,
) -> Result<Response, Fault> {
    is_own_root(&reader, &root)?;
    Ok(said(answer::collections(&reader)))
}

async fn one_collection(
    Extension(reader): Extension<PartnerId>,
    Path((root, id)): Path<(String, String)>,
) -> Result<Response, Fault> {
    own_collection(&reader, &root, &id)?;
    Ok(said(answer::one_collection(&reader)))
}

async fn objects(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path((root, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let collection = own_collection(&reader, &root, &id)?;
    let question = read(query)?;
    let page = page(&desk, &reader, collection, (question, None)).await?;
    Ok(paged(&page, page.envelope()))
}

async fn manifest(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path((root, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let collection = own_collection(&reader, &root, &id)?;
    let question = read(query)?;
    let page = page(&desk, &reader, collection, (question, None)).await?;
    Ok(paged(&page, page.manifest()))
}

async fn object(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path((root, id, object)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let collection = own_collection(&reader, &root, &id)?;
    let question = read(query)?;
    is_there(&desk, &reader, &object).await?;
    let one = Some((object, None));
    let page = page(&desk, &reader, collection, (question, one)).await?;
    Ok(paged(&page, page.envelope()))
}

async fn versions(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<PartnerId>,
    Path((root, id, object)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let collection = own_collection(&reader, &root, &id)?;
    let question = read(query)?;
    is_there(&desk, &reader, &object).await?;
    let all = Versions {
        all: true,
        ..Versions::default()
    };
    let one = Some((object, Some(all)));
    let page = page(&desk, &reader, collection, (question, one)).await?;
    Ok(paged(&page, page.versions()))
}

async fn add(
    Extension(reader): Extension<PartnerId>,
    Path((root, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    own_collection(&reader, &root, &id)?;
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    Err(match is_taxii(kind) {
        true => Fault::ReadOnly,
        false => Fault::NotTaxii,
    })
}

async fn remove(
    Extension(reader): Extension<PartnerId>,
    Path((root, id, _)): Path<(String, String, String)>,
) -> Result<Response, Fault> {
    own_collection(&reader, &root, &id)?;
    Err(Fault::ReadOnly)
}

fn read(query: Option<String>) -> Result<Question, Refusal> {
    Question::read(query.as_deref().unwrap_or_default()).map_err(Refusal::Wrong)
}

/// What was asked for; of one object, and of all its versions, where the path says so.
async fn page(
    desk: &Desk,
    reader: &PartnerId,
    collection: Uuid,
    (question, one): (Question, Option<(String, Option<Versions>)>),
) -> Result<Page, Refusal> {
    let wanted = question.wanted(&desk.key, collection);
    let Some(mut wanted) = wanted.map_err(Refusal::Wrong)? else {
        return Ok(Page::cut(Vec::new(), 1, &desk.key, collection));
    };
    if let Some((object, versions)) = one {
        wanted.ids = vec![object];
        wanted.types.clear();
        wanted.versions = versions.unwrap_or(wanted.versions);
    }
    let found = in_time(desk.store.objects_of(reader, &wanted)).await?;
    Ok(Page::cut(found, wanted.limit, &desk.key, collection))
}

/// When the first and last were added stands in the head of every answer that is not empty: a
/// client without it remembers its own clock, and misses what was added before.
fn paged(page: &Page, text: String) -> Response {
    let mut response = said(text);
    if let Some((first, last)) = page.span() {
        for (name, at) in [(ADDED_FIRST, first), (ADDED_LAST, last)] {
            if let Ok(at) = HeaderValue::from_str(&at) {
                response.headers_mut().insert(name, at);
            }
        }
    }
    response
}

fn is_own_root(reader: &PartnerId, root: &str) -> Result<(), Refusal> {
    match root == reader.as_str() {
        true => Ok(()),
        false => Err(Refusal::NotFound),
    }
}

fn own_collection(reader: &PartnerId, root: &str, id: &str) -> Result<Uuid, Refusal> {
    is_own_root(reader, root)?;
    let own = collection(reader);
    match id.parse::<Uuid>() {
        Ok(id) if own == id => Ok(own),
        _ => Err(Refusal::NotFound),
    }
}

async fn is_there(desk: &Desk, reader: &PartnerId, object: &str) -> Result<(), Refusal> {
    match in_time(desk.store.has_object(reader, object)).await? {
        true => Ok(()),
        false => Err(Refusal::NotFound),
    }
}
