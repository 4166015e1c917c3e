use super::*;
use crate::registry::Registry;

const HEAD: &str = "[[partner]]\nid = \"th-cert\"\nname = \"ThaiCERT\"\ncountry = \"TH\"\ncontacts = [\"soc@th.example\"]\n";

fn push(tables: &str) -> Push {
    let registry = Registry::parse("site/registry.toml", &format!("{HEAD}{tables}"));
    let registry = registry.unwrap_or_else(|faults| panic!("{faults}"));
    registry.partners()[0].push.clone()
}

fn told(tables: &str) -> String {
    let registry = Registry::parse("site/registry.toml", &format!("{HEAD}{tables}"));
    registry.unwrap_err().to_string()
}

#[test]
fn nothing_is_pushed_unless_it_is_asked_for() {
    assert_eq!(push(""), Push::default());
}

#[test]
fn everything_is_read_and_paths_begin_at_the_registry() {
    let push = push(
        r#"
[[partner.webhook]]
url = "https://soc.th.example/noroshi"
secret_file = "keys/th.whsec"
kinds = ["infected_host", "ddos_victim"]
[[partner.webhook]]
url = "http://10.0.0.1:8080/"
key_file = "/etc/noroshi/th.whsk"
payload = "full"
[partner.mail]
second = ["duty@th.example"]
language = "ja"
pgp_key = "keys/th.asc"
digest_at = "06:30"
[partner.syslog]
address = "siem.th.example:6514"
format = "cef"
"#,
    );
    let [thin, full] = &*push.webhooks else {
        panic!("two: {push:?}");
    };
    assert_eq!(
        thin.secret_file.as_deref(),
        Some(Path::new("site/keys/th.whsec"))
    );
    assert_eq!(thin.payload, Payload::Thin);
    assert_eq!(thin.kinds, [Kind::InfectedHost, Kind::DdosVictim]);
    assert_eq!(
        full.key_file.as_deref(),
        Some(Path::new("/etc/noroshi/th.whsk"))
    );
    assert_eq!(full.payload, Payload::Full);
    let mail = push.mail.unwrap();
    assert_eq!(mail.to, ["soc@th.example"], "the contacts");
    assert_eq!(mail.second, ["duty@th.example"]);
    assert_eq!((mail.language.as_str(), mail.digest_at), ("ja", 390));
    assert_eq!(mail.pgp_key.as_deref(), Some(Path::new("site/keys/th.asc")));
    let syslog = push.syslog.unwrap();
    assert_eq!(
        (syslog.address.as_str(), syslog.carriage),
        ("siem.th.example:6514", Carriage::Tls)
    );
}

#[test]
fn every_fault_has_its_line_and_says_what_to_do() {
    let text = told(
        r#"[[partner.webhook]]
url = "ftp://soc.th.example/"
[[partner.webhook]]
url = "https://user:word@soc.th.example/"
secret_file = "x"
payload = "fat"
kinds = ["infected_hosts"]
[partner.mail]
to = ["soc at th"]
digest_at = "25:00"
[partner.syslog]
address = "siem.th.example"
format = "leef"
"#,
    );
    for expected in [
        "registry.toml:6: without a secret",
        "registry.toml:7: `url` is \"ftp://soc.th.example/\": write https://host/path",
        "registry.toml:9: `url` holds a user",
        "registry.toml:11: `payload` is \"fat\": write \"thin\" or \"full\"",
        "registry.toml:12: `kinds` is \"infected_hosts\": write a kind of alert",
        "registry.toml:14: \"soc at th\" is not a mail address",
        "registry.toml:15: `digest_at` is \"25:00\": write a time of day",
        "registry.toml:17: `address` is \"siem.th.example\": write \"host:6514\"",
        "registry.toml:18: `format` is \"leef\": write \"cef\"",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}
