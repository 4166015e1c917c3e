//! Log lines on standard error.

use std::io::{IsTerminal as _, Stderr};

use tracing::Subscriber;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::Layer;
use tracing_subscriber::fmt::format::{DefaultFields, Format};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// The variable that refines what `--verbose` says.
const VARIABLE: &str = "NOROSHI_LOG";

/// Lets every log line of `level` or above reach standard error, unless `NOROSHI_LOG` says more
/// exactly which: `info,noroshi_sensor::ship=debug`. What it says is not understood: that is told,
/// and `level` holds.
///
/// # Panics
/// If `level` is not in that form, or another subscriber is there already.
pub fn to_stderr(level: &str) {
    let (filter, misunderstood) = asked(level);
    tracing_subscriber::registry()
        .with(lines())
        .with(filter)
        .init();
    if let Some(text) = misunderstood {
        tracing::warn!("{text}");
    }
}

/// Which log lines are asked for; and what to tell, where that is not understood.
///
/// # Panics
/// As [`to_stderr`].
pub fn asked(level: &str) -> (Targets, Option<String>) {
    #[expect(clippy::disallowed_methods, reason = "this is what a shell says")]
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let (filter, misunderstood) = filter(&asked, level);
    let text = misunderstood.map(|error| {
        format!(
            "{VARIABLE} says `{asked}`: {error}. Write levels as `info`, or `warn,noroshi=debug`; \
             until then it is `{level}`"
        )
    });
    (filter, text)
}

/// What writes log lines to standard error.
pub fn lines<S>() -> Layer<S, DefaultFields, Format, fn() -> Stderr>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
}

fn filter(asked: &str, level: &str) -> (Targets, Option<ParseError>) {
    let usual = || level.parse().expect("a level of our own");
    match asked.parse::<Targets>() {
        _ if asked.is_empty() => (usual(), None),
        Ok(targets) => (targets, None),
        Err(error) => (usual(), Some(error)),
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::filter;

    #[test]
    fn what_is_asked_for_wins_and_what_is_not_understood_is_told() {
        let (usual, error) = filter("", "warn");
        assert!(error.is_none() && !usual.would_enable("noroshi", &Level::INFO));
        let (asked, error) = filter("info,noroshi_sensor::ship=debug", "warn");
        assert!(error.is_none());
        assert!(asked.would_enable("noroshi_sensor::ship::session", &Level::DEBUG));
        assert!(!asked.would_enable("noroshi_sensor::run", &Level::DEBUG));
        let (usual, error) = filter("noroshi=loud", "warn");
        assert!(error.is_some() && usual.would_enable("noroshi", &Level::WARN));
    }
}
