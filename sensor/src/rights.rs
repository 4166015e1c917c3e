//! Rights that are given up once they have been used.

use std::io;

/// Gives up every capability, for this thread and all that it starts: capturing needs
/// `CAP_NET_RAW` to begin and nothing to go on. Later threads of others keep theirs, so call it
/// before any is started.
///
/// # Errors
/// What the system says.
#[cfg(target_os = "linux")]
pub fn give_up() -> io::Result<()> {
    use caps::CapSet::{Ambient, Effective, Inheritable, Permitted};

    // What is permitted goes last: without it nothing else could be changed.
    for set in [Ambient, Inheritable, Effective, Permitted] {
        caps::clear(None, set).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Other systems have no capabilities.
#[cfg(not(target_os = "linux"))]
pub fn give_up() -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::thread;

    #[test]
    fn nothing_is_left_and_nothing_comes_back() {
        let of_thread = || {
            let status = fs::read_to_string("/proc/thread-self/status").expect("it is readable");
            let lines = status.lines().filter(|line| line.starts_with("Cap"));
            let lines = lines.filter(|line| !line.starts_with("CapBnd"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let (own, inherited) = thread::spawn(move || {
            super::give_up().expect("giving up needs no right");
            (
                of_thread(),
                thread::spawn(of_thread).join().expect("it ends"),
            )
        })
        .join()
        .expect("it ends");
        for line in own.iter().chain(&inherited) {
            assert!(line.ends_with("\t0000000000000000"), "{line}");
        }
        assert_eq!(own.len(), 4);
    }
}
