//! What people see: the dashboards that Grafana shows of the store.
//!
//! | module       | holds                                                          |
//! |--------------|----------------------------------------------------------------|
//! | [`region`]   | the region now                                                 |
//! | [`service`]  | one service over time and by country                           |
//! | [`country`]  | one country: what leaves it, what strikes it                   |
//! | [`surges`]   | services that more ask for than usual                          |
//! | [`infected`] | infected hosts, and how their cleaning goes                    |
//! | [`victims`]  | who is under attack                                            |
//! | [`scanners`] | who measures the Internet                                      |
//! | [`quality`]  | what was watched, what is missing, what came late              |
//! | [`platform`] | ingest, the analyzer, deliveries, disk                         |
//! | [`sensors`]  | sensors, what they watch, and every loss                       |
//! | [`alerting`] | when somebody is woken about the platform itself               |
//! | [`board`]    | what a dashboard is made of, and how panels are laid out       |
//! | [`grafana`]  | a dashboard as the JSON that Grafana reads                     |
//!
//! The JSON under `grafana/dashboards` is committed, and a test makes it again. Questions stand in
//! `queries`, one file each; a test runs every one of them on the real engine.
//!
//! # Promises
//! - No panel shows a single address: whoever looks at Grafana leaves no purpose behind, so sources
//!   and victims are counted there, never named.
//! - Times are UTC. Every panel says in its description what its numbers are.

pub mod alerting;
pub mod board;
pub mod country;
pub mod grafana;
pub mod infected;
pub mod platform;
pub mod quality;
pub mod region;
pub mod scanners;
pub mod sensors;
pub mod service;
pub mod surges;
pub mod victims;

use board::Board;

/// Every dashboard. To add one: write its file, add a line here, and run the tests with
/// `UPDATE_EXPECT=1`.
pub fn all() -> Vec<Board> {
    vec![
        region::board(),
        country::board(),
        service::board(),
        surges::board(),
        infected::board(),
        victims::board(),
        scanners::board(),
        sensors::board(),
        quality::board(),
        platform::board(),
    ]
}
