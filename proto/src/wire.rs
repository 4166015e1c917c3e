//! Between generated messages and validated types: what arrives is converted once,
//! here, and is correct from then on.
//!
//! | module       | converts                                               |
//! |--------------|--------------------------------------------------------|
//! | [`hello`]    | how a stream begins                                    |
//! | [`answer`]   | acknowledgements and refusals                          |
//! | [`batch`]    | a batch: its header, limits and checksum               |
//! | [`columns`]  | its flows, as columns: the format                      |
//! | `encoder`    | flows → columns                                        |
//! | `decoder`    | columns → flows                                        |
//! | `predict`    | what both sides expect of the next flow                |
//! | `bits`       | numbers packed to the bit                              |
//! | `checksum`   | what a batch's checksum covers                         |

pub mod answer;
pub mod batch;
mod bits;
mod checksum;
pub mod columns;
mod decoder;
pub mod encoder;
pub mod hello;
mod predict;

#[cfg(test)]
mod tests;

use crate::refusal::Refusal;

/// Why a message cannot be taken for what it claims to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Larger than [`limits`](crate::limits) allow; nothing was allocated for it.
    #[error("{what}: {value} is over the limit of {limit}")]
    OverLimit {
        /// What was too large.
        what: &'static str,
        /// How large it claimed to be.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// A number that stands for nothing here: a newer sensor, or damage.
    #[error("{what}: unknown number {number}")]
    Unknown {
        /// Which field.
        what: &'static str,
        /// What it said.
        number: u64,
    },
    /// The contents are not those the checksum was made of.
    #[error("checksum {stated:08x} does not match the contents ({computed:08x})")]
    Checksum {
        /// As sent.
        stated: u32,
        /// As received.
        computed: u32,
    },
    /// The contents contradict a rule of the protocol.
    #[error("{what}: {why}")]
    Invalid {
        /// Which field.
        what: &'static str,
        /// Which rule.
        why: &'static str,
    },
}

impl Malformed {
    fn invalid(what: &'static str, why: &'static str) -> Self {
        Self::Invalid { what, why }
    }

    fn unknown(what: &'static str, number: impl Into<u64>) -> Self {
        Self::Unknown {
            what,
            number: number.into(),
        }
    }
}

/// What the collector answers: over a limit, or malformed.
impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        let detail = malformed.to_string();
        match malformed {
            Malformed::OverLimit { .. } => Self::OverLimit(detail),
            _ => Self::Malformed(detail),
        }
    }
}

/// `value`, unless it is over `limit`.
fn within(what: &'static str, value: usize, limit: usize) -> Result<usize, Malformed> {
    if value > limit {
        return Err(Malformed::OverLimit {
            what,
            value: value as u64,
            limit: limit as u64,
        });
    }
    Ok(value)
}
