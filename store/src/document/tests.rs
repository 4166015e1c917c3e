use super::*;
use noroshi_proto::time::Millis;

fn faults(text: &str, read: impl Fn(&mut Section<'_>)) -> String {
    let document = Document::parse("a.toml", text).unwrap();
    let mut root = document.root();
    read(&mut root);
    root.close();
    let faults = document.into_faults();
    faults
        .iter()
        .map(Fault::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_fault_is_told_with_its_line() {
    let text = "name = 3\n\n[inner]\nlimt = 4\nother = 1\n[[list]]\nport = \"x\"\n";
    let told = faults(text, |root| {
        root.required::<String>("name");
        root.required::<String>("title");
        let mut inner = root.section("inner");
        inner.optional::<u32>("limit");
        inner.close();
        for mut item in root.sections("list") {
            item.required::<u32>("port");
            item.close();
        }
    });
    expect_test::expect![[r#"
        a.toml:1: `name` is of type integer: write text in quotes
        a.toml:1: `title` is missing: write text in quotes
        a.toml:4: unknown key `limt`: did you mean `limit`?
        a.toml:5: unknown key `other`: the keys known here are limit
        a.toml:7: `port` is "x": write a whole number from 0 to 4294967295"#]]
    .assert_eq(&told);
}

#[test]
fn syntax_is_told_with_its_line() {
    let faults = Document::parse("a.toml", "a = 1\nb = [1,\n")
        .unwrap_err()
        .to_string();
    assert!(
        faults.starts_with("a.toml:2: this is not TOML: "),
        "{faults}"
    );
    let faults = Document::parse("a.toml", "a = 1\na = 2\n")
        .unwrap_err()
        .to_string();
    assert!(
        faults.starts_with("a.toml:2: this is not TOML: "),
        "{faults}"
    );
}

#[test]
fn a_table_where_a_list_of_tables_belongs_is_a_fault() {
    let told = faults("[partner]\nid = \"x\"\n", |root| {
        assert!(root.sections("partner").is_empty());
    });
    assert!(told.contains("heading in [[ ]]"), "{told}");
}

#[test]
fn days_and_instants_are_both_read() {
    let read = |text: &str| {
        let text = format!("at = {text}");
        let document = Document::parse("a.toml", &text).unwrap();
        let at = document.root().optional::<Millis>("at");
        (
            at.map(|at| at.value.to_string()),
            document.into_faults().len(),
        )
    };
    let cases = [
        ("2026-01-01", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T09:00:00Z", "2026-01-01T09:00:00.000Z"),
        ("2026-01-01T09:00:00+09:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T09:00:00.250", "2026-01-01T09:00:00.250Z"),
        ("2026-01-01 09:00:00-01:30", "2026-01-01T10:30:00.000Z"),
    ];
    for (written, meant) in cases {
        assert_eq!(read(written), (Some(meant.to_owned()), 0), "{written}");
    }
    for wrong in ["09:00:00", "\"2026-01-01\"", "1969-01-01", "17"] {
        assert_eq!(read(wrong), (None, 1), "{wrong}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let told = read_text(std::path::Path::new("no/such.toml"))
        .unwrap_err()
        .to_string();
    assert!(told.starts_with("no/such.toml: cannot be read"), "{told}");
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        read_text(here)
            .unwrap_err()
            .to_string()
            .contains("directory")
    );
}

/// Settings as another part of the program declares them.
#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Outer {
    limit: u32,
    inner: Inner,
}

#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Inner {
    share: f64,
}

#[test]
fn settings_are_read_whole_or_all_their_faults_told() {
    let read = |text: &str| {
        let document = Document::parse("a.toml", text).unwrap();
        let mut root = document.root();
        let settings = root.settings::<Outer>("outer");
        root.close();
        let faults: Vec<String> = document
            .into_faults()
            .iter()
            .map(Fault::to_string)
            .collect();
        (settings, faults.join("\n"))
    };
    assert_eq!(read(""), (Some(Outer::default()), String::new()));
    let good = Outer {
        limit: 7,
        inner: Inner { share: 0.5 },
    };
    assert_eq!(
        read("[outer]\nlimit = 7\n[outer.inner]\nshare = 0.5\n"),
        (Some(good), String::new())
    );
    let (settings, told) =
        read("[outer]\nlimit = -1\nextra = 2\n[outer.inner]\nshare = \"x\"\nshade = 1\n");
    assert_eq!(settings, None);
    expect_test::expect![[r#"
        a.toml:2: in `outer`: invalid value: integer `-1`, expected u32
        a.toml:3: in `outer`: unknown field `extra`, expected `limit` or `inner`
        a.toml:5: in `outer`: invalid type: string "x", expected f64
        a.toml:6: in `outer`: unknown field `shade`, expected `share`"#]]
    .assert_eq(&told);
    assert!(read("outer = 3\n").1.starts_with("a.toml:1: in `outer`: "));
}
