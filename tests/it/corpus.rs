//! The corpus of real captures with known truth, and how programs are run on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One row of the corpus' index.
pub struct Entry {
    /// Path below the corpus.
    pub file: String,
    /// Packets, as two other parsers counted them; `None` where the index does not say.
    pub packets: Option<u64>,
}

/// Where the corpus is. Only tests that are ignored without it call this.
pub fn corpus() -> PathBuf {
    match option_env!("NOROSHI_CORPUS_FOUND") {
        Some(found) => PathBuf::from(found),
        None => panic!("the corpus was not there when the tests were built"),
    }
}

/// The index, restricted to one folder.
pub fn entries(folder: &str) -> Vec<Entry> {
    let index = std::fs::read_to_string(corpus().join("INDEX.tsv")).expect("INDEX.tsv is readable");
    let entries: Vec<Entry> = index
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|columns| columns[0].starts_with(folder))
        .map(|columns| Entry {
            file: columns[0].to_owned(),
            packets: columns[6].parse().ok(),
        })
        .collect();
    assert!(
        !entries.is_empty(),
        "the index names no file below {folder}"
    );
    entries
}

/// The centre's program, as cargo built it for these tests.
pub fn noroshi() -> Command {
    Command::new(env!("CARGO_BIN_EXE_noroshi"))
}

/// The sensor's program, which `cargo build --workspace` puts beside the centre's.
pub fn noroshi_sensor() -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_noroshi")).with_file_name("noroshi-sensor");
    assert!(
        program.is_file(),
        "noroshi-sensor is not built: run `cargo build --workspace --bins`"
    );
    Command::new(program)
}

/// Standard output as JSON lines.
pub fn json_lines(output: &Output) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in: {line}")))
        .collect()
}
