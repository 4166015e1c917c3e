//! Every packet of every scanner is counted, and known for what it is.

use super::Test;
use super::scanner::Scanner;
use super::site::Site;

pub const TESTS: &[Test] = &[
    Test {
        name: "scans::every_packet_of_zmap_is_counted",
        takes: &["zmap"],
        run: zmap,
    },
    Test {
        name: "scans::every_packet_of_masscan_is_counted",
        takes: &["masscan"],
        run: masscan,
    },
    Test {
        name: "scans::every_packet_of_nmap_is_counted",
        takes: &["nmap"],
        run: nmap,
    },
    Test {
        name: "scans::every_packet_of_hping3_is_counted",
        takes: &["hping3"],
        run: hping3,
    },
];

/// Packets by what they were taken for.
struct Seen {
    syn: u64,
    echo: u64,
    /// Requests to amplifiers.
    amp: u64,
    zmap: u64,
    masscan: u64,
    nmap: u64,
}

fn seen(site: &Site) -> Seen {
    let sums = site.ask(async |store| {
        let query = "SELECT sumIf(packets, traffic = 'scan_syn'), sumIf(packets, traffic = 'scan_echo'), \
                     sumIf(packets, traffic = 'scan_amp'), toUInt64(sum(zmap)), toUInt64(sum(masscan)), \
                     toUInt64(sum(nmap)) FROM flow_tuples";
        let asked = store.client().query(query);
        let row = asked.fetch_one::<(u64, u64, u64, u64, u64, u64)>().await;
        row.expect("the store answers")
    });
    let (syn, echo, amp, zmap, masscan, nmap) = sums;
    Seen {
        syn,
        echo,
        amp,
        zmap,
        masscan,
        nmap,
    }
}

/// Scans; all of it is kept.
fn kept(site: &mut Site, scanner: Scanner, packets: u64) {
    let before = site.settle().raw.packets;
    assert_eq!(site.scan(scanner), packets);
    assert_eq!(site.settle().raw.packets, before + packets);
}

// One random id of 65,536 is that of another scanner: only its own marks are asked for.

fn zmap() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Zmap, 1_024);
    kept(&mut site, Scanner::ZmapEcho, 1_024);
    let seen = seen(&site);
    assert_eq!((seen.syn, seen.echo, seen.zmap), (1_024, 1_024, 2_048));
}

fn masscan() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Masscan, 2_048);
    let seen = seen(&site);
    assert_eq!((seen.syn, seen.masscan), (2_048, 2_048));
}

fn nmap() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Nmap, 512);
    let seen = seen(&site);
    // What looks like masscan's as well is not called nmap's.
    assert_eq!((seen.syn, seen.nmap + seen.masscan), (512, 512));
}

fn hping3() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Hping3(1_000), 1_000);
    assert_eq!(seen(&site).amp, 1_000);
}
