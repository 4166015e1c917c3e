//! Two interfaces joined by a wire, in a network namespace of their own: nothing else sends
//! there. The namespace is the calling thread's, and ends with it.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};

/// Where frames are sent from.
pub const FAR: &str = "noroshi-far";
/// Where they are captured.
pub const NEAR: &str = "noroshi-near";

/// What an interface counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub received: u64,
    pub sent: u64,
}

/// Moves the calling thread into a namespace with the wire.
///
/// # Errors
/// Why it cannot be had here: it takes root, and `ip`.
pub fn join() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("no network namespace: {error}"))?;
    // Interfaces announce themselves by IPv6, which would be counted.
    for of in ["all", "default"] {
        let path = format!("/proc/sys/net/ipv6/conf/{of}/disable_ipv6");
        if fs::exists(&path).is_ok_and(|exists| exists) {
            fs::write(&path, "1").map_err(|error| format!("{path}: {error}"))?;
        }
    }
    ip(&["link", "add", FAR, "type", "veth", "peer", "name", NEAR])?;
    for end in [FAR, NEAR] {
        ip(&["link", "set", end, "arp", "off", "up"])?;
    }
    until_it_carries()
}

/// Waits until the wire carries: the kernel notices some time after that the other end is up,
/// and drops what is sent before.
///
/// # Errors
/// It does not.
pub fn until_it_carries() -> Result<(), String> {
    for _ in 0..500 {
        if shown(FAR)?["operstate"] == "UP" {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err("the wire carries nothing".into())
}

/// Runs `ip` in the calling thread's namespace, and answers what it says.
///
/// # Errors
/// It is not installed, or fails.
pub fn ip(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .map_err(|error| format!("ip does not run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("ip {}: {said}", arguments.join(" ")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What the interface of this name counted.
///
/// # Errors
/// `ip` does not say.
pub fn counted(name: &str) -> Result<Counted, String> {
    let shown = shown(name)?;
    let packets = |way| shown["stats64"][way]["packets"].as_u64();
    match (packets("rx"), packets("tx")) {
        (Some(received), Some(sent)) => Ok(Counted { received, sent }),
        _ => Err(format!("no counters in {shown}")),
    }
}

/// What `ip` says about the interface of this name.
fn shown(name: &str) -> Result<serde_json::Value, String> {
    let text = ip(&["-json", "-statistics", "link", "show", name])?;
    let mut json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{text}: {error}"))?;
    Ok(json[0].take())
}
