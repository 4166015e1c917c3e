//! Counts what is answered.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::desk::Desk;

/// What was refused before it came to a route, or has none.
const NO_ROUTE: &str = "none";

/// Counts an answer by its route. It stands outside of everything, so that refusals count too.
#[allow(
    clippy::disallowed_methods,
    reason = "a shell: how long an answer took is measured here"
)]
pub(crate) async fn counted(
    State(desk): State<Arc<Desk>>,
    request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let open_route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let inner_route = response.extensions().get::<MatchedPath>();
    let route = open_route.as_ref().or(inner_route);
    let route = route.map_or(NO_ROUTE, MatchedPath::as_str);
    let status = response.status().as_u16();
    desk.metrics.answered(route, status, start.elapsed());
    response
}

/// Lets the answer say which route made it: only inside the guard is that known.
pub(crate) async fn named(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}
