//! Real floods that hit one address: traps, not alerts.

use crate::centre::Centre;
use crate::corpus::{corpus, json_lines};

/// Everybody's sources are somebody's, so nothing is withheld; the telescope is the /24 in which
/// the one address lies.
const REGISTRY: &str = r#"
[[partner]]
id = "everybody"
name = "Everybody"
country = "JP"
programmes = ["practice", "daedalus"]
[[partner.prefix]]
prefix = "0.0.0.0/1"
claim = "verified"
consent = { by = "test", on = 2000-01-01 }
[[partner.prefix]]
prefix = "128.0.0.0/1"
claim = "verified"
consent = { by = "test", on = 2000-01-01 }

[[partner]]
id = "host"
name = "Host of the sensor"
country = "JP"
[[sensor]]
id = "s"
partner = "host"
telescope = [{ prefix = "10.10.10.0/24", from = 2000-01-01 }]
"#;

#[test]
#[cfg_attr(not(corpus), ignore = "the corpus is absent: set NOROSHI_CORPUS")]
fn a_flood_of_one_address_is_neither_a_surge_nor_a_crowd_of_victims() {
    let floods = [
        ("real_amp.UDP.bacnet.IOT.37810.pcapng", 9_000),
        ("real_amp.UDP.snmp.src161.pcapng", 4_000),
        ("real_amp.dns.RRSIG.fragmented.pcap", 1_000),
        ("real_pkt.TCP.synflood.spoofed.pcap", 37_841),
    ];
    for (capture, packets_min) in floods {
        let centre = Centre::new(REGISTRY, "");
        let output = centre.replay(&[("s", corpus().join("captures").join(capture))]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut lines = json_lines(&output);
        let summary = lines.pop().expect("a summary");
        let packets = summary["summary"]["packets"].as_u64().expect("a count");
        assert!(
            packets >= packets_min,
            "{capture}: the telescope saw only {packets} packets"
        );
        assert!(lines.is_empty(), "{capture}: {lines:?}");
    }
}
