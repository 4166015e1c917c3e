//! How engines start, end, crash and share.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use noroshi_store::engine::{Engine, EngineConfig, fetch, testing};

use super::{count, flow, insert, with_table};

fn config(path: &Path) -> EngineConfig {
    EngineConfig {
        path: path.to_owned(),
        program: Some(testing::program()),
    }
}

/// Ends a process as a power cut would.
fn kill(pid: u32) {
    let killed = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// Asks until another process than `before` answers, for at most 30 s.
async fn until_it_answers(engine: &Engine, before: u32) {
    let client = engine.endpoint().client();
    for _ in 0..600 {
        if client.query("SELECT 1").execute().await.is_ok() && engine.pid() != before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the engine did not come back");
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(config(directory.path())).await.unwrap();
    let client = with_table(engine.endpoint()).await;
    let mut stored = 0;
    for round in 0..3 {
        for _ in 0..5 {
            insert(&client, (0..2_000).map(flow)).await;
            stored += 2_000;
        }
        // While another insert is under way: it is there as a whole or not at all.
        let under_way = tokio::spawn({
            let client = client.clone();
            async move {
                let mut insert =
                    client.insert_formatted_with("INSERT INTO flows (packets) FORMAT TSV");
                insert.send("1\n".repeat(1_000).into()).await?;
                insert.end().await
            }
        });
        let before = engine.pid();
        tokio::time::sleep(Duration::from_millis(2 * round)).await; // early, midway, late
        kill(before);
        let acknowledged = under_way.await.unwrap().is_ok();
        until_it_answers(&engine, before).await;
        let found = count(&client, "flows").await;
        assert!(
            found == stored + 1_000 || (!acknowledged && found == stored),
            "round {round}: {found} rows, {stored} acknowledged before"
        );
        stored = found;
    }
    engine.stop().await;
    assert!(
        !directory.path().join("engine.json").exists(),
        "a clean end removes the file"
    );
}

#[tokio::test]
async fn a_directory_has_one_engine_and_a_second_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(config(directory.path())).await.unwrap();
    let second = Command::new(testing::program())
        .args(["engine", "serve", "--path"])
        .arg(directory.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success());
    assert!(
        said.contains(&format!("in use by the engine of process {}", engine.pid())),
        "{said}"
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_second_command_shares_the_engine_and_outlives_its_owner() {
    let directory = tempfile::tempdir().unwrap();
    let owner = Engine::start(config(directory.path())).await.unwrap();
    let guest = Engine::start(config(directory.path())).await.unwrap();
    assert_eq!(owner.pid(), guest.pid());
    let client = with_table(guest.endpoint()).await;
    insert(&client, (0..10).map(flow)).await;
    let first = owner.pid();
    owner.stop().await;

    until_it_answers(&guest, first).await; // the guest has started its own, at the same place
    assert_eq!(count(&client, "flows").await, 10);
    guest.stop().await;
}

#[tokio::test]
async fn the_file_that_tells_the_password_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::start(config(directory.path())).await.unwrap();
    let file = directory.path().join("engine.json");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let status = fetch::status(directory.path()).unwrap();
    assert_eq!(
        status.running,
        Some((engine.endpoint().url.clone(), engine.pid()))
    );
    assert!(status.bytes.is_some_and(|bytes| bytes > 100_000_000));
    engine.stop().await;
    assert_eq!(fetch::status(directory.path()).unwrap().running, None);
}

#[tokio::test]
async fn a_child_ends_with_its_parent_and_throws_its_directory_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("engine");
    let mut child = Command::new(testing::program())
        .args(["engine", "serve", "--throw-away", "--path"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn();
    // The flag stands behind the path: the other way round is a usage error.
    assert_eq!(child.as_mut().unwrap().wait().unwrap().code(), Some(2));

    let mut child = Command::new(testing::program())
        .args(["engine", "serve", "--path"])
        .arg(&path)
        .arg("--throw-away")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    while !path.join("engine.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it serves");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(child.stdin.take()); // what the kernel does when the parent dies
    assert!(child.wait().unwrap().success());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_missing_library_is_answered_with_the_command_that_fetches_it() {
    let directory = tempfile::tempdir().unwrap();
    let served = Command::new(testing::program())
        .args(["engine", "serve", "--path"])
        .arg(directory.path().join("engine"))
        .env("NOROSHI_ENGINE", directory.path().join("libchdb.so"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(served.stderr).unwrap();
    assert!(
        !served.status.success() && said.contains("run `noroshi engine fetch`"),
        "{said}"
    );

    std::fs::write(directory.path().join("libchdb.so"), "not a library").unwrap();
    let broken = Command::new(testing::program())
        .args(["engine", "serve", "--path"])
        .arg(directory.path().join("engine"))
        .env("NOROSHI_ENGINE", directory.path().join("libchdb.so"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(broken.stderr).unwrap();
    assert!(
        !broken.status.success() && said.contains("does not load"),
        "{said}"
    );
}

#[tokio::test]
async fn an_engine_that_cannot_start_says_its_last_words() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("clickhouse"),
        "a file where a directory belongs",
    )
    .unwrap();
    let error = Engine::start(config(directory.path()))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("clickhouse"), "{error}");
}

#[tokio::test]
async fn an_engine_that_dies_again_and_again_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    // Serves the first time and never again.
    let program = directory.path().join("program");
    let script = format!(
        "#!/bin/sh\nmkdir {0}/once && exec {1} \"$@\"\necho gone >&2; exit 1\n",
        directory.path().display(),
        testing::program().display()
    );
    std::fs::write(&program, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&program, executable).unwrap();
    let config = EngineConfig {
        path: directory.path().join("data"),
        program: Some(program),
    };
    let engine = Engine::start(config).await.unwrap();
    let still_there = tokio::time::timeout(Duration::from_millis(100), engine.lost()).await;
    assert!(still_there.is_err(), "an engine that serves is not lost");
    kill(engine.pid());
    let reason = tokio::time::timeout(Duration::from_secs(120), engine.lost()).await;
    let reason = reason.unwrap();
    assert!(reason.contains("8 times in a row"), "{reason}");
    engine.stop().await; // nothing is left to stop: it returns
}
