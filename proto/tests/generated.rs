//! The committed code is what the `.proto` files say. To renew it:
//! `UPDATE_EXPECT=1 cargo test -p noroshi-proto --test generated`.

use expect_test::expect_file;

#[test]
fn the_generated_code_is_current() {
    let root = env!("CARGO_MANIFEST_DIR");
    let sources = ["enrolment", "ingest", "update"].map(|name| format!("noroshi/v1/{name}.proto"));
    let files =
        protox::compile(sources, [format!("{root}/proto")]).expect("the .proto files compile");
    let out = tempfile::tempdir().unwrap();
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .out_dir(out.path())
        .compile_fds(files)
        .expect("code is generated");
    let generated = std::fs::read_to_string(out.path().join("noroshi.v1.rs")).unwrap();
    expect_file!["../src/gen/noroshi.v1.rs"].assert_eq(&generated);
}
