//! Processor time of whole processes.

use std::time::Duration;

/// Milliseconds of a tick, in which Linux tells it (USER_HZ is 100 everywhere).
const TICK_MILLIS: u64 = 10;

/// What a process (by number, or `self`) has spent of processors, its children left out.
pub fn spent(process: &str) -> Duration {
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // after the name, which may hold anything, `utime` and `stime` are the 12th and 13th
    let after = told.rsplit(')').next().unwrap_or_default();
    let fields = after.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * TICK_MILLIS)
}
