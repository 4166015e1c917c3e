use ipnet::IpNet;
use noroshi_proto::id::SensorId;

use super::attribution::{Reason, Verdict, Whereabouts, Withheld};
use super::partner::StixMarkings;
use super::*;
use crate::alert::{Basis, Tlp};

/// Milliseconds of a UTC instant.
fn at(instant: &str) -> Millis {
    let instant: jiff::Timestamp = instant.parse().unwrap();
    Millis(instant.as_millisecond().try_into().unwrap())
}

fn now() -> Millis {
    at("2026-11-02T06:00:00Z")
}

fn parse(text: &str) -> Registry {
    Registry::parse("registry.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn told(text: &str) -> String {
    Registry::parse("registry.toml", text)
        .unwrap_err()
        .to_string()
}

const REGION: &str = include_str!("tests/region.toml");

fn verdict(source: &str, asn: u32, country: &str, at: Millis) -> Verdict {
    let country = Country::new(country);
    let whereabouts = Whereabouts {
        source: source.parse().unwrap(),
        asn,
        country,
    };
    parse(REGION).verdict(whereabouts, at, Programme::Daedalus)
}

/// `partner basis matched` of a verdict, or why there is none.
fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Theirs(theirs) => {
            let basis = match theirs.attribution.basis {
                Basis::Prefix => "prefix",
                Basis::Asn => "asn",
                Basis::Country => "country",
            };
            format!("{} {basis} {}", theirs.partner, theirs.attribution.matched)
        }
        Verdict::Withheld { partner, reason } => format!("{partner} withheld {}", reason.name()),
        Verdict::Nobody => "nobody".to_owned(),
    }
}

#[test]
fn attribution_goes_by_prefix_then_asn_then_country() {
    let cases = [
        ("203.0.113.7", 0, "", "th-cert prefix 203.0.113.0/24"),
        ("203.0.113.7", 64502, "MY", "th-cert prefix 203.0.113.0/24"),
        ("203.0.113.70", 64500, "TH", "th-isp prefix 203.0.113.64/26"),
        ("203.0.113.40", 64500, "TH", "th-isp withheld opt_out"),
        ("198.51.100.1", 0, "", "nobody"),
        ("198.51.100.1", 64501, "MY", "th-isp asn 64501"),
        ("198.51.100.1", 64500, "MY", "th-cert asn 64500"),
        ("198.51.100.1", 64999, "TH", "th-cert country TH"),
        ("198.51.100.1", 64502, "TH", "my-cert withheld no_programme"),
        ("198.51.100.1", 0, "MY", "my-cert withheld no_consent"),
        ("198.51.100.1", 0, "JP", "nobody"),
        ("192.0.2.1", 0, "", "my-cert withheld no_programme"),
        ("2001:db8:7::1", 64500, "TH", "th-isp withheld not_valid"),
        ("2001:db8:8::1", 0, "TH", "th-cert country TH"),
    ];
    for (source, asn, country, expected) in cases {
        assert_eq!(
            shown(&verdict(source, asn, country, now())),
            expected,
            "{source} {asn} {country}"
        );
    }
}

#[test]
fn validity_and_consent_count_at_event_time() {
    let cases = [
        (
            "2001:db8:7::1",
            "2026-11-02T05:59:59.999Z",
            "th-isp prefix 2001:db8:7::/48",
        ),
        (
            "2001:db8:7::1",
            "2026-11-02T06:00:00Z",
            "th-isp withheld not_valid",
        ),
        (
            "2001:db8:7::1",
            "2024-12-31T23:59:59Z",
            "th-isp withheld not_valid",
        ),
        (
            "203.0.113.70",
            "2023-12-31T23:59:59Z",
            "th-isp withheld no_consent",
        ),
        (
            "203.0.113.70",
            "2024-01-01T00:00:00Z",
            "th-isp prefix 203.0.113.64/26",
        ),
        (
            "203.0.113.70",
            "2027-01-01T00:00:00Z",
            "th-isp withheld no_consent",
        ),
    ];
    for (source, instant, expected) in cases {
        assert_eq!(
            shown(&verdict(source, 0, "", at(instant))),
            expected,
            "{source} {instant}"
        );
    }
}

#[test]
fn an_ended_claim_gives_way_to_the_prefix_around_it() {
    let ended = REGION.replace("use = \"cgn\"", "use = \"cgn\"\nvalid_until = 2026-01-01");
    let source = Whereabouts {
        source: "203.0.113.70".parse().unwrap(),
        asn: 0,
        country: None,
    };
    let verdict = parse(&ended).verdict(source, now(), Programme::Daedalus);
    assert_eq!(shown(&verdict), "th-cert prefix 203.0.113.0/24");
}

