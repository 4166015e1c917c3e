//! What people see: the dashboards that Grafana shows of the store.
//!
//! | module       | holds                                                          |
//! |--------------|----------------------------------------------------------------|
//! | [`region`]   | the region now                                                 |
//! | [`service`]  | one service over time and by country                           |
//! | [`sensors`]  | sensors, what they watch, and every loss                       |
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

pub mod board;
pub mod grafana;
pub mod region;
pub mod sensors;
pub mod service;

use board::Board;

/// Every dashboard. To add one: write its file, add a line here, and run the tests with
/// `UPDATE_EXPECT=1`.
pub fn all() -> Vec<Board> {
    vec![region::board(), service::board(), sensors::board()]
}
