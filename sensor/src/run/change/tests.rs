use std::path::Path;

use super::*;

const RUNS: &str = r#"
sensor = "jp-1"
collector = "http://127.0.0.1:7614"
interface = "tap"
telescope = ["198.18.0.0/24"]
salt_file = "salt"
[spool]
path = "spool"
"#;

fn config(text: &str) -> Config {
    Config::parse(text, Path::new("")).expect("it is one")
}

fn fixed_in(old: &str, new: &str) -> Vec<&'static str> {
    let changed = RUNS.replace(old, new);
    assert_ne!(changed, RUNS);
    fixed(&config(RUNS), &config(&changed))
}

#[test]
fn what_names_nothing_that_is_open_can_change() {
    let none: [&str; 0] = [];
    assert_eq!(fixed(&config(RUNS), &config(RUNS)), none);
    for (old, new) in [
        ("127.0.0.1:7614", "127.0.0.1:7615"),
        ("198.18.0.0/24", "198.18.0.0/20"),
        ("[spool]", "delivery = \"gre\"\n[spool]"),
        ("[spool]", "interval_seconds = 1\n[spool]"),
        ("\"salt\"", "\"other\""),
        ("\"spool\"", "\"spool\"\nbytes_max = \"1 GiB\""),
    ] {
        assert_eq!(fixed_in(old, new), none, "{new}");
    }
}

#[test]
fn what_is_open_stays() {
    assert_eq!(fixed_in("jp-1", "jp-2"), ["sensor"]);
    assert_eq!(fixed_in("tap", "eth0"), ["interface", "[capture]"]);
    assert_eq!(
        fixed_in("[spool]", "[capture]\nsnaplen = 128\n[spool]"),
        ["[capture]"]
    );
    assert_eq!(fixed_in("\"spool\"", "\"elsewhere\""), ["spool.path"]);
}

#[cfg(feature = "libpcap")]
#[test]
fn a_filter_of_libpcap_s_is_not_touched() {
    let by_libpcap = |telescope: &str, filter: &str| {
        let text = RUNS.replace("198.18.0.0/24", telescope);
        config(&format!(
            "{text}[capture]\nmethod = \"pcap\"\nkernel_filter = \"{filter}\"\n"
        ))
    };
    let grown = |filter| {
        let (runs, next) = ("198.18.0.0/24", "198.18.0.0/20");
        fixed(&by_libpcap(runs, filter), &by_libpcap(next, filter))
    };
    assert_eq!(grown("on").len(), 1);
    assert!(grown("off").is_empty());
}

#[test]
fn it_changes_where_an_interval_of_either_begins() {
    let length = |seconds| IntervalLength::new(seconds).expect("it divides a minute");
    let midnight = 1_762_041_600_000;
    for (runs, next, after, expected) in [
        (10, 10, 0, 10), // after, never at
        (10, 10, 9_999, 10),
        (10, 10, 10_000, 20),
        (10, 1, 1_500, 10),
        (1, 10, 1_500, 10),
        (4, 6, 13_000, 24),
        (1, 60, 59_999, 60),
        (60, 1, 60_000, 120),
    ] {
        let at = boundary(Millis(midnight + after), length(runs), length(next));
        assert_eq!(
            at,
            Millis(midnight + expected * 1_000),
            "{runs} and {next} s"
        );
    }
}

/// Frames of one byte at given times.
struct Times(Vec<u64>);

impl Capture for Times {
    fn read(&mut self, mut sink: impl FnMut(Frame<'_>)) -> Result<Progress, CaptureError> {
        for time in self.0.drain(..) {
            sink(Frame {
                seen_at: Millis(time),
                link: LinkType(1),
                bytes: &[time as u8],
                wire_bytes: 60,
            });
        }
        Ok(Progress::More)
    }
}

#[test]
fn each_frame_is_read_once_by_whom_it_belongs_to() {
    let no_time = Frame::NO_TIME.0;
    let mut capture = Times(vec![7, 9, 10, no_time, 8, 11]);
    let mut aside = Aside::default();
    let mut before = Before {
        capture: &mut capture,
        from: Millis(10),
        aside: &mut aside,
    };
    let mut read = Vec::new();
    let progress = before
        .read(|frame| read.push(frame.seen_at.0))
        .expect("it reads");
    // A late frame, and one of no time, are the stint's that runs.
    assert_eq!((progress, read), (Progress::More, vec![7, 9, no_time, 8]));
    let mut read = Vec::new();
    let mut take = |frame: Frame<'_>| read.push((frame.seen_at.0, frame.bytes.to_vec()));
    assert_eq!(aside.read(&mut take).expect("it reads"), Progress::End);
    assert_eq!(aside.read(&mut take).expect("it reads"), Progress::End);
    assert_eq!(read, [(10, vec![10]), (11, vec![11])]);
}