#[test]
fn joining_a_programme_counts_from_its_day() {
    let text = REGION.replace(
        "programmes = [\"practice\", \"daedalus\"]",
        "programmes = [\"practice\", \"daedalus\"]\njoined = { daedalus = 2013-11-01 }",
    );
    let registry = parse(&text);
    let source = Whereabouts {
        source: "203.0.113.7".parse().unwrap(),
        asn: 0,
        country: None,
    };
    let on = |instant| shown(&registry.verdict(source, at(instant), Programme::Daedalus));
    assert_eq!(on("2013-10-31T23:59:59Z"), "th-cert withheld no_programme");
    assert_eq!(on("2013-11-01T00:00:00Z"), "th-cert prefix 203.0.113.0/24");
    let practising =
        registry.partners_of_programme(Programme::Practice, at("2013-10-01T00:00:00Z"));
    let ids: Vec<&str> = practising.map(|partner| partner.id.as_str()).collect();
    assert_eq!(ids, ["th-cert", "my-cert"]);
}

#[test]
fn an_addressee_carries_what_an_alert_needs() {
    let registry = parse(REGION);
    let source = Whereabouts {
        source: "203.0.113.9".parse().unwrap(),
        asn: 0,
        country: None,
    };
    let Verdict::Theirs(theirs) = registry.verdict(source, now(), Programme::Daedalus) else {
        panic!("203.0.113.9 is th-cert's");
    };
    assert_eq!((theirs.tlp, theirs.country.as_str()), (Tlp::Green, "TH"));
    assert_eq!(theirs.attribution.registry_version, registry.version());
    assert_eq!(theirs.usage, Some(PrefixUse::Static));
    assert_eq!(theirs.scanner.as_deref(), Some("yearly audit"));
    assert!(theirs.inform.is_empty());
    let later = registry.verdict(source, at("2026-12-01T00:00:00Z"), Programme::Daedalus);
    assert!(matches!(later, Verdict::Theirs(theirs) if theirs.scanner.is_none()));

    let nested = Whereabouts {
        source: "203.0.113.70".parse().unwrap(),
        asn: 0,
        country: None,
    };
    let Verdict::Theirs(theirs) = registry.verdict(nested, now(), Programme::Daedalus) else {
        panic!("203.0.113.70 is th-isp's");
    };
    assert_eq!(theirs.usage, Some(PrefixUse::Cgn));
    assert_eq!(
        theirs.inform,
        [PartnerId::new("th-cert").unwrap()],
        "the owner named it"
    );
    assert_eq!(theirs.tlp, Tlp::Amber, "the default");
}

#[test]
fn whoever_does_not_take_part_is_not_informed() {
    let text = REGION.replace(
        "inform = [\"th-cert\"]",
        "inform = [\"th-cert\", \"my-cert\"]",
    );
    let registry = parse(&text);
    let source = Whereabouts {
        source: "203.0.113.70".parse().unwrap(),
        asn: 0,
        country: None,
    };
    let Verdict::Theirs(theirs) = registry.verdict(source, now(), Programme::Daedalus) else {
        panic!("203.0.113.70 is th-isp's");
    };
    assert_eq!(theirs.inform, [PartnerId::new("th-cert").unwrap()]);
    let notes: Vec<String> = registry.notes().iter().map(Fault::to_string).collect();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("my-cert is not in daedalus")),
        "{notes:#?}"
    );
}

#[test]
fn a_prefix_can_name_its_own_superiors() {
    let text = REGION.replace("use = \"cgn\"", "use = \"cgn\"\ninform = [\"th-cert\"]");
    let text = text.replace("inform = [\"th-cert\"]\n\n", "\n");
    let registry = parse(&text);
    let source = Whereabouts {
        source: "203.0.113.70".parse().unwrap(),
        asn: 0,
        country: None,
    };
    assert!(matches!(
        registry.verdict(source, now(), Programme::Daedalus),
        Verdict::Theirs(theirs) if theirs.inform.len() == 1
    ));
}

#[test]
fn owners_label_whatever_their_consent() {
    let registry = parse(REGION);
    let owner = |source: &str, asn, country| {
        let country = Country::new(country);
        let whereabouts = Whereabouts {
            source: source.parse().unwrap(),
            asn,
            country,
        };
        let owner = registry.owner(whereabouts, now())?;
        let by = match owner.by {
            Reason::Prefix(claim) => claim.prefix.to_string(),
            Reason::Asn(asn) => asn.to_string(),
            Reason::Country(country) => country.to_string(),
        };
        Some(format!("{} {by}", owner.partner.id))
    };
    assert_eq!(
        owner("203.0.113.40", 0, "").as_deref(),
        Some("th-isp 203.0.113.32/27")
    );
    assert_eq!(
        owner("192.0.2.1", 0, "").as_deref(),
        Some("my-cert 192.0.2.0/24")
    );
    assert_eq!(
        owner("198.51.100.1", 0, "MY"),
        None,
        "a country is nobody's without consent"
    );
    assert!(registry.holds("192.0.2.77".parse().unwrap()));
    assert!(
        !registry.holds("198.51.100.1".parse().unwrap()),
        "claimed is not verified"
    );
}

