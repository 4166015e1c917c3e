//! Databases for tests: the real engine, one per test process, one database per test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Endpoint, Engine};

/// An empty database with a name of its own, on the engine of this test process. The engine and
/// all that is in it go when the process ends.
///
/// # Panics
/// When the engine does not come up, with the command that helps: a test without its engine
/// fails, it never passes silently.
pub async fn database() -> Endpoint {
    let starting = tokio::task::spawn_blocking(|| ENGINE.get_or_init(start).clone());
    let engine = match starting.await {
        Ok(Ok(engine)) => engine,
        Ok(Err(error)) => panic!("{error}"),
        Err(error) => panic!("the engine's thread: {error}"),
    };
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let created = engine.client().query(&format!("CREATE DATABASE {name}"));
    if let Err(error) = created.execute().await {
        panic!("a database for the test: {error}");
    }
    engine.with_database(name)
}

/// The program that serves engines for tests, built where it is missing.
///
/// # Panics
/// When it can be neither found nor built.
pub fn program() -> PathBuf {
    if let Ok(program) = super::supervise::program(None) {
        return program;
    }
    build();
    match super::supervise::program(None) {
        Ok(program) => program,
        Err(error) => panic!("{error}"),
    }
}

static ENGINE: OnceLock<Result<Endpoint, String>> = OnceLock::new();

/// Starts the engine on a thread that lives as long as the process: every test has a runtime of
/// its own, which ends with it.
fn start() -> Result<Endpoint, String> {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let program = program();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.unwrap_or_else(|error| panic!("a runtime for the engine: {error}"));
        runtime.block_on(async move {
            let engine = match Engine::throw_away(Some(program)).await {
                Ok(engine) => engine,
                Err(error) => return drop(tell.send(Err(error.to_string()))),
            };
            let _ = tell.send(Ok(engine.endpoint().clone())); // the test waits for it
            let reason = engine.lost().await;
            eprintln!("the engine of the tests is lost: {reason}");
        });
    });
    told.recv().unwrap_or_else(|error| Err(error.to_string()))
}

/// Builds `noroshi-engine` into the directory that this test comes from.
#[allow(
    clippy::disallowed_methods,
    reason = "cargo tells tests by the environment where it is"
)]
fn build() {
    let this = std::env::current_exe().unwrap_or_default();
    let (Ok(cargo), Some(profile)) = (std::env::var("CARGO"), this.ancestors().nth(2)) else {
        return;
    };
    let Some(target) = profile.parent() else {
        return;
    };
    let name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--package",
            "noroshi-store",
            "--bin",
            "noroshi-engine",
        ])
        .args(["--profile", name, "--target-dir"])
        .arg(target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("cargo build -p noroshi-store --bin noroshi-engine failed");
    }
}
