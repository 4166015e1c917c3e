use std::fs;

use super::super::tests::corpus;
use super::*;

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn organisation<'l>(lists: &'l ScannerLists, source: &str) -> Option<&'l str> {
    lists
        .organisation(source.parse().unwrap())
        .map(|name| &**name)
}

const MISP: &str = r#"{"name": "Censys IP Ranges Used for Scanning", "type": "cidr",
    "description": "Seen", "version": 1, "list": ["192.0.2.0/28", "192.0.2.300", "2001:db8::7"]}"#;
const RESOLVERS: &str =
    r#"{"name": "Public resolvers", "type": "cidr", "version": 1, "list": ["192.0.2.53"]}"#;

#[test]
fn each_format_names_its_organisations() {
    let text = directory(&[
        (
            "shodan_v4.txt",
            "# published\r\n198.51.100.0/24\n198.51.100.7/32 # one of ours\n",
        ),
        ("shodan_v6.txt", "2001:db8:5::/48\n"),
        ("LICENSE", "not a list"),
    ]);
    let misp = directory(&[("censys/list.json", MISP), ("dns-v4/list.json", RESOLVERS)]);
    let trail = directory(&[(
        "mass_scanner.txt",
        "198.51.100.9 # scan-03b.shadowserver.org\n203.0.113.5 # a.b.example.ac.uk\n\
         203.0.113.6\n203.0.113.7 # cortex xpanse\n203.0.113.0/24 # wide\nC203.0.113.8 # x\n",
    )]);
    let paths = ListPaths {
        organisations: vec![text.path().to_owned()],
        misp: vec![misp.path().to_owned()],
        maltrail: vec![trail.path().join("mass_scanner.txt")],
    };
    let (lists, reports) = ScannerLists::load(&paths).unwrap();
    let cases = [
        ("198.51.100.1", Some("shodan")),
        ("198.51.100.7", Some("shodan")),
        ("198.51.100.9", Some("shodan")), // a published prefix before an observer's address
        ("2001:db8:5:1::1", Some("shodan")),
        ("192.0.2.15", Some("censys")),
        ("192.0.2.16", None),
        ("2001:db8::7", Some("censys")),
        ("192.0.2.53", None),
        ("203.0.113.5", Some("example.ac.uk")),
        ("203.0.113.6", Some("maltrail")),
        ("203.0.113.7", Some("cortex xpanse")),
        ("203.0.113.8", None),
    ];
    for (source, expected) in cases {
        assert_eq!(organisation(&lists, source), expected, "{source}");
    }
    let told = |name: &str| {
        let report = reports
            .iter()
            .find(|report| report.path.ends_with(name))
            .unwrap();
        (
            report.entries,
            report.left_out,
            report.first.clone().unwrap_or_default(),
        )
    };
    let invalid = "at entry 2: \"192.0.2.300\" is neither a prefix nor an address";
    assert_eq!(told("censys/list.json"), (2, 1, invalid.to_owned()));
    let other = "because \"Public resolvers\" is no list of scanners";
    assert_eq!(told("dns-v4/list.json"), (0, 1, other.to_owned()));
    let wide = "on line 5: \"203.0.113.0/24\" is a range, and its ranges are too wide";
    assert_eq!(told("mass_scanner.txt"), (4, 2, wide.to_owned()));
    assert_eq!(reports.len(), 5, "LICENSE is no list");
}

#[test]
fn a_line_that_cannot_be_used_is_left_out_and_told() {
    let text = directory(&[(
        "wide_v4.txt",
        "0.0.0.0/0\n::/0\n198.51.100.1/24\nhello\n\n198.51.0.0/16\n2001:db8::/23\n2001:d00::/24\n",
    )]);
    let paths = ListPaths {
        organisations: vec![text.path().to_owned()],
        ..Default::default()
    };
    let (lists, reports) = ScannerLists::load(&paths).unwrap();
    assert_eq!((lists.len(), reports[0].left_out), (2, 5));
    let told = reports[0].to_string();
    assert!(
        told.contains("on line 1: \"0.0.0.0/0\" is too wide"),
        "{told}"
    );
}

#[test]
fn the_longest_match_names_the_organisation() {
    let text = directory(&[
        ("a_v4.txt", "198.51.100.0/24\n"),
        ("b_v4.txt", "198.51.100.7\n198.51.100.0/24\n"),
    ]);
    let paths = ListPaths {
        organisations: vec![text.path().to_owned()],
        ..Default::default()
    };
    let (lists, _) = ScannerLists::load(&paths).unwrap();
    assert_eq!(organisation(&lists, "198.51.100.7"), Some("b"));
    assert_eq!(
        organisation(&lists, "198.51.100.8"),
        Some("a"),
        "of equal prefixes the first"
    );
}

#[test]
fn lists_that_cannot_be_used_are_refused() {
    let missing = ListPaths {
        organisations: vec!["no/such".into()],
        ..Default::default()
    };
    assert!(matches!(
        ScannerLists::load(&missing),
        Err(ListError::Unreadable { .. })
    ));
    let lists = directory(&[("x.json", "{"), ("x_v4.txt", "")]);
    let broken = ListPaths {
        misp: vec![lists.path().to_owned()],
        ..Default::default()
    };
    assert!(matches!(
        ScannerLists::load(&broken),
        Err(ListError::Malformed { .. })
    ));
    let path = lists.path().join("x_v4.txt");
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(LIST_BYTES_MAX + 1)
        .unwrap();
    let large = ListPaths {
        organisations: vec![path],
        ..Default::default()
    };
    assert!(matches!(
        ScannerLists::load(&large),
        Err(ListError::TooLarge { .. })
    ));
}

#[test]
fn bytes_of_any_encoding_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x_v4.txt");
    fs::write(&path, b"# caf\xe9\n198.51.100.7 # \xff\n").unwrap();
    let paths = ListPaths {
        organisations: vec![path],
        ..Default::default()
    };
    let (lists, _) = ScannerLists::load(&paths).unwrap();
    assert_eq!(organisation(&lists, "198.51.100.7"), Some("x"));
}

/// The corpus' own lists: how many entries each format brings, and samples of them.
#[test]
fn published_lists_are_read() {
    let Some(root) = corpus("lists") else { return };
    let paths = ListPaths {
        organisations: vec![root.join("openfilters_unlicense")],
        misp: vec![root.join("misp_cc0")],
        maltrail: vec![root.join("maltrail_mit/mass_scanner.txt")],
    };
    let (lists, reports) = ScannerLists::load(&paths).unwrap();
    let total = |ending: &str| {
        let of = reports
            .iter()
            .filter(|report| report.path.extension().is_some_and(|is| is == ending));
        of.fold((0, 0), |sum, report| {
            (sum.0 + report.entries, sum.1 + report.left_out)
        })
    };
    assert_eq!(total("txt"), (41_302, 6));
    assert_eq!(total("json"), (4_019, 62_852));
    assert_eq!(organisation(&lists, "85.142.100.9"), Some("cyberok"));
    assert_eq!(organisation(&lists, "71.6.135.131"), Some("shodan"));
    assert_eq!(organisation(&lists, "129.82.138.12"), Some("colostate.edu"));
    assert_eq!(
        organisation(&lists, "8.8.8.8"),
        None,
        "a resolver is no scanner"
    );
}
