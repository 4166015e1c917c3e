//! Scanners as everybody uses them, bounded in packets, and what each says it sent.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::host::{Host, Program};
use super::site::{GATEWAY_MAC, SCANNER, until};
use crate::process::run_within;

/// Longest that one scan may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A program, and what it is asked to do.
#[derive(Clone, Copy, Debug)]
pub enum Scanner {
    /// TCP SYN to a port of each of 1,024 addresses.
    Zmap,
    /// An echo request to each of 1,024 addresses.
    ZmapEcho,
    /// TCP SYN to two ports of each of 1,024 addresses.
    Masscan,
    /// TCP SYN to two ports of each of 256 addresses.
    Nmap,
    /// So many UDP datagrams to one address.
    Hping3(u64),
    /// So many TCP SYNs to one address, each from another.
    Flood(u64),
    /// The same, of this program's own, which is quicker.
    Burst(u32),
}

impl Scanner {
    /// Scans from `host`, and answers how many packets the scanner says it sent.
    pub fn scan(self, host: &Host, directory: &Path) -> u64 {
        match self {
            Self::Zmap => zmap(host, directory, &["-M", "tcp_synscan", "-p", "23"]),
            Self::ZmapEcho => zmap(host, directory, &["-M", "icmp_echoscan"]),
            Self::Masscan => masscan(host, directory),
            Self::Nmap => {
                let text = run(
                    host,
                    "nmap",
                    &words(
                        "-v -sS -n -Pn -p 22,23 --max-retries 0 --min-rate 2000 -e wire \
                     --max-rtt-timeout 100ms --initial-rtt-timeout 50ms 198.18.0.0/24",
                    ),
                );
                number_after(&text, "Raw packets sent: ")
            }
            Self::Hping3(packets) => {
                hping3(host, packets, "-i u500 --udp -p 1900 -I wire 198.18.1.7")
            }
            Self::Flood(packets) => hping3(
                host,
                packets,
                "-i u100 -S -p 445 --rand-source -I wire 198.18.2.9",
            ),
            Self::Burst(packets) => host.inside(|| burst(packets)),
        }
    }
}

/// A SYN from its source of its own each, at a pace that a sensor keeps up with.
fn burst(packets: u32) -> u64 {
    const HEADERS: &str = "020000000001020000000002 0800 \
        4500002800074000340600000000000 0c61202099c4001bd0000000100000000 5002ffff00000000";
    let digits: Vec<u8> = HEADERS.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let frame: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    let mut frame = frame.expect("digits");
    let wire = pcap::Capture::from_device("wire").expect("a name");
    let mut wire = wire.open().expect("the end of the wire opens");
    for number in 0..packets {
        // From 11.0.0.0 on, in an order that no compression sees through.
        let source = 0x0b00_0000 + number.wrapping_mul(0x9e37_79b1) % 0x4000_0000;
        frame[26..30].copy_from_slice(&source.to_be_bytes());
        frame[34..36].copy_from_slice(&(source as u16 | 1).to_be_bytes());
        wire.sendpacket(frame.as_slice())
            .expect("the wire takes it");
        if number % 500 == 0 {
            sleep(Duration::from_millis(3));
        }
    }
    u64::from(packets)
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Runs it to its end: what it says on both outputs. hping3 fails where nobody answers.
fn run(host: &Host, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = run_within(host.command(&command), LIMIT).expect("a scan ends");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

fn hping3(host: &Host, packets: u64, rest: &str) -> u64 {
    let count = packets.to_string();
    let mut arguments = vec!["-q", "-c", &count];
    arguments.extend(words(rest));
    let text = run(host, "hping3", &arguments);
    number_after(&text, "hping statistic ---\n")
}

fn zmap(host: &Host, directory: &Path, probe: &[&str]) -> u64 {
    let said = directory.join("zmap.json");
    let path = said.to_str().expect("its path is text");
    let mut arguments = probe.to_vec();
    arguments.extend(["-G", GATEWAY_MAC, "-S", SCANNER, "-m", path]);
    // Its own list of what must not be scanned has the telescope.
    arguments.extend(words(
        "-i wire -r 4000 -c 1 -b /dev/null -q -o /dev/null 198.18.0.0/22",
    ));
    let text = run(host, "zmap", &arguments);
    let said = fs::read(said).unwrap_or_else(|error| panic!("{error}: {text}"));
    let said: serde_json::Value = serde_json::from_slice(&said).expect("JSON");
    said["total_sent"].as_u64().expect("a number")
}

/// It says what it is going to send, and that it has; then it waits for answers that never come.
fn masscan(host: &Host, directory: &Path) -> u64 {
    let mut command = Command::new("masscan");
    command.args(words(
        "-p23,2323 --rate 4000 --wait 0 --interface wire 198.18.0.0/22",
    ));
    command.args(["--adapter-ip", SCANNER, "--router-mac"]);
    command.arg(GATEWAY_MAC.replace(':', "-"));
    let said = directory.join("masscan.log");
    let log = fs::File::create(&said).expect("writable");
    let child = host
        .command(&command)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    let mut masscan = Program(child.expect("it starts"));
    let mut text = String::new();
    until("masscan has sent", || {
        text.clear();
        let mut file = fs::File::open(&said).expect("readable");
        file.read_to_string(&mut text).expect("text");
        text.contains("100.00% done, waiting")
    });
    masscan.kill();
    let ports = number_after(&text, "hosts [");
    number_after(&text, "Scanning ") * ports
}

fn number_after(text: &str, words: &str) -> u64 {
    let rest = text.split_once(words).map(|(_, rest)| rest);
    let digits = rest.map(|rest| rest.split(|c: char| !c.is_ascii_digit()));
    let number = digits.and_then(|mut digits| digits.next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no number after {words:?} in: {text}"))
}
