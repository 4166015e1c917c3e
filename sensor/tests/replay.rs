//! `noroshi-sensor` as its users run it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::{Expect, expect};
use serde_json::Value;

#[path = "replay/memory.rs"]
mod memory;

const SAMPLE: &str = include_str!("../../config/sensor.toml");

fn sensor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_noroshi-sensor"))
        .args(arguments)
        .output()
        .expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

fn lines(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

/// One pcap record: an Ethernet frame with a SYN to port 23, half a second into `second`.
fn record(second: u32, source: u8, target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
    frame.extend([
        0x45, 0, 0, 40, 0, 7, 0x40, 0, 52, 6, 0, 0, 203, 0, 113, source,
    ]);
    frame.extend(target);
    frame.extend([0x9c, 0x40, 0, 23]);
    frame.extend(target); // the sequence number of Mirai
    frame.extend([0, 0, 0, 0, 0x50, 2, 0xfa, 0xf0, 0, 0, 0, 0]);
    let length = frame.len() as u32;
    let header = [second, 500_000, length, length]
        .map(u32::to_le_bytes)
        .concat();
    [header, frame].concat()
}

fn capture(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    bytes.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    bytes.extend(records.concat());
    bytes
}

/// 2026-11-02T06:00:00Z.
const SIX: u32 = 1_793_599_200;

fn two_captures(directory: &Path) -> [String; 2] {
    let outside = record(SIX + 1, 7, [192, 0, 2, 1]);
    let mut arp = record(SIX + 2, 7, [198, 18, 0, 1]);
    arp[16 + 13] = 0x06;
    let first = [record(SIX, 7, [198, 18, 0, 1]), outside, arp];
    let second = [
        record(SIX + 3, 7, [198, 18, 0, 2]),
        record(SIX + 3_600, 8, [198, 18, 0, 1]),
    ];
    [("a.pcap", &first[..]), ("b.pcap", &second)].map(|(name, records)| {
        let path = directory.join(name);
        fs::write(&path, capture(records)).expect("a capture is written");
        path.to_str().expect("a plain path").to_owned()
    })
}

fn summary(output: &Output, expected: Expect) {
    let mut last = lines(output).pop().expect("a summary");
    assert!(last["summary"]["batch_bytes"].take().as_u64() > Some(0));
    expected.assert_eq(&last.to_string());
}

#[test]
fn several_captures_are_one_stream() {
    let directory = tempfile::tempdir().unwrap();
    let [a, b] = two_captures(directory.path());
    let output = sensor(&["replay", &a, &b, "--telescope", "198.18.0.0/20", "--json"]);
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(0), "")
    );
    let lines = lines(&output);
    let flow = &lines[0];
    assert_eq!(flow["sample"].as_array().map(Vec::len), Some(2));
    let mut flow = flow.clone();
    flow["sample"] = Value::Null;
    expect![[r#"
        {
          "bytes": 80,
          "first": "2026-11-02T06:00:00.500Z",
          "interval": "2026-11-02T06:00:00.000Z",
          "last": "2026-11-02T06:00:03.500Z",
          "marks": {
            "irregular": 2,
            "masscan": 0,
            "mirai": 2,
            "mismatched": 0,
            "nmap": 0,
            "syns": 2,
            "zmap": 0,
            "zmap_modern": 0
          },
          "options": "none",
          "packets": 2,
          "sample": null,
          "sensor": "replay",
          "service": "tcp/23",
          "source": "203.0.113.7",
          "source_port": 40000,
          "targets": 2,
          "traffic": "scan_syn",
          "transport": {
            "port": 23,
            "protocol": "tcp"
          },
          "ttl_max": 52,
          "ttl_min": 52,
          "window": 64240
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&flow).unwrap());
    assert_eq!(lines[1]["interval"], "2026-11-02T07:00:00.000Z");
    assert_eq!(lines.len(), 3);
    summary(
        &output,
        expect![[
            r#"{"summary":{"batch_bytes":null,"batches":1,"flow_tuples":2,"frames":5,"outside_telescope":1,"packets":3,"undecodable":{"not_ip":1}}}"#
        ]],
    );
}