#[test]
fn a_telescope_changes_with_time() {
    let registry = parse(REGION);
    let sensor = registry.sensor(&SensorId::new("th-1").unwrap()).unwrap();
    let watched = |instant| {
        let telescope = sensor.telescope_at(at(instant).seconds());
        let prefixes: Vec<String> = telescope.prefixes.iter().map(IpNet::to_string).collect();
        (prefixes.join(" "), telescope.addresses())
    };
    assert_eq!(
        watched("2025-12-31T23:59:59Z"),
        ("2001:db8:18::/48".to_owned(), 0)
    );
    assert_eq!(
        watched("2026-05-31T23:59:59Z"),
        (
            "198.18.0.0/20 203.0.113.128/25 2001:db8:18::/48".to_owned(),
            4096 + 128
        )
    );
    assert_eq!(
        watched("2026-06-01T00:00:00Z"),
        ("198.18.0.0/20 2001:db8:18::/48".to_owned(), 4096)
    );
}

#[test]
fn a_telescope_inside_a_partners_network_is_internal() {
    let registry = parse(REGION);
    let internal = |sensor, partner, instant| {
        let sensor = SensorId::new(sensor).unwrap();
        let partner = PartnerId::new(partner).unwrap();
        registry.is_internal(&sensor, &partner, at(instant))
    };
    assert!(internal("th-1", "th-cert", "2026-02-01T00:00:00Z"));
    assert!(!internal("th-1", "th-cert", "2026-07-01T00:00:00Z"));
    assert!(!internal("th-1", "my-cert", "2026-02-01T00:00:00Z"));
    assert!(internal("my-1", "th-cert", "2026-07-01T00:00:00Z"));
}

#[test]
fn critical_prefixes_are_listed_while_they_are_valid() {
    let registry = parse(REGION);
    let critical = |instant| {
        let listed = registry.critical(at(instant));
        listed
            .map(|critical| format!("{} {}", critical.partner, critical.prefix))
            .collect::<Vec<_>>()
    };
    assert_eq!(critical("2026-01-01T00:00:00Z"), ["th-isp 2001:db8:7::/48"]);
    assert!(critical("2027-01-01T00:00:00Z").is_empty());
}

#[test]
fn the_version_follows_the_contents() {
    let one = parse(REGION);
    assert_eq!(one.version(), parse(REGION).version());
    assert_eq!(one.version().len(), 12);
    assert_ne!(one.version(), parse(&format!("{REGION}\n")).version());
}

