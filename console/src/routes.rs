//! Questions of browsers and their answers.
//!
//! | module     | answers                                                       |
//! |------------|---------------------------------------------------------------|
//! | `sign_in`  | who somebody is; the only pages without a session, and        |
//! | `elsewhere`| the same, as a provider of identities says it                 |
//! | `now`      | what goes on in the region                                    |
//! | `alerts`   | which cases there are                                         |
//! | `alert`    | one case: what was seen, what became of it                    |
//! | `acts`     | what people do with a case                                    |
//! | `explore`  | who scans for what, by service, country and time              |
//! | `search`   | the same by sensor and by network                             |
//! | `sources`  | single sources, once somebody said what for                   |
//! | `source`   | one source: all it did                                        |
//! | `rows`     | the rows beneath it                                           |
//! | `mine`     | what a partner has to do                                      |
//! | `week`     | how a partner's week was                                      |
//! | `trial`    | whether a partner's feeds answer its token                    |
//! | `shift`    | what waits for somebody                                       |
//! | `sensors`  | how the sensors are                                           |
//! | `enrol`    | how a sensor comes in                                         |
//! | `telescope`| how a host's own sensors are, and the sums of what they saw   |

mod acts;
mod alert;
mod alerts;
mod elsewhere;
mod enrol;
mod explore;
mod mine;
mod now;
mod rows;
mod search;
mod sensors;
mod shift;
mod sign_in;
mod source;
mod sources;
mod telescope;
mod trial;
mod week;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use noroshi_metrics::answer_spans;
use noroshi_metrics::answers::{Answers, Spans, counted, named};

use crate::desk::Desk;
use crate::guard::{Visitor, guard, hardened, rights};
use crate::page;
use crate::provider::BACK;
use crate::user::Role;

/// Every route there is.
pub(crate) fn router(desk: Arc<Desk>, answers: Arc<Answers>) -> Router {
    let inside = Router::new()
        .route("/", get(home))
        .route("/now", get(now::page))
        .route("/alerts", get(alerts::page))
        .route("/alerts/{id}", get(alert::page))
        .route("/alerts/{id}/purpose", post(acts::purpose))
        .route("/alerts/{id}/note", post(acts::note))
        .route("/alerts/{id}/step", post(acts::step))
        .route("/explore", get(explore::page))
        .route("/explore.csv", get(explore::csv))
        .route("/explore/sensors", get(search::sensors))
        .route("/explore/networks", get(search::networks))
        .route("/explore/sources", get(sources::page))
        .route("/explore/purpose", post(sources::purpose))
        .route("/explore/sources/{address}", get(source::page))
        .route("/explore/sources/{address}/rows", get(rows::page))
        .route("/explore/sources/{address}/rows.csv", get(rows::csv))
        .route("/sensors", get(sensors::page))
        .route("/sensors/enrol", get(enrol::page).post(enrol::invite))
        .route("/telescope", get(telescope::page))
        .route("/mine", get(mine::page))
        .route("/mine/week", get(week::page))
        .route("/mine/trial", post(trial::page))
        .route("/shift", get(shift::page))
        .route("/shift/acknowledge", post(acts::acknowledge))
        .route("/shift/hand-over", post(acts::hand_over))
        .route("/sign-out", post(sign_in::end))
        .route_layer(middleware::from_fn(rights))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn(named))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard));
    let spans: Spans = answer_spans!();
    let counted = middleware::from_fn_with_state((answers, spans), counted);
    Router::new()
        .route("/sign-in", get(sign_in::page).post(sign_in::begin))
        .route("/sign-in/elsewhere", get(elsewhere::begin))
        .route(BACK, get(elsewhere::back))
        .route(elsewhere::LEFT, get(elsewhere::left))
        .route(elsewhere::END, get(elsewhere::end))
        .route(
            "/console.css",
            get(|| asset("text/css; charset=utf-8", CSS)),
        )
        .route(
            "/console.js",
            get(|| asset("text/javascript; charset=utf-8", JS)),
        )
        .route("/icon.svg", get(|| asset("image/svg+xml", ICON)))
        .fallback_service(inside.with_state(Arc::clone(&desk)))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), hardened))
        .layer(counted)
        .with_state(desk)
}

const CSS: &str = include_str!("assets/console.css");
const JS: &str = include_str!("assets/console.js");
const ICON: &str = include_str!("assets/icon.svg");

async fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, text).into_response()
}

async fn unknown(Extension(visitor): Extension<Visitor>) -> Response {
    page::refusal(visitor.texts, StatusCode::NOT_FOUND)
}

/// Where each begins.
async fn home(State(_): State<Arc<Desk>>, Extension(visitor): Extension<Visitor>) -> Response {
    page::on_to(match visitor.session.user.role {
        Role::Partner(_) => "/mine",
        Role::Host(_) => "/telescope",
        Role::Viewer | Role::Analyst | Role::Operator => "/now",
    })
}
