//! The text that Prometheus reads (exposition format 0.0.4).

use std::fmt::{Display, Write as _};

/// A text that grows family by family.
#[derive(Debug)]
pub struct Text {
    prefix: &'static str,
    text: String,
}

impl Text {
    /// Of families whose names begin with `noroshi_`, the role and `_`.
    pub fn of(prefix: &'static str) -> Self {
        let text = String::new();
        Self { prefix, text }
    }

    /// What follows is of this name and kind (`counter`, `gauge`, `histogram`).
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let prefix = self.prefix;
        self.line(format_args!("# HELP {prefix}{name} {help}"));
        self.line(format_args!("# TYPE {prefix}{name} {kind}"));
    }

    /// A value; `labels` with their braces, or nothing.
    pub fn value(&mut self, name: &str, labels: &str, value: impl Display) {
        let prefix = self.prefix;
        self.line(format_args!("{prefix}{name}{labels} {value}"));
    }

    /// A family of one value.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.value(name, "", value);
    }

    /// All of it.
    pub fn into_string(self) -> String {
        self.text
    }

    fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.text, "{line}"); // a string takes everything
    }
}
