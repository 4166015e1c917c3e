//! Every line is counted, and nobody reads what is not theirs.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::log::LogError;
use super::*;

/// 2 November 2026, 12:00 UTC.
const NOW: Millis = Millis(1_793_620_800_000);

const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "ThaiCERT"
country = "TH"
tlp = "AMBER"
programmes = ["daedalus"]
country_consent = { by = "director", on = 2013-02-01 }
[[partner.prefix]]
prefix = "203.0.113.0/25"
use = "static"
claim = "verified"
consent = { by = "director", on = 2013-02-01 }
[[partner.prefix]]
prefix = "203.0.113.128/26"
use = "critical"
claim = "verified"
consent = { by = "director", on = 2013-02-01 }

[[partner]]
id = "my-cert"
name = "MyCERT"
country = "MY"
tlp = "GREEN"
programmes = ["practice"]
[[partner.prefix]]
prefix = "198.51.100.0/24"
use = "static"
claim = "verified"
consent = { by = "director", on = 2013-02-01 }
"#;

fn registry() -> Registry {
    Registry::parse("registry.toml", REGISTRY).unwrap_or_else(|faults| panic!("{faults}"))
}

fn imported(log: &Log, before: &[Case]) -> Import {
    let registry = registry();
    let context = Context {
        registry: &registry,
        before,
        namespace: Uuid::NAMESPACE_OID,
        at: NOW,
        language: Language::En,
    };
    import(log, context, |source| Whereabouts {
        source,
        asn: 0,
        country: None,
    })
}

fn read(text: &str) -> Log {
    log::read(text, NOW).expect("a header")
}

#[test]
fn an_address_becomes_a_case_of_its_partner() {
    let log = read(
        "time,address,port,request\n\
         2026-11-02T06:00:02.345Z,203.0.113.7,40123,GET /gate.php\n\
         2026-11-02 05:00:00,203.0.113.7,40001,\"a, quoted \"\"one\"\"\"\n\
         2026-11-02 05:00:00,203.0.113.130,1,x\n\
         2026-11-02 05:00:00,198.51.100.1,1,x\n\
         2026-11-02 05:00:00,8.8.8.8,1,x\n",
    );
    assert_eq!(log.bad, []);
    let import = imported(&log, &[]);
    let [first, second] = import.cases.as_slice() else {
        panic!("{import:?}");
    };
    let alert = &first.alert;
    assert_eq!((alert.kind, alert.state), (Kind::InfectedHost, State::New));
    assert_eq!(alert.partner.as_deref(), Some("th-cert"));
    assert_eq!(alert.reason_code, "sinkhole");
    assert_eq!(alert.first_seen.to_string(), "2026-11-02T05:00:00.000Z");
    assert_eq!(alert.last_seen.to_string(), "2026-11-02T06:00:02.345Z");
    assert_eq!(
        (alert.evidence.packets, alert.evidence.source_port),
        (2, Some(40_001))
    );
    assert_eq!(
        (alert.severity, alert.confidence),
        (Severity::Medium, Confidence::High)
    );
    assert!(
        alert.explanation.contains("connected 2 times"),
        "{}",
        alert.explanation
    );
    assert_eq!(second.alert.severity, Severity::High, "a critical prefix");
    let discarded = BTreeMap::from([("no_programme", 1), ("nobody", 1)]);
    assert_eq!(import.accounts.discarded, discarded);
}

