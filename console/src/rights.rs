//! Who may do what: one table, which the guard asks for every request and a test walks through.
//!
//! What a role may not do answers as what does not exist.

use crate::user::Role;

/// One route, and the roles that it exists for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As the router knows it.
    pub path: &'static str,
    viewer: bool,
    analyst: bool,
    operator: bool,
    partner: bool,
    host: bool,
}

const fn route(method: &'static str, path: &'static str, roles: [u8; 5]) -> Route {
    let [viewer, analyst, operator, partner, host] = roles;
    Route {
        method,
        path,
        viewer: viewer == 1,
        analyst: analyst == 1,
        operator: operator == 1,
        partner: partner == 1,
        host: host == 1,
    }
}

/// Every route behind the sign-in: viewer, analyst, operator, partner, host.
pub const ROUTES: [Route; 27] = [
    route("GET", "/", [1, 1, 1, 1, 1]),
    route("GET", "/now", [1, 1, 1, 0, 0]),
    route("GET", "/alerts", [1, 1, 1, 1, 0]),
    route("GET", "/alerts/{id}", [1, 1, 1, 1, 0]),
    route("POST", "/alerts/{id}/purpose", [0, 1, 1, 0, 0]),
    route("POST", "/alerts/{id}/note", [0, 1, 1, 1, 0]),
    route("POST", "/alerts/{id}/step", [0, 0, 1, 1, 0]),
    route("GET", "/explore", [1, 1, 1, 0, 0]),
    route("GET", "/explore.csv", [1, 1, 1, 0, 0]),
    route("GET", "/explore/sensors", [1, 1, 1, 0, 0]),
    route("GET", "/explore/networks", [1, 1, 1, 0, 0]),
    route("GET", "/explore/sources", [0, 1, 1, 0, 0]),
    route("POST", "/explore/purpose", [0, 1, 1, 0, 0]),
    route("GET", "/explore/sources/{address}", [0, 1, 1, 0, 0]),
    route("GET", "/explore/sources/{address}/rows", [0, 1, 1, 0, 0]),
    route(
        "GET",
        "/explore/sources/{address}/rows.csv",
        [0, 1, 1, 0, 0],
    ),
    route("GET", "/sensors", [1, 1, 1, 0, 0]),
    route("GET", "/sensors/enrol", [0, 0, 1, 0, 0]),
    route("POST", "/sensors/enrol", [0, 0, 1, 0, 0]),
    route("GET", "/telescope", [0, 0, 0, 0, 1]),
    route("GET", "/mine", [0, 0, 0, 1, 0]),
    route("GET", "/mine/week", [0, 0, 0, 1, 0]),
    route("POST", "/mine/trial", [0, 0, 0, 1, 0]),
    route("GET", "/shift", [0, 1, 1, 0, 0]),
    route("POST", "/shift/acknowledge", [0, 0, 1, 0, 0]),
    route("POST", "/shift/hand-over", [0, 0, 1, 0, 0]),
    route("POST", "/sign-out", [1, 1, 1, 1, 1]),
];

impl Route {
    /// Whether it exists for this role.
    pub fn is_for(&self, role: &Role) -> bool {
        match role {
            Role::Viewer => self.viewer,
            Role::Analyst => self.analyst,
            Role::Operator => self.operator,
            Role::Partner(_) => self.partner,
            Role::Host(_) => self.host,
        }
    }
}

/// Whether a role may take this route. What is not in the table nobody may.
pub fn may(role: &Role, method: &str, path: &str) -> bool {
    ROUTES
        .iter()
        .any(|route| route.method == method && route.path == path && route.is_for(role))
}
