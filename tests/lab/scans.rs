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
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    syn: u64,
    echo: u64,
    /// Requests to amplifiers.
    amp: u64,
    zmap: u64,
    masscan: u64,
    nmap: u64,
}

const NOTHING: Seen = Seen {
    syn: 0,
    echo: 0,
    amp: 0,
    zmap: 0,
    masscan: 0,
    nmap: 0,
};

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

fn zmap() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Zmap, 1_024);
    kept(&mut site, Scanner::ZmapEcho, 1_024);
    let (syn, echo, zmap) = (1_024, 1_024, 2_048);
    assert_eq!(
        seen(&site),
        Seen {
            syn,
            echo,
            zmap,
            ..NOTHING
        }
    );
}

fn masscan() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Masscan, 2_048);
    let (syn, masscan) = (2_048, 2_048);
    assert_eq!(
        seen(&site),
        Seen {
            syn,
            masscan,
            ..NOTHING
        }
    );
}

fn nmap() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Nmap, 512);
    let (syn, nmap) = (512, 512);
    assert_eq!(
        seen(&site),
        Seen {
            syn,
            nmap,
            ..NOTHING
        }
    );
}

fn hping3() {
    let mut site = Site::start();
    kept(&mut site, Scanner::Hping3(1_000), 1_000);
    assert_eq!(
        seen(&site),
        Seen {
            amp: 1_000,
            ..NOTHING
        }
    );
}
