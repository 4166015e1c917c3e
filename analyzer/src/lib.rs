//! What all sensors saw becomes findings, and findings become alerts.
//!
//! | module        | takes                  | gives                          | touches the world |
//! |---------------|------------------------|--------------------------------|-------------------|
//! | [`settings`]  | what the operator wrote | every threshold               | no                |
//! | [`detectors`] | closed windows         | findings                       | no                |
//! | [`finding`]   |                        | what one detector says         | no                |
//! | [`alerts`]    | findings               | cases: opened, continued, closed | no             |

pub mod alerts;
pub mod detectors;
pub mod finding;
pub mod settings;