#[test]
fn a_person_reads_sums() {
    let directory = tempfile::tempdir().unwrap();
    let [a, b] = two_captures(directory.path());
    let output = sensor(&["replay", &a, &b, "--telescope", "198.18.0.0/20"]);
    let told: Vec<String> = text(&output.stdout)
        .lines()
        .take(5)
        .map(|line| line.trim().to_owned())
        .collect();
    expect![[r#"
        5 frames
        3 packets of the telescope
        1 packets of others
        1 frames not decoded: not_ip
        2 flow tuples in 1 batches"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn a_broken_capture_is_named_and_the_others_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let [a, b] = two_captures(directory.path());
    let whole = fs::read(&a).unwrap();
    fs::write(&a, &whole[..whole.len() - 1]).unwrap();
    let missing = directory.path().join("missing.pcap");
    let missing = missing.to_str().unwrap();
    let output = sensor(&[
        "replay",
        &a,
        missing,
        &b,
        "--telescope",
        "0.0.0.0/0",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr).replace(directory.path().to_str().unwrap(), "DIR");
    expect![[r#"
        DIR/a.pcap: at byte 164: the file ends within a record: 53 of 54 captured bytes
        DIR/missing.pcap: No such file or directory (os error 2)
        noroshi-sensor: 2 of 3 captures are broken
    "#]]
    .assert_eq(&errors);
    summary(
        &output,
        expect![[
            r#"{"summary":{"batch_bytes":null,"batches":1,"flow_tuples":2,"frames":4,"outside_telescope":0,"packets":4,"undecodable":{}}}"#
        ]],
    );
}

#[test]
fn standard_input_is_a_capture_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_noroshi-sensor"))
        .args([
            "replay",
            "-",
            "--telescope=198.18.0.0/20,2001:db8::/32",
            "--json",
        ])
        .args(["--sensor", "jp-7", "--interval-seconds", "60"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let bytes = capture(&[record(SIX + 59, 7, [198, 18, 0, 1])]);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&bytes)
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    let flow = &lines(&output)[0];
    assert_eq!(
        (&flow["sensor"], &flow["interval"]),
        (&"jp-7".into(), &"2026-11-02T06:00:00.000Z".into())
    );
}

#[test]
fn the_configuration_says_who_watched_what() {
    let directory = tempfile::tempdir().unwrap();
    let [a, _] = two_captures(directory.path());
    let config = directory.path().join("sensor.toml");
    fs::write(&config, SAMPLE).unwrap();
    let config = config.to_str().unwrap();
    let output = sensor(&["replay", &a, "--config", config, "--json"]);
    assert_eq!(lines(&output)[0]["sensor"], "jp-1");
    let output = sensor(&[
        "replay",
        &a,
        "--config",
        config,
        "--telescope",
        "::/0",
        "--json",
    ]);
    assert_eq!(lines(&output)[0]["summary"]["outside_telescope"], 2);
}

#[test]
fn a_configuration_is_checked_before_anything_else() {
    let directory = tempfile::tempdir().unwrap();
    let good = directory.path().join("good.toml");
    fs::write(&good, SAMPLE).unwrap();
    let output = sensor(&["check", "--config", good.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let bad = directory.path().join("bad.toml");
    fs::write(&bad, SAMPLE.replace("198.18.0.0/20", "198.18.0.0/40")).unwrap();
    let bad = bad.to_str().unwrap();
    for arguments in [
        &["check", "--config", bad][..],
        &["run", "--config", bad],
        &["replay", "a.pcap", "--config", bad],
    ] {
        let output = sensor(arguments);
        assert_eq!(output.status.code(), Some(78), "{arguments:?}");
        let expected =
            format!("{bad}:7: `198.18.0.0/40` is no prefix: write one like 198.18.0.0/20\n");
        assert_eq!(text(&output.stderr), expected);
    }
    let output = sensor(&["check", "--config", "/nowhere/sensor.toml"]);
    assert_eq!(output.status.code(), Some(78));
}

#[test]
fn wrong_use_is_told_with_code_2() {
    for arguments in [
        &[][..],
        &["replay", "--telescope", "::/0"],
        &["replay", "a.pcap"],
        &["replay", "a.pcap", "--telescope", "198.18.0.1/20"],
        &[
            "replay",
            "a.pcap",
            "--telescope",
            "::/0",
            "--interval-seconds",
            "7",
        ],
        &[
            "replay",
            "a.pcap",
            "--telescope",
            "::/0",
            "--sensor",
            "JP 1",
        ],
        &[
            "replay",
            "a.pcap",
            "--telescope",
            "::/0",
            "--to",
            "http://192.0.2.1:7614",
        ],
        &[
            "replay",
            "a.pcap",
            "--telescope",
            "::/0",
            "--to",
            "http://[::1]:1",
            "--json",
        ],
        &["watch"],
    ] {
        let output = sensor(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
}
