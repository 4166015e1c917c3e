//! The processes that a process has started, by what the kernel says of every one.

use std::fs;

/// Those of this name, by their numbers. The kernel knows fifteen bytes of a name.
pub fn children(parent: u32, name: &str) -> Vec<i32> {
    let processes = fs::read_dir("/proc").expect("the system tells of processes");
    let stats =
        processes.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    let child = |stat: String| {
        let (pid, rest) = stat.split_once(&format!(" ({name}) "))?;
        let parent_of = rest.split(' ').nth(1)?.parse::<u32>().ok()?;
        (parent_of == parent).then(|| pid.parse().ok())?
    };
    stats.filter_map(child).collect()
}
