//! How a command ends when it does not end well.

use std::fmt;
use std::process::ExitCode;

use noroshi_store::document::Faults;

/// `EX_CONFIG` of sysexits.h: the configuration is wrong.
const EX_CONFIG: u8 = 78;

/// Why a command failed, which decides its exit code.
#[derive(Debug)]
pub enum Failure {
    /// Exit code 1: it did not work.
    Failed(anyhow::Error),
    /// Exit code 78: the configuration must be mended first. The text names file and line.
    Configuration(String),
}

impl Failure {
    /// 1, or 78 for configuration.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Configuration(_) => ExitCode::from(EX_CONFIG),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "noroshi: {error:#}"),
            Self::Configuration(text) => f.write_str(text),
        }
    }
}

/// Faults of a file are a matter of configuration, wherever they turn up.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.into().downcast::<Faults>() {
            Ok(faults) => Self::Configuration(faults.to_string()),
            Err(error) => Self::Failed(error),
        }
    }
}
