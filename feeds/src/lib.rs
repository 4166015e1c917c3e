//! What partners' machines receive: alerts, each partner its own and nothing of another's.
//!
//! | module     | takes                        | gives                          | touches the world |
//! |------------|------------------------------|--------------------------------|-------------------|
//! | [`token`]  | a bearer token               | the partner that may read      | files, at start   |
//! | [`rate`]   | a request's time             | leave, or how long to wait     | no                |
//! | [`render`] | alerts                       | JSON lines                     | no                |
//! | [`serve`]  | connections                  | requests, a limited number     | yes               |
//!
//! # Promises
//! - A reader sees alerts whose partner it is, in the question to the store and again when they
//!   are rendered. Alerts for the centre alone have no partner and are never served.
//! - What belongs to somebody else answers exactly as what does not exist.
//! - Nothing is changed by reading, and a cursor read twice gives the same alerts or later states.

pub mod rate;
pub mod render;
pub mod serve;
pub mod token;
