//! Memory and processor time, as Linux tells them: the latter is nearly the same on a busy machine.

/// Ticks of a second in `/proc` (`sysconf(_SC_CLK_TCK)` on every Linux there is).
const TICKS: f64 = 100.0;

/// Processor time of this process, which serves the feeds, and of the engine, in milliseconds.
pub fn spent(engine: u32) -> [f64; 2] {
    [milliseconds("self"), milliseconds(&engine.to_string())]
}

/// Fields 14 and 15 of `stat`, behind a name in brackets.
fn milliseconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
    let ticks = behind.split(' ').skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks * 1e3 / TICKS
}

/// That of this process, which serves the feeds: now and at its highest; and the engine's.
pub fn memory(engine: u32) -> String {
    format!(
        "resident: feeds {} MiB, at most {} MiB; engine {} MiB",
        mebibytes("self", "VmRSS:"),
        mebibytes("self", "VmHWM:"),
        mebibytes(&engine.to_string(), "VmRSS:")
    )
}

fn mebibytes(process: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    kibibytes.unwrap_or(0) / 1024
}
