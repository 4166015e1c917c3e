//! `noroshi engine fetch|status|serve`: the embedded ClickHouse engine.

use std::path::{Path, PathBuf};

use noroshi_store::engine::fetch;
use noroshi_store::engine::serve::{Keep, serve};

use crate::arguments::Engine;
use crate::failure::Failure;

pub fn run(verb: Engine) -> Result<(), Failure> {
    match verb {
        Engine::Fetch => {
            let library = fetch::fetch()?;
            println!("engine {} is at {}", fetch::VERSION, library.display());
            Ok(())
        }
        Engine::Status { path } => status(&path),
        Engine::Serve { path, throw_away } => {
            let keep = if throw_away {
                Keep::ThrowAway
            } else {
                Keep::Lasting
            };
            serve_until_told(path, keep)
        }
    }
}

#[tokio::main]
async fn serve_until_told(path: PathBuf, keep: Keep) -> Result<(), Failure> {
    Ok(serve(path, keep).await?)
}

fn status(path: &Path) -> Result<(), Failure> {
    let status = fetch::status(path)?;
    match status.bytes {
        Some(bytes) => {
            let mebibytes = bytes / (1024 * 1024);
            println!(
                "engine {}  {} ({mebibytes} MiB)",
                status.version,
                status.library.display()
            );
        }
        None => println!(
            "engine {}  missing: run `noroshi engine fetch`",
            status.version
        ),
    }
    match status.running {
        Some((url, pid)) => println!(
            "store  {}  served at {url} by process {pid}",
            path.display()
        ),
        None => println!("store  {}  no engine serves it", path.display()),
    }
    Ok(())
}
