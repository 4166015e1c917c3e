//! What is sent to partners at once, rather than read by them.
//!
//! | module      | takes                             | gives                              | touches the world |
//! |-------------|-----------------------------------|------------------------------------|-------------------|
//! | [`plan`]    | changes of cases                  | messages, each with its one id     | no                |
//! | [`retry`]   | how an attempt went               | when the next one is               | no                |
//! | [`address`] | an address that a name stands for | whether it may be called           | no                |
//! | [`post`]    | a body                            | an answer                          | calls out         |
//! | [`courier`] | messages that are due             | attempts, kept in the store        | yes               |
//! | [`run`]     | the registry                      | one planner, and a courier a feed  | yes               |
//!
//! # Promises
//! - A message is kept before the place is given up from which it would be planned again, and has
//!   the same id each time: whatever crashes, it arrives, and twice only under one id.
//! - What a receiver is told of is looked up when it is sent, as its partner's and nobody else's.
//! - A receiver that hangs, refuses or lies keeps its own messages waiting and nobody else's.
//! - A surge of alerts becomes a digest after [`plan::SINGLE_PER_HOUR_MAX`] messages.

pub mod address;
pub mod courier;
pub mod plan;
pub mod post;
pub mod retry;
pub mod run;
