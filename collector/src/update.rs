//! Updates of sensors, handed on: what was signed elsewhere, to whom the operator wants it given.
//!
//! | module       | holds                                                | touches the world |
//! |--------------|------------------------------------------------------|-------------------|
//! | [`rollout`]  | which sensors are given a version                    | no                |
//! | [`shelf`]    | what is given, and its files                         | a directory       |
//! | [`standing`] | what sensors run, and what failed there              | a directory       |
//! | [`service`]  | the gRPC service                                     | the clock         |
//!
//! The key that signs is not here, and what is here is checked again by each sensor: whoever
//! controls the centre can hold an update back, and do nothing else by it. That signatures are
//! looked at here, too, tells an operator's mistake before a thousand sensors do.

pub mod rollout;
pub mod service;
pub mod shelf;
pub mod standing;

use std::path::PathBuf;

use noroshi_proto::update::key::PublicKey;

/// `[collector.updates]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateSettings {
    /// Where updates are kept, for commands and any number of collectors on this machine.
    pub directory: PathBuf,
    /// Whose signature sensors believe: as in their configuration.
    pub keys: Vec<PublicKey>,
}
