//! What a sensor and the centre say to each other.
//!
//! | module      | holds                                                      |
//! |-------------|------------------------------------------------------------|
//! | [`time`]    | milliseconds and intervals                                 |
//! | [`traffic`] | traffic classes, transports, services                      |
//! | [`flow`]    | flow tuples and their tallies                              |
//! | [`sample`]  | masked targets and how many there were                     |
//! | [`loss`]    | what was not kept, by reason                               |
//! | [`id`]      | sensors, epochs, batch ids                                 |
//! | [`batch`]   | consecutive intervals of one sensor                        |
//! | [`certificate`] | who a certificate says that its owner is              |
//! | [`token`]   | what a sensor is enrolled with                             |
//! | [`hello`]   | how a stream of batches begins                             |
//! | [`answer`]  | what the centre says to each batch                         |
//! | [`refusal`] | why a batch is turned away and what follows                |
//! | [`limits`]  | the most a sensor may send, read by both sides             |
//! | [`wire`]    | between these types and generated messages                 |
//! | [`v1`]      | generated messages, client and server                      |

pub mod answer;
pub mod batch;
pub mod certificate;
pub mod flow;
pub mod hello;
pub mod id;
pub mod limits;
pub mod loss;
pub mod refusal;
pub mod sample;
pub mod time;
pub mod token;
pub mod traffic;
pub mod update;
pub mod wire;

/// Generated from the `.proto` files in `proto/noroshi/v1`; a test keeps it current.
#[allow(missing_docs, clippy::all, clippy::too_many_lines)]
pub mod v1 {
    include!("gen/noroshi.v1.rs");
}
