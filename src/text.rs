//! Alerts as a person reads them in a terminal.

use std::io::{self, IsTerminal, Write};

use noroshi_store::alert::{Alert, Severity, State, Subject};

/// Whether escape codes may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// To a terminal.
    Yes,
    /// Into a pipe or a file.
    No,
}

impl Colour {
    /// Yes on a terminal only.
    pub fn of_stdout() -> Self {
        if io::stdout().is_terminal() {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// One line that says what happened to whom, and one that says why.
pub fn write(out: &mut impl Write, alert: &Alert, colour: Colour) -> io::Result<()> {
    let (on, off) = match (colour, alert.severity) {
        (Colour::No, _) => ("", ""),
        (_, Severity::High) => ("\x1b[1;31m", "\x1b[0m"),
        (_, Severity::Medium) => ("\x1b[33m", "\x1b[0m"),
        (_, Severity::Low) => ("\x1b[36m", "\x1b[0m"),
        (_, Severity::Info) => ("\x1b[2m", "\x1b[0m"),
    };
    let partner = alert.partner.as_deref().unwrap_or("centre");
    writeln!(
        out,
        "{} {on}{:<17} {:<6}{off} {:<10} {:<24} {}",
        alert.opened_at,
        alert.kind.name(),
        severity(alert.severity),
        partner,
        subject(&alert.subject),
        state(alert.state),
    )?;
    writeln!(out, "    {}", alert.explanation)
}

/// Whom or what the alert names, without its scope.
pub fn name(subject: &Subject) -> String {
    match subject {
        Subject::Service { service, .. } => service.clone(),
        other => self::subject(other),
    }
}

/// Whom or what the alert names, in one word.
pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Source { source, .. } => source.to_string(),
        Subject::Victim { victim, .. } => victim.clone(),
        Subject::Service { service, scope } => format!("{service} ({scope})"),
        Subject::Country { country } => country.clone(),
        Subject::Network { network } => network.clone(),
        Subject::Sensor { sensor } => sensor.clone(),
    }
}

pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

pub fn state(state: State) -> &'static str {
    match state {
        State::New => "new",
        State::Continuing => "continuing",
        State::Closed => "closed",
        State::Withdrawn => "withdrawn",
    }
}
