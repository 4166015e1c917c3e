use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::engine::Endpoint;
use noroshi_store::registry::partner::Programme;
use noroshi_store::retention::Keep;

use noroshi_collector::identity::tls::{AuthoritySettings, TlsFiles, TlsSettings};
use noroshi_collector::settings::Replay;
use noroshi_console::provider::Claim;

use super::*;

mod traces;

/// A directory with a configuration and a registry, and the configuration's path.
fn site(config: &str, registry: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("registry.toml"), registry).unwrap();
    let path = directory.path().join("noroshi.toml");
    fs::write(&path, config).unwrap();
    (directory, path)
}

/// What is told, without the directory's name.
fn told(directory: &tempfile::TempDir, faults: &Faults) -> String {
    faults
        .to_string()
        .replace(&format!("{}/", directory.path().display()), "")
}

/// The store's place, or what is told.
fn place_of(store: &str) -> Result<Place, String> {
    let (directory, path) = site(&format!("registry = \"registry.toml\"\n{store}"), "");
    let config = Config::load(&path).map_err(|faults| told(&directory, &faults))?;
    Ok(config.store.place)
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(name)
}

#[test]
fn the_shipped_samples_are_valid_and_say_the_defaults() {
    let check::Checked { config, notes } =
        check(&shipped("noroshi.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    let (_directory, path) = site("registry = \"registry.toml\"\n", "");
    let default = Config::load(&path).unwrap();
    assert_eq!(config.collector, default.collector);
    let mut feeds = default.feeds;
    feeds.key_file = shipped("feeds.key"); // beside each configuration
    feeds.push.key_file = shipped("feeds.key");
    assert_eq!(config.feeds, feeds);
    assert_eq!(config.console, default.console);
    assert_eq!(config.analyzer, default.analyzer);
    assert_eq!(config.store.retention, default.store.retention);
    assert_eq!(config.store.place, Place::Embedded(shipped("data")));
    assert_eq!(config.sources, Sources::default());
    assert_eq!(notes, [""; 0]);
}

#[test]
fn the_shipped_registry_carries_the_programmes_partners() {
    let registry = Registry::load(&shipped("registry.toml")).unwrap();
    let joined = |programme, month: &str| {
        let first: jiff::Timestamp = format!("{month}-01T00:00:00Z").parse().unwrap();
        let first = u64::try_from(first.as_millisecond()).unwrap();
        let (before, on) = (Millis(first - 1), Millis(first));
        let partners = registry.partners_of_programme(programme, on);
        let new = partners.filter(|partner| !partner.takes_part(programme, before));
        new.map(|partner| partner.country.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (month, countries) in [
        ("2013-02", "TH"),
        ("2013-03", "MY"),
        ("2013-05", "ID"),
        ("2014-01", "PH"),
        ("2014-03", "SG"),
    ] {
        assert_eq!(
            joined(Programme::Practice, month),
            countries,
            "PRACTICE in {month}"
        );
    }
    for (month, countries) in [
        ("2013-10", "MM"),
        ("2013-11", "ID LA"),
        ("2013-12", "PH"),
        ("2014-03", "MY"),
    ] {
        assert_eq!(
            joined(Programme::Daedalus, month),
            countries,
            "DAEDALUS in {month}"
        );
    }
    let sensor = registry.sensor(&SensorId::new("jp-1").unwrap()).unwrap();
    assert_eq!(sensor.telescope_at(1_793_599_200).addresses(), 4096);
}

#[test]
fn the_least_configuration_runs() {
    let text = "registry = \"registry.toml\"\n[store]\nurl = \"embedded\"\npath = \"data\"\n\
                [geo]\ncountry = \"country.mmdb\"\nasn = \"/srv/asn.mmdb\"\n";
    let (directory, path) = site(text, "");
    let config = Config::load(&path).unwrap();
    assert_eq!(
        config.store.place,
        Place::Embedded(directory.path().join("data"))
    );
    assert_eq!(
        config.sources.country,
        Some(directory.path().join("country.mmdb"))
    );
    assert_eq!(config.sources.asn, Some("/srv/asn.mmdb".into()));
    assert_eq!(config.collector.replay, Replay::Refused);
}

#[test]
fn everything_wrong_is_told_at_once_in_every_file() {
    let text = r#"registry = "registry.toml"
colour = "red"
[store]
url = "https://clickhouse/noroshi"
[geo]
country = "country.mmdb"
contry = 1
[lists]
organisations = ["absent"]
[collector]
listen = "0.0.0.0:7614"
[analyzer]
nonsense = 1
[analyzer.hosts]
targets_min = "many"
[feeds]
tokens = "tokens"
[retention]
flow_tuples = 7
alerts = 100000
"#;
    let (directory, path) = site(text, "[[partner]]\nid = \"th-cert\"\nname = \"x\"\n");
    fs::write(directory.path().join("country.mmdb"), "nothing").unwrap();
    let all = check(&path).unwrap_err();
    expect_test::expect![[r#"
        noroshi.toml:2: unknown key `colour`: the keys known here are registry, store, retention, geo, lists, collector, analyzer, feeds, console, metrics, traces
        noroshi.toml:4: `url` is "https://clickhouse/noroshi": write "embedded" or "http://user@clickhouse:8123/noroshi" (https is not built in)
        noroshi.toml:6: country.mmdb: broken or no MaxMind database (invalid database: could not find MaxMind DB metadata in file): fetch it again
        noroshi.toml:7: unknown key `contry`: did you mean `country`?
        noroshi.toml:8: absent: cannot be read (No such file or directory (os error 2)): check the path and its rights
        noroshi.toml:11: sensors would be heard in the clear: write [collector.tls] with the names by which sensors reach this collector, or listen on 127.0.0.1
        noroshi.toml:13: in `analyzer`: unknown field `nonsense`, expected one of `sources`, `hosts`, `aggressive`, `spoof_suspect`, `open_reflector`, `reflection`, `ddos_victim`, `scan_surge`, `coordinated`, `country_silence`, `sensor_silence`, `cases`
        noroshi.toml:15: in `analyzer`: invalid type: string "many", expected u64
        noroshi.toml:19: `flow_tuples` must outlive what sensors may still send: 15 days or more
        noroshi.toml:20: `alerts` keeps at most 65535 days: write 0 to keep for good
        registry.toml:1: `country` is missing: write two letters of ISO 3166-1 such as "TH""#]].assert_eq(&told(&directory, &all));
    let without_files = Config::load(&path).unwrap_err().into_vec().len();
    assert_eq!(
        without_files,
        all.into_vec().len() - 2,
        "all but the database and the list"
    );
}

#[test]
fn metrics_are_told_on_loopback_where_they_are_asked_for() {
    let read = |metrics: &str| {
        let (directory, path) = site(
            &format!("registry = \"registry.toml\"\n[metrics]\n{metrics}"),
            "",
        );
        let config = Config::load(&path).map_err(|faults| told(&directory, &faults))?;
        Ok::<_, String>(config.metrics)
    };
    assert_eq!(read(""), Ok(MetricsSettings::default()));
    let analyzer = MetricsSettings {
        analyzer: "127.0.0.1:7616".parse().ok(),
        ..MetricsSettings::default()
    };
    assert_eq!(read("analyzer = \"127.0.0.1:7616\"\n"), Ok(analyzer));
    let refused = read("feeds = \"0.0.0.0:7616\"\n").unwrap_err();
    assert!(
        refused.starts_with("noroshi.toml:3: metrics are"),
        "{refused}"
    );
}

#[test]
fn a_provider_of_identities_is_named_in_full() {
    let read = |console: &str| {
        let text = format!("registry = \"registry.toml\"\n[console]\n{console}");
        let (directory, path) = site(&text, "");
        let secret = directory.path().join("oidc.secret");
        fs::write(&secret, "told to nobody\n").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let checked = check(&path).map_err(|faults| told(&directory, &faults))?;
        Ok::<_, String>(checked.config.console.provider)
    };
    let whole = "public_url = \"https://noroshi.example.org/\"\n[console.oidc]\n\
                 issuer = \"https://id.example.org\"\nclient = \"noroshi\"\nsecret = \"oidc.secret\"\n";
    let provider = read(whole).unwrap().unwrap();
    assert_eq!(provider.claim, Claim::Subject);
    let back = "https://noroshi.example.org/sign-in/elsewhere/back";
    assert_eq!(provider.back.as_str(), back);
    assert_eq!(read(""), Ok(None));
    for (old, new, expected) in [
        (
            "https://id.",
            "http://id.",
            "noroshi.toml:5: `issuer`: an issuer is reached by https",
        ),
        ("https://id.example.org", "id", "noroshi.toml:5: `issuer`: "),
        (
            "oidc.secret",
            "absent",
            "noroshi.toml:7: absent: No such file",
        ),
        (
            "client = \"noroshi\"\n",
            "",
            "noroshi.toml:4: `client` is missing",
        ),
        (
            "public_url = \"https://noroshi.example.org/\"\n",
            "",
            "noroshi.toml:3: [console] public_url says",
        ),
        (
            "client",
            "claim = \"name\"\nclient",
            "noroshi.toml:6: `claim` is one of \"sub\", \"email\"",
        ),
    ] {
        let told = read(&whole.replace(old, new)).unwrap_err();
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn who_has_no_password_needs_a_provider() {
    let text = "registry = \"registry.toml\"\n[console]\nusers = \"users.toml\"\n";
    let (directory, path) = site(text, "");
    let users = directory.path().join("users.toml");
    fs::write(
        &users,
        "[[user]]\nname = \"naoko\"\nrole = \"viewer\"\noidc = \"17\"\n",
    )
    .unwrap();
    fs::set_permissions(&users, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = told(&directory, &check(&path).unwrap_err());
    assert_eq!(
        refused,
        "users.toml: `naoko` has no password, and [console.oidc] names no provider of identities"
    );
}

#[test]
fn tokens_and_notes_are_checked() {
    let registry = "[[partner]]\nid = \"th-cert\"\nname = \"x\"\ncountry = \"TH\"\n";
    let text = "registry = \"registry.toml\"\n[feeds]\ntokens = \"tokens\"\n";
    let (directory, path) = site(text, registry);
    let absent = check(&path).unwrap_err();
    assert!(
        told(&directory, &absent).starts_with("noroshi.toml:3: "),
        "{absent}"
    );
    let tokens = directory.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    fs::write(tokens.join("th-cert"), "short\n").unwrap();
    let short = check(&path).unwrap_err();
    assert!(short.to_string().contains("a token has"), "{short}");
    fs::write(tokens.join("th-cert"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let checked = check(&path).unwrap();
    assert_eq!(checked.config.feeds.tokens, Some(tokens));
    assert_eq!(
        checked.notes.len(),
        1,
        "a partner without a programme: {:?}",
        checked.notes
    );
}

#[test]
fn a_server_is_named_by_its_url() {
    let server = |url: &str| place_of(&format!("[store]\nurl = {url:?}\n"));
    let endpoint = |user: &str, database: &str| {
        Ok(Place::Server(Endpoint {
            url: "http://clickhouse:8123".to_owned(),
            user: user.to_owned(),
            password: String::new(),
            database: database.to_owned(),
        }))
    };
    assert_eq!(
        server("http://alice@clickhouse:8123/watch"),
        endpoint("alice", "watch")
    );
    assert_eq!(
        server("http://clickhouse:8123"),
        endpoint("default", "noroshi")
    );
    assert_eq!(
        server("http://clickhouse:8123/"),
        endpoint("default", "noroshi")
    );
    for wrong in [
        "clickhouse",
        "https://clickhouse:8443",
        "http://clickhouse",
        "http://:8123",
        "http://clickhouse:0",
        "http://@clickhouse:8123",
        "http://clickhouse:8123/a b",
        "http://a:secret@clickhouse:8123",
    ] {
        let told = server(wrong).unwrap_err();
        assert!(told.starts_with("noroshi.toml:3: `url` "), "{told}");
        assert!(
            !told.contains("secret@") || !wrong.contains("secret"),
            "{told}"
        );
    }
}

#[test]
fn a_password_stands_in_a_file_of_its_own() {
    let text = "registry = \"registry.toml\"\n[store]\nurl = \"http://clickhouse:8123\"\n\
                password_file = \"password\"\n";
    let (directory, path) = site(text, "");
    let absent = Config::load(&path).unwrap_err();
    assert!(
        told(&directory, &absent).starts_with("noroshi.toml:4: "),
        "{absent}"
    );
    fs::write(directory.path().join("password"), "s3cret\n").unwrap();
    let config = Config::load(&path).unwrap();
    assert!(matches!(&config.store.place, Place::Server(at) if at.password == "s3cret"));
    assert!(
        !format!("{config:?}").contains("s3cret"),
        "a secret is never shown"
    );
    for wrong in ["", "\n", "two\nlines\n"] {
        fs::write(directory.path().join("password"), wrong).unwrap();
        assert!(Config::load(&path).is_err(), "{wrong:?}");
    }
    let embedded = "[store]\npassword_file = \"x\"\ncluster = \"y\"\n";
    let told = place_of(embedded).unwrap_err();
    assert!(
        told.contains("noroshi.toml:3: `password_file` is for a server"),
        "{told}"
    );
    assert!(
        told.contains("noroshi.toml:4: `cluster` is for a server"),
        "{told}"
    );
}

#[test]
fn retention_is_read_per_table() {
    let text = "registry = \"registry.toml\"\n[retention]\nflow_tuples = 15\nalerts = 0\n";
    let (_directory, path) = site(text, "");
    let retention = Config::load(&path).unwrap().store.retention;
    assert_eq!(retention.flow_tuples, Keep::days(15));
    assert_eq!(retention.alerts, Keep::Forever);
    assert_eq!(retention.audit, Retention::default().audit);
}

#[test]
fn a_missing_registry_is_named() {
    let (directory, path) = site("registry = \"elsewhere.toml\"\n", "");
    let faults = Config::load(&path).unwrap_err();
    assert!(
        told(&directory, &faults).starts_with("elsewhere.toml: cannot be read"),
        "{faults}"
    );
    assert!(Config::load(Path::new("no/such.toml")).is_err());
}

/// What `[collector.tls]` comes to, or what is told.
fn tls_of(tls: &str) -> Result<Option<TlsSettings>, String> {
    let text =
        format!("registry = \"registry.toml\"\n[collector]\nlisten = \"0.0.0.0:7614\"\n{tls}");
    let (directory, path) = site(&text, "");
    let config = Config::load(&path).map_err(|faults| told(&directory, &faults))?;
    let tls = config.collector.tls.map(|tls| TlsSettings {
        directory: tls
            .directory
            .strip_prefix(directory.path())
            .unwrap_or(&tls.directory)
            .to_owned(),
        ..tls
    });
    Ok(tls)
}

#[test]
fn sensors_are_known_by_the_centre_s_authority_or_by_the_operator_s() {
    let own = tls_of("[collector.tls]\nnames = [\"centre.example\", \"192.0.2.1\"]\n");
    assert_eq!(
        own,
        Ok(Some(TlsSettings {
            directory: "data/identity".into(),
            authority: AuthoritySettings::Own {
                names: vec!["centre.example".to_owned(), "192.0.2.1".to_owned()],
                sensor_millis: 30 * 86_400_000,
            },
        }))
    );
    let brought = tls_of(
        "[collector.tls]\npath = \"/srv/i\"\ncertificate = \"/a\"\nkey = \"/b\"\nca = \"/c\"\n",
    );
    let files = TlsFiles {
        certificate: "/a".into(),
        key: "/b".into(),
        ca: "/c".into(),
    };
    assert_eq!(
        brought,
        Ok(Some(TlsSettings {
            directory: "/srv/i".into(),
            authority: AuthoritySettings::Brought(files),
        }))
    );
}

#[test]
fn half_a_tls_section_says_what_is_missing() {
    for (tls, expected) in [
        ("", "3: sensors would be heard in the clear"),
        ("[collector.tls]\n", "4: `names` says how sensors reach"),
        (
            "[collector.tls]\nkey = \"k\"\n",
            "4: [collector.tls] is either",
        ),
        (
            "[collector.tls]\nnames = [\"https://centre\"]\n",
            "5: `https://centre` is no host name",
        ),
        (
            "[collector.tls]\nnames = [\"a\"]\ncertificate_days = 0\n",
            "6: `certificate_days` is 1 to 366",
        ),
        (
            "sensor_tuples_per_second = 0\n[collector.tls]\nnames = [\"a\"]\n",
            "4: with `sensor_tuples_per_second` at 0",
        ),
    ] {
        let told = tls_of(tls).unwrap_err();
        assert!(
            told.starts_with(&format!("noroshi.toml:{expected}")),
            "{told}"
        );
    }
}
