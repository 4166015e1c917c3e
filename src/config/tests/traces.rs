//! `[traces]`.

use super::*;

#[test]
fn traces_go_nowhere_unless_they_are_told_where_and_in_the_clear_no_further_than_this_machine() {
    let read = |traces: &str| {
        let (directory, path) = site(&format!("registry = \"registry.toml\"\n{traces}"), "");
        let config = Config::load(&path).map_err(|faults| told(&directory, &faults))?;
        Ok::<_, String>(config.traces)
    };
    let to = |endpoint: &str, sample| {
        Ok(Some(TracesSettings {
            endpoint: endpoint.to_owned(),
            sample,
        }))
    };
    let at = |endpoint: &str| read(&format!("[traces]\nendpoint = \"{endpoint}\"\n"));
    assert_eq!(read(""), Ok(None));
    for near in [
        "http://127.0.0.1:4317",
        "http://[::1]:4317",
        "http://localhost:4317",
    ] {
        assert_eq!(at(near), to(near, 0.01));
    }
    let far = "https://otel.example.org:4317";
    assert_eq!(at(far), to(far, 0.01));
    let all = format!("[traces]\nendpoint = \"{far}\"\nsample = 1\n");
    assert_eq!(read(&all), to(far, 1.0));
    let wrong = |told: Result<_, String>| told.expect_err("it is wrong");
    for clear in ["http://192.0.2.1:4317", "http://otel.example.org:4317"] {
        let told = wrong(at(clear));
        assert!(
            told.starts_with("noroshi.toml:3: traces would cross"),
            "{told}"
        );
    }
    for shapeless in [
        "127.0.0.1:4317",
        "https://x",
        "https://x:0",
        "https://x:1/v1",
        "https://u:p@x:1",
    ] {
        let told = wrong(at(shapeless));
        assert!(told.starts_with("noroshi.toml:3: `endpoint` is"), "{told}");
    }
    let told = wrong(read("[traces]\nsample = 1.5\n"));
    expect_test::expect![[r#"
        noroshi.toml:2: `endpoint` is missing: write text in quotes
        noroshi.toml:3: `sample` is the share of traces that are sent: 0 to 1, such as 0.01"#]]
    .assert_eq(&told);
}