#[test]
fn importing_again_changes_nothing_and_later_lines_continue() {
    let early = read("address,time,port\n203.0.113.7,2026-11-02T06:00:00Z,1\n");
    let first = imported(&early, &[]);
    let again = imported(&early, &first.cases);
    assert_eq!((again.cases.len(), again.accounts.known), (0, 1));
    let late = read(
        "address,time,port\n203.0.113.7,2026-11-02T06:00:00Z,1\n203.0.113.7,2026-11-02T07:00:00Z,2\n",
    );
    let more = imported(&late, &first.cases);
    let [case] = more.cases.as_slice() else {
        panic!("{more:?}");
    };
    assert_eq!(case.alert.id, first.cases[0].alert.id);
    assert_eq!((case.version, case.alert.state), (2, State::Continuing));
    assert_eq!(case.alert.evidence.packets, 2);
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    let long = "x".repeat(1_100);
    let text = format!(
        "Address, Time, Port\n\
         203.0.113.7,2026-11-02T06:00:00Z,1\n\
         203.0.113.300,2026-11-02T06:00:00Z,1\n\
         203.0.113.7,2026-11-02T06:00:00+09:00,1\n\
         203.0.113.7,yesterday,1\n\
         203.0.113.7,2026-11-02T06:00:00Z,65536\n\
         203.0.113.7\n\
         203.0.113.7,2027-11-02T06:00:00Z,1\n\
         203.0.113.7,2026-10-01T06:00:00Z,1\n\
         \"203.0.113.7,2026-11-02T06:00:00Z,1\n\
         {long}\n"
    );
    let log = read(&text);
    assert_eq!(log.contacts.len(), 1);
    let bad: Vec<String> = log.bad.iter().map(ToString::to_string).collect();
    let expected = [
        "3: `203.0.113.300` is no address",
        "4: `2026-11-02T06:00:00+09:00` is no time in UTC: write 2026-11-02T06:00:02Z",
        "5: `yesterday` is no time in UTC: write 2026-11-02T06:00:02Z",
        "6: `65536` is no port: 0 to 65535",
        "7: no port",
        "8: 2027-11-02T06:00:00.000Z is not yet",
        "9: 2026-10-01T06:00:00.000Z is more than 30 days ago",
        "10: a quote is not closed",
        "11: longer than 1024 bytes",
    ];
    assert_eq!(bad, expected);
    assert_eq!(log::read("", NOW), Err(LogError::NoHeader));
    assert_eq!(log::read("1.2.3.4,now,5\n", NOW), Err(LogError::NoHeader));
}

fn contacts() -> impl Strategy<Value = Vec<(u8, u8, u64, u16)>> {
    prop::collection::vec((0_u8..4, any::<u8>(), 0_u64..86_400, any::<u16>()), 0..60)
}

proptest! {
    /// Lines = in cases + known + discarded + bad; and no case is anybody's but its owner's.
    #[test]
    fn every_line_is_counted_once(rows in contacts(), bad in 0_usize..5, twice in any::<bool>()) {
        let mut text = String::from("address,time,port\n");
        for (net, host, second, port) in &rows {
            let address = match net {
                0 => Ipv4Addr::new(203, 0, 113, *host),
                1 => Ipv4Addr::new(198, 51, 100, *host),
                2 => Ipv4Addr::new(8, 8, 8, *host),
                _ => Ipv4Addr::new(45, 0, 0, *host),
            };
            let at = Millis(NOW.0 - 86_400_000 + second * 1000);
            text.push_str(&format!("{address},{at},{port}\n"));
        }
        text.push_str(&"nonsense\n".repeat(bad));
        let log = read(&text);
        prop_assert_eq!(log.bad.len(), bad);
        let mut import = imported(&log, &[]);
        if twice {
            import = imported(&log, &import.cases);
        }
        let discarded: u64 = import.accounts.discarded.values().sum();
        let counted = import.accounts.noticed + import.accounts.known + discarded;
        prop_assert_eq!(counted, rows.len() as u64);
        let in_cases: u64 = import.cases.iter().map(|case| case.alert.evidence.packets).sum();
        prop_assert_eq!(in_cases, if twice { 0 } else { import.accounts.noticed });
        for case in &import.cases {
            prop_assert_eq!(case.alert.partner.as_deref(), Some("th-cert"));
            let Subject::Source { source: IpAddr::V4(source), .. } = case.alert.subject else {
                panic!("an address");
            };
            prop_assert!(source.octets()[..3] == [203, 0, 113] && source.octets()[3] < 192);
        }
    }
}
