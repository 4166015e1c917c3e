//! What all sensors saw becomes findings, and findings become alerts.
//!
//! | module        | takes                   | gives                            | touches the world |
//! |---------------|-------------------------|----------------------------------|-------------------|
//! | [`settings`]  | what the operator wrote | every threshold                  | no                |
//! | [`windows`]   | watermarks, arrivals    | intervals that are over          | no                |
//! | [`detectors`] | closed windows          | findings                         | no                |
//! | [`finding`]   |                         | what one detector says           | no                |
//! | [`alerts`]    | findings                | cases: opened, continued, closed | no                |
//! | [`analysis`]  | closed windows          | cases, by all of the above       | no                |
//! | [`compare`]   | two sets of alerts      | how they differ                  | no                |
//! | [`import`]    | logs from elsewhere     | cases apart                      | no                |
//! | [`run`]       | the store               | cases in the store               | yes               |
//! | [`metrics`]   | what that did           | what Prometheus reads            | no                |
//! | [`generate`]  | a seed                  | packets, and what must come of them | no             |
//! | [`evaluate`]  | a scenario            | how well the detectors do        | no                |
//! | [`scenario`]  | a seed                  | months of windows, and the truth | no                |

pub mod alerts;
pub mod analysis;
pub mod compare;
pub mod detectors;
pub mod evaluate;
pub mod finding;
pub mod generate;
pub mod import;
pub mod metrics;
pub mod run;
pub mod scenario;
pub mod settings;
pub mod windows;