#[test]
fn notes_tell_what_is_worth_knowing() {
    let registry = parse(REGION);
    let notes: Vec<String> = registry.notes().iter().map(Fault::to_string).collect();
    expect_test::expect![[r#"
        registry.toml:15: 198.51.100.0/24 is claimed, not verified: it attributes nothing
        registry.toml:34: 203.0.113.64/26 lies in 203.0.113.0/24 of th-cert (line 10): its addresses go to th-isp once verified, to th-cert by `inform`
        registry.toml:40: 203.0.113.32/27 lies in 203.0.113.0/24 of th-cert (line 10): its addresses go to th-isp once verified, to th-cert by `inform`"#]].assert_eq(&notes.join("\n"));
}

#[test]
fn missing_consents_and_programmes_are_worth_knowing() {
    let registry = parse(
        r#"
[[partner]]
id = "a"
name = "A"
country = "TH"
asns = [64500]
programmes = ["daedalus"]
[[partner.prefix]]
prefix = "192.0.2.0/24"
claim = "verified"
[[partner]]
id = "b"
name = "B"
country = "MY"
[[partner.prefix]]
prefix = "192.0.2.0/24"
[[partner.scanner]]
name = "audit"
prefix = "198.51.100.1"
"#,
    );
    let notes: Vec<String> = registry.notes().iter().map(Fault::to_string).collect();
    expect_test::expect![[r#"
        registry.toml:6: a gave neither asn_consent nor country_consent: alerts about addresses of its AS numbers are withheld
        registry.toml:8: 192.0.2.0/24 has no consent record: alerts in it are withheld
        registry.toml:12: b takes part in no programme and gets no alerts
        registry.toml:15: 192.0.2.0/24 is claimed by a on line 8 at the same time: addresses go to the verified claim
        registry.toml:15: 192.0.2.0/24 is claimed, not verified: it attributes nothing
        registry.toml:17: scanner 198.51.100.1/32 lies in no prefix of b: it counts only where its address is attributed to that partner"#]].assert_eq(&notes.join("\n"));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let text = include_str!("tests/faulty.toml");
    expect_test::expect![[r#"
        registry.toml:1: unknown key `colour`: the keys known here are partner, sensor
        registry.toml:3: `id` is "TH": write an id of lower-case letters, digits and hyphens, at most 64, such as "th-cert"
        registry.toml:5: `country` is "Siam": write two letters of ISO 3166-1 such as "TH"
        registry.toml:6: unknown key `asn`: did you mean `asns`?
        registry.toml:7: `programmes` is "practise": write "practice" or "daedalus"
        registry.toml:10: 203.0.113.1/24 has bits set below its length: write 203.0.113.0/24
        registry.toml:11: `claim` is "proven": write "claimed" or "verified"
        registry.toml:12: `on` is missing: write a day such as 2026-01-01 or an instant such as 2026-01-01T09:00:00Z, without quotes
        registry.toml:14: ends at 2026-01-01T00:00:00.000Z, before it begins at 2026-02-01T00:00:00.000Z: mend one of them
        registry.toml:20: AS number 0 is reserved (RFC 7607): take it out
        registry.toml:21: no partner has the id nobody: mend it, or add a [[partner]] with it
        registry.toml:21: my-cert informs itself: take it out
        registry.toml:32: AS 64500 is my-cert's on line 20: it can be one partner's only, others stand in its `inform`
        registry.toml:33: `tlp` is "WHITE": write "CLEAR", "GREEN", "AMBER", "AMBER+STRICT" or "RED"
        registry.toml:34: MY has the country consent of my-cert on line 22: only one partner can speak for a country
        registry.toml:36: 192.0.2.0/24 is claimed by my-cert on line 24 at the same time, and both are verified: end one (valid_until)
        registry.toml:41: partner my-isp stands on line 29 too: rename one
        registry.toml:47: no partner has the id my-crt: mend it, or add a [[partner]] with it
        registry.toml:53: 198.18.4.0/24 of sensor two overlaps 198.18.0.0/20 of sensor one (line 48) at the same time: give it to one, or end one (until)
        registry.toml:56: sensor two stands on line 51 too: rename one
        registry.toml:56: sensor two watches nothing: write telescope = [{ prefix = "198.18.0.0/20", from = 2026-01-01 }]"#]].assert_eq(&told(text));
}

#[test]
fn a_prefix_may_move_from_one_partner_to_another() {
    let text = r#"
[[partner]]
id = "a"
name = "A"
country = "TH"
[[partner.prefix]]
prefix = "192.0.2.0/24"
claim = "verified"
valid_until = 2026-01-01
[[partner]]
id = "b"
name = "B"
country = "TH"
[[partner.prefix]]
prefix = "192.0.2.0/24"
claim = "verified"
valid_from = 2026-01-01
"#;
    let registry = parse(text);
    let owner = |instant| {
        let source = Whereabouts {
            source: "192.0.2.1".parse().unwrap(),
            asn: 0,
            country: None,
        };
        registry
            .owner(source, at(instant))
            .map(|owner| owner.partner.id.to_string())
    };
    assert_eq!(owner("2025-12-31T23:59:59Z").as_deref(), Some("a"));
    assert_eq!(owner("2026-01-01T00:00:00Z").as_deref(), Some("b"));
}

#[test]
fn withheld_reasons_have_distinct_names() {
    let all = [
        Withheld::NotValid,
        Withheld::OptOut,
        Withheld::NoProgramme,
        Withheld::NoConsent,
    ];
    let names: std::collections::BTreeSet<_> = all.into_iter().map(Withheld::name).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn a_partner_says_which_markings_its_platform_knows() {
    let markings = |line: &str| {
        let text =
            format!("[[partner]]\nid = \"th-cert\"\nname = \"A\"\ncountry = \"TH\"\n{line}\n");
        let registry = Registry::parse("registry.toml", &text);
        registry.map(|registry| registry.partners()[0].stix_markings)
    };
    assert_eq!(markings(""), Ok(StixMarkings::Tlp2));
    assert_eq!(markings("stix_markings = \"tlp1\""), Ok(StixMarkings::Tlp1));
    assert_eq!(
        markings("stix_markings = \"tlp3\"")
            .unwrap_err()
            .to_string(),
        "registry.toml:5: `stix_markings` is \"tlp3\": write \"oasis-tlp2\" or \"tlp1\""
    );
}
