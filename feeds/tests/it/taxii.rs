//! TAXII as its real clients read it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::desk::{Desk, NORTH};
use super::samples::{indicated, reported};

/// A file of the checkout.
fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What a client's program says, which must end well.
async fn client(script: &str, arguments: Vec<String>) -> String {
    let python = checkout("target/interop/stix/bin/python");
    assert!(
        python.exists(),
        "{} is not there: run ./setup.sh test",
        python.display()
    );
    let script = checkout("feeds/interop").join(script);
    let run = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .arg(script)
            .args(arguments)
            .output()
            .expect("Python starts")
    });
    let output = run.await.expect("no panic");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn real_clients_read_all_of_it_once_and_every_object_is_valid() {
    let desk = Desk::open().await;
    let url = format!("http://{}/taxii2/", desk.address);
    let (indicated, reported) = (indicated(), reported());
    let counts = [indicated.len(), reported.len()].map(|count| count.to_string());
    let arguments = [vec![url, NORTH.to_owned()], counts.to_vec()].concat();
    let reading = tokio::spawn(client("taxii.py", arguments));
    for (_, alert) in indicated.into_iter().chain(reported) {
        desk.keep(alert, 1).await;
        tokio::time::sleep(Duration::from_millis(200)).await; // the reader is at work meanwhile
    }
    let said = reading.await.expect("the clients are content");
    assert!(said.contains("objects"), "{said}");
    desk.close().await;
}
