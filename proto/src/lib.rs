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
//! | [`refusal`] | why a batch is turned away and what follows                |
//! | [`limits`]  | the most a sensor may send, read by both sides             |

pub mod batch;
pub mod flow;
pub mod id;
pub mod limits;
pub mod loss;
pub mod refusal;
pub mod sample;
pub mod time;
pub mod traffic;
