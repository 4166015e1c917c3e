//! Traffic made to measure, for demonstrations and tests: the same seed, the same packets.
//!
//! | module         | gives                                                            |
//! |----------------|------------------------------------------------------------------|
//! | [`random`]     | numbers from a seed                                              |
//! | [`packet`]     | one packet, as somebody sends it                                 |
//! | [`actors`]     | what scanners, bots, victims and misconfigured hosts send        |
//! | [`background`] | what always arrives                                              |
//! | [`demo`]       | a day with everything in it, and what must come of it            |
//! | [`pcap`]       | a capture file of it                                             |
//! | [`observe`]    | the windows that sensors would make of it                        |

pub mod actors;
pub mod background;
pub mod demo;
pub mod observe;
pub mod packet;
pub mod pcap;
pub mod random;

#[cfg(test)]
mod tests;
