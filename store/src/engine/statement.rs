//! What the engine says of a statement: what it would do, and why it could not be run.

/// What the engine says about a statement it could not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    /// The engine's error number; 0 where it named none.
    pub(super) code: u32,
    /// The engine's text, without a stack trace.
    pub(super) message: String,
}

impl Failure {
    /// Reads the number out of the engine's `Code: 60. DB::Exception: …`.
    pub(super) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let code = message
            .split_once("Code: ")
            .and_then(|(_, rest)| rest.split_once('.'))
            .and_then(|(digits, _)| digits.parse().ok())
            .unwrap_or(0);
        Self { code, message }
    }
}

/// What a statement would do, in the engine's own judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Leaves no trace.
    Reads,
    /// Changes data, tables or the session.
    Changes,
    /// Does not parse.
    Unknown,
}

/// What a text holds, found by parsing without running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Analysis {
    /// Statements in the text; 0 when it does not parse.
    pub(super) statements: u32,
    /// The most that any of them does.
    pub(super) effect: Effect,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_where_there_is_one() {
        let failure = Failure::new("Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)");
        assert_eq!(failure.code, 60);
        assert_eq!(Failure::new("no number here.").code, 0);
        assert_eq!(Failure::new("Code: x. y").code, 0);
    }
}
