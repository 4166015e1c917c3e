//! What there is to ask, as OpenAPI 3.1: for people, and for programs that make clients of it.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::desk::Desk;

/// Written by hand; tests hold it to the router and to what is answered.
const DOCUMENT: &str = include_str!("../openapi.json");

/// `GET /v1/openapi.json`: it tells nothing of anybody, so it asks for no credential.
pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/v1/openapi.json", get(document))
}

async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::Router;

    use super::*;
    use crate::routes::{inside, outside};

    /// The paths of a router, as it shows them; `/` and a name of axum's are its fallback's.
    fn paths(router: &Router<Arc<Desk>>) -> BTreeSet<String> {
        let shown = format!("{router:?}");
        let quoted = shown.split('"').skip(1).step_by(2);
        quoted
            .filter(|text| text.starts_with('/') && *text != "/" && !text.contains("__private__"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn it_has_every_path_of_the_router_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let described = document["paths"].as_object().unwrap().keys().cloned();
        let served: BTreeSet<String> = [inside(), outside()].iter().flat_map(paths).collect();
        assert!(served.contains("/v1/alerts/{id}/remedy"), "{served:?}");
        assert_eq!(described.collect::<BTreeSet<_>>(), served);
    }
}
