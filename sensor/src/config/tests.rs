use std::path::Path;

use noroshi_proto::time::Millis;

use super::collector::Way;
use super::*;

const SAMPLE: &str = include_str!("../../../config/sensor.toml");

fn faults(text: &str) -> String {
    let found = Config::parse(text, Path::new("/etc/noroshi")).expect_err("faulty");
    Faults {
        file: "sensor.toml".into(),
        found,
    }
    .to_string()
}

#[test]
fn the_shipped_sample_is_valid() {
    let config = Config::parse(SAMPLE, Path::new("/etc/noroshi")).expect("valid");
    assert_eq!(config.sensor.as_str(), "jp-1");
    assert_eq!(config.telescope.ever().addresses(), 4096);
    assert_eq!(config.delivery, Delivery::Direct);
    assert_eq!(config.interval_length, IntervalLength::DEFAULT);
    assert_eq!(config.collector.to_string(), "https://centre.example:7614/");
    let directory = Path::new("/etc/noroshi/identity").to_owned();
    assert_eq!(config.identity, IdentityFiles::Enrolled(directory));
    assert_eq!(config.collector.way(), &Way::Tls(config.identity));
    assert_eq!(config.salt_file, Path::new("/etc/noroshi/salt"));
    assert_eq!(config.spool.bytes_max, ByteSize::mebibytes(16 * 1024));
    assert_eq!(config.capture.method, Method::Ring);
    assert_eq!(config.capture.snaplen, 256);
    assert_eq!(config.update, None, "off unless somebody wants it");
}

#[test]
fn the_sample_s_updates_say_the_defaults_and_a_glance_says_the_same() {
    let (before, section) = SAMPLE.split_once("# [update]").expect("it is there");
    let written = format!("[update]{}", section.replace("\n# ", "\n"));
    let key = written.lines().find(|line| line.starts_with("keys"));
    let short = format!("[update]\n{}\n", key.expect("it has keys"));
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("sensor.toml");
    let read = [&written, &short].map(|section| {
        std::fs::write(&path, format!("{before}{section}")).expect("writable");
        let strict = Config::load(&path).expect("valid").update;
        assert_eq!(strict, update::glance(&path));
        strict.expect("updates are taken")
    });
    assert_eq!(read[0], read[1]);
    assert_eq!(read[0].directory, directory.path().join("update"));
    assert_eq!(read[0].trial, std::time::Duration::from_secs(600));

    // A later version's file: this one starts that one, and leaves the checking to it.
    let later = format!("later = 1\n{before}{short}more = \"x\"\ntrial_minutes = \"x\"\n");
    std::fs::write(&path, later).expect("writable");
    assert!(Config::load(&path).is_err());
    assert_eq!(update::glance(&path), Some(read[0].clone()));
    for none in [before, &format!("{before}[update]\nkeys = []\n"), "=", ""] {
        std::fs::write(&path, none).expect("writable");
        assert_eq!(update::glance(&path), None);
    }
}

#[test]
fn faults_of_updates_are_told_with_their_lines() {
    let (before, _) = SAMPLE.split_once("# [update]").expect("it is there");
    let line = before.lines().count() + 2;
    let key = "ed25519:d319e50114a89b4329985d19af7af27db3e3236279339210911c1ac8340970aa";
    for (section, told) in [
        (
            "keys = []".to_owned(),
            "update.keys has 0 keys: write 1 to 8".to_owned(),
        ),
        (
            format!("keys = [\"{key}\", \"x\"]"),
            "`x`: a public key is one word".to_owned(),
        ),
        (
            format!("keys = [\"{key}\"]\ntrial_minutes = 0"),
            "update.trial_minutes 0: write 1 to 1440, as in 10".to_owned(),
        ),
        (
            format!("keys = [\"{key}\"]\nevery = 1"),
            "unknown field `every`".to_owned(),
        ),
    ] {
        let found = faults(&format!("{before}[update]\n{section}\n"));
        let at = line + section.matches('\n').count();
        let due = format!("sensor.toml:{at}: {told}");
        assert!(found.starts_with(&due), "{found}");
    }
}

