//! What becomes of findings: states of cases, and who is told of them.

use noroshi_store::alert::Alert;

/// What becomes of findings.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Seen for the first time: the partner is told.
    Opened(Numbered),
    /// Still going on, and the partner reads how far.
    Continued(Numbered),
    /// Still going on: kept to go on from after a crash, and told to nobody (see `case`).
    Kept(Numbered),
    /// Over.
    Closed(Numbered),
    /// Over, because its partner says so: what it reads is what it was told last. Else it would learn
    /// what was seen since, as often as it says so.
    Disputed(Numbered),
    /// Taken back by the operator.
    Withdrawn(Numbered),
}

/// A state of a case, with its number: 1 when it opens, one more for each that follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// The state.
    pub alert: Alert,
    /// Its number.
    pub version: u64,
}

impl Outcome {
    /// The state to be kept.
    pub fn numbered(&self) -> &Numbered {
        match self {
            Self::Opened(numbered)
            | Self::Continued(numbered)
            | Self::Kept(numbered)
            | Self::Closed(numbered)
            | Self::Disputed(numbered)
            | Self::Withdrawn(numbered) => numbered,
        }
    }

    /// The state to be kept, by itself.
    pub fn into_numbered(self) -> Numbered {
        match self {
            Self::Opened(numbered)
            | Self::Continued(numbered)
            | Self::Kept(numbered)
            | Self::Closed(numbered)
            | Self::Disputed(numbered)
            | Self::Withdrawn(numbered) => numbered,
        }
    }
}
