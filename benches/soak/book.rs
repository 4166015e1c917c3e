//! What was met while it ran: acknowledgements, answers, samples, and everything that went wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Troubles that are kept word by word; the rest are counted.
const TROUBLES_MAX: usize = 50;

/// Whose answer it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    Collector,
    Console,
    Feeds,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Seconds since the beginning.
    pub at: f64,
    pub of: Asked,
    /// What was asked for, without what is in it.
    pub what: String,
    pub took: Duration,
}

/// How things stood at one moment.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Seconds since the beginning.
    pub at: f64,
    /// Resident memory of the program and of its engine, in MiB.
    pub centre: f64,
    pub engine: f64,
    /// That part of each which no file stands behind, in MiB.
    pub centre_own: f64,
    pub engine_own: f64,
    /// Seconds by which the analyzer is behind the clock.
    pub lag: f64,
    /// Flow tuples kept, and bytes of the whole store on disk.
    pub rows: u64,
    pub disk: u64,
    /// Active parts of all tables.
    pub parts: u64,
    /// Entries of the analyzer's tables, by name.
    pub tables: BTreeMap<String, f64>,
}

/// Everybody writes into it.
pub struct Book {
    began: Instant,
    pages: Mutex<Pages>,
}

#[derive(Default)]
pub struct Pages {
    pub answers: Vec<Answer>,
    pub samples: Vec<Sample>,
    pub troubles: Vec<String>,
    /// Those that are not among `troubles`.
    pub more_troubles: usize,
}

impl Book {
    pub fn open() -> Self {
        Self {
            began: Instant::now(),
            pages: Mutex::default(),
        }
    }

    /// Seconds since the beginning.
    pub fn at(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    pub fn answered(&self, of: Asked, what: &str, took: Duration) {
        let answer = Answer {
            at: self.at(),
            of,
            what: what.to_owned(),
            took,
        };
        self.pages().answers.push(answer);
    }

    pub fn sampled(&self, sample: Sample) {
        self.pages().samples.push(sample);
    }

    /// Says it at once as well: an hour is long.
    pub fn trouble(&self, text: String) {
        eprintln!("at {:.0} s: {text}", self.at());
        let mut pages = self.pages();
        if pages.troubles.len() < TROUBLES_MAX {
            pages.troubles.push(text);
        } else {
            pages.more_troubles += 1;
        }
    }

    /// All of it, to read.
    pub fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
