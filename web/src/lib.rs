//! HTTP as the servers of the centre speak it: connections that come, and those that go out.
//!
//! | module       | takes                     | gives                                 | touches the world |
//! |--------------|---------------------------|---------------------------------------|-------------------|
//! | [`tls`]      | certificate and key       | what TLS is accepted with             | files, at start   |
//! | [`serve`]    | connections               | requests, a limited number            | yes               |
//! | [`prometheus`] | what is counted         | it, where Prometheus reads            | loopback, to serve|
//! | [`outbound`] | another server's address  | a connection, if it may go there      | yes               |
//! | [`ask`]      | a request                 | its answer, of limited size, in time  | yes               |
//!
//! # Promises
//! - No peer, however slow, large or many, takes more than the limits that stand here.
//! - A connection goes out only to an address that was judged, and redirections are not followed.

pub mod ask;
pub mod outbound;
pub mod prometheus;
pub mod serve;
pub mod tls;