#[test]
fn prefixes_have_times_as_the_registry_has_them() {
    let with = |lines: &str| SAMPLE.replace("[\"198.18.0.0/20\"]", &format!("[{lines}]"));
    let text = with(
        "\"198.18.0.0/24\", { prefix = \"198.18.1.0/24\", from = 2026-06-01 },
         { prefix = \"198.18.2.0/24\", from = 2026-05-31T18:00:00-09:00, until = 2026-07-01T00:00:00Z }",
    );
    let config = Config::parse(&text, Path::new("")).expect("valid");
    let first = config.telescope.next_change(Millis(0)).expect("it changes");
    assert_eq!(first.to_string(), "2026-06-01T00:00:00.000Z");
    let then = config.telescope.next_change(first).expect("it changes");
    assert_eq!(then.to_string(), "2026-06-01T03:00:00.000Z");
    let last = config.telescope.next_change(then).expect("it changes");
    assert_eq!(last.to_string(), "2026-07-01T00:00:00.000Z");
    let addresses = [Millis(0), first, then, last].map(|at| config.telescope.at(at).addresses());
    assert_eq!(addresses, [256, 512, 768, 512]);
    for (lines, told) in [
        (
            "{ prefix = \"198.18.0.0/24\", from = 2026-06-01, until = 2026-06-01 }",
            "`198.18.0.0/24` is watched from 2026-06-01T00:00:00.000Z until 2026-06-01T00:00:00.000Z: never",
        ),
        (
            "{ prefix = \"198.18.0.0/24\", until = 10:00:00 }",
            "`10:00:00` is no time that `198.18.0.0/24` could begin or end at",
        ),
        (
            "{ prefix = \"198.18.0.0/24\", till = 2026-06-01 }",
            "a prefix is \"198.18.0.0/20\", or",
        ),
    ] {
        let found = faults(&with(lines));
        assert!(
            found.starts_with("sensor.toml:7: ") && found.contains(told),
            "{found}"
        );
    }
}

#[test]
fn what_may_be_left_out_has_the_sample_s_values() {
    let short = r#"
        sensor = "jp-1"
        collector = "http://[::1]:7614"
        interface = "eth1"
        telescope = ["198.18.0.0/20", "2001:db8::/48"]
        salt_file = "/var/lib/noroshi/salt"
        spool = { path = "/var/lib/noroshi/spool" }
    "#;
    let short = Config::parse(short, Path::new("")).expect("valid");
    let sample = Config::parse(SAMPLE, Path::new("")).expect("valid");
    assert_eq!(short.interval_length, sample.interval_length);
    assert_eq!(short.delivery, sample.delivery);
    assert_eq!(short.spool.bytes_max, sample.spool.bytes_max);
    assert_eq!(short.memory, sample.memory);
    assert_eq!(short.capture.method, sample.capture.method);
    assert_eq!(short.capture.ring, sample.capture.ring);
    assert_eq!(short.capture.snaplen, sample.capture.snaplen);
    assert_eq!(short.capture.kernel_filter, sample.capture.kernel_filter);
}

/// What is replaced in the sample, by what, and what is said about it.
const FAULTS: [(&str, &str, &str); 19] = [
    (
        "\"jp-1\"",
        "\"JP 1\"",
        "4: sensor `JP 1` is no id: write 1 to 64 lower-case letters, digits and hyphens, as in \
         the centre's registry",
    ),
    (
        "https://centre.example:7614",
        "http://192.0.2.1:7614",
        "5: collector `http://192.0.2.1:7614` is not on this machine, and http:// is not \
         encrypted: write one like https://centre.example:7614",
    ),
    (
        "https://centre.example:7614",
        "ftp://centre.example:7614",
        "5: collector `ftp://centre.example:7614` is no https:// URL: write one like \
         https://centre.example:7614",
    ),
    (
        "https://centre.example:7614",
        "127.0.0.1",
        "5: collector `127.0.0.1` lacks a host or a port: write one like \
         https://centre.example:7614",
    ),
    (
        "path = \"identity\"",
        "key = \"sensor-key.pem\"",
        "14: [identity] is either `path`, for a sensor that is enrolled, or `certificate`, `key` \
         and `ca`, all three, of your own authority",
    ),
    (
        "198.18.0.0/20",
        "198.18.1.0/20",
        "7: `198.18.1.0/20` has bits set behind its length: write 198.18.0.0/20",
    ),
    (
        "[\"198.18.0.0/20\"]",
        "[]",
        "7: telescope is empty: name the prefixes that are watched",
    ),
    (
        "\"eth1\"",
        "\"\"",
        "6: interface `` is no name: `ip link` lists them",
    ),
    (
        "interval_seconds = 10",
        "interval_seconds = 7",
        "10: interval_seconds 7 does not divide a minute: write 1 to 60, as in 10",
    ),
    (
        "\"16 GiB\"",
        "\"1 MiB\"",
        "22: spool.bytes_max is 1 MiB, less than 64 MiB: write at least that",
    ),
    (
        "\"16 MiB\"",
        "16",
        "26: invalid type: integer `16`, expected a size with its unit, such as \"16 MiB\"",
    ),
    (
        "\"16 MiB\"",
        "\"16 MB\"",
        "26: `16 MB` is no size: write one with its unit, such as \"16 MiB\"",
    ),
    (
        "\"ring\"",
        "\"dpdk\"",
        "25: unknown variant `dpdk`, expected `ring` or `pcap`",
    ),
    (
        "snaplen = 256",
        "snaplen = 60",
        "27: capture.snaplen 60: write 94 to 262144 bytes, as in 256",
    ),
    (
        "\"direct\"",
        "\"pigeon\"",
        "9: unknown variant `pigeon`, expected one of `direct`, `gre`, `ipip`, `vxlan`, `geneve`",
    ),
    (
        "interface = ",
        "iface = ",
        "6: unknown field `iface`, expected one of `sensor`, `collector`, `interface`, \
         `telescope`, `delivery`, `interval_seconds`, `salt_file`, `identity`, `spool`, `capture`, `memory`, `update`",
    ),
    ("[spool]", "[spool", "20: unclosed table, expected `]`"),
    (
        "\"64 MiB\"",
        "\"23 MiB\"",
        "11: memory is 23 MiB, less than 24 MiB: write at least that",
    ),
    (
        "\"64 MiB\"",
        "\"1025 MiB\"",
        "11: memory is 1025 MiB, more than 1 GiB: write at most that",
    ),
];

#[test]
fn every_fault_names_its_line_and_a_remedy() {
    for (find, replace, expected) in FAULTS {
        assert!(SAMPLE.contains(find), "{find} is in the sample");
        let told = faults(&SAMPLE.replacen(find, replace, 1));
        assert_eq!(told, format!("sensor.toml:{expected}"));
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = SAMPLE
        .replace("jp-1", "?")
        .replace("= 256", "= 1")
        .replace("= 10 ", "= 11 ");
    let lines: Vec<String> = faults(&text)
        .lines()
        .map(|line| line[..14].to_owned())
        .collect();
    assert_eq!(
        lines,
        ["sensor.toml:4:", "sensor.toml:10", "sensor.toml:27"]
    );
}
