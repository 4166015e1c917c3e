//! Which machines a file is for.

use std::env::consts::{ARCH, OS};
use std::fmt;

/// Longest name, in bytes.
const TARGET_BYTES_MAX: usize = 32;
/// Byte 18 and 19 of an ELF file, little-endian: its machine (ELF specification, e_machine).
const ELF_MACHINES: [(u16, &str); 2] = [(62, "x86_64"), (183, "aarch64")];

/// Architecture and system, as in `x86_64-linux`: lower-case letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(String);

impl Target {
    /// `None` where the name has other characters or another length.
    pub fn new(name: &str) -> Option<Self> {
        let good = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
        };
        let is_name = (1..=TARGET_BYTES_MAX).contains(&name.len()) && name.bytes().all(good);
        is_name.then(|| Self(name.to_owned()))
    }

    /// The machine that this runs on.
    pub fn here() -> Self {
        Self(format!("{ARCH}-{OS}"))
    }

    /// What a program of Linux says by its first bytes; `None` where that is not known.
    pub fn of_program(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let machine = u16::from_le_bytes([*bytes.get(18)?, *bytes.get(19)?]);
        let named = ELF_MACHINES.iter().find(|(number, _)| *number == machine);
        named.map(|(_, name)| Self(format!("{name}-linux")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(Target::new(Target::here().as_str()), Some(Target::here()));
        for wrong in ["", "..", "a/b", "X86", &"a".repeat(33)] {
            assert_eq!(Target::new(wrong), None, "{wrong}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_says_what_it_is_for() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(Target::of_program(&own), Some(Target::here()));
        assert_eq!(Target::of_program(b"#!/bin/sh\nexit 0 and more\n"), None);
        assert_eq!(Target::of_program(b"\x7fELF\x02\x01"), None);
    }
}
