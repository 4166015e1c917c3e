//! The embedded engine alone, with the verbs that `noroshi` has for it: `engine fetch` and
//! `engine serve --path DIR [--throw-away]`. For tests of crates that do not have `noroshi`.

use std::path::PathBuf;
use std::process::ExitCode;

use noroshi_store::engine::EngineError;
use noroshi_store::engine::fetch::fetch;
use noroshi_store::engine::serve::{Keep, serve};

const USAGE: &str = "usage: noroshi-engine engine fetch
       noroshi-engine engine serve --path DIR [--throw-away]";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(|word| word.to_str()).collect();
    let outcome = match arguments.as_slice() {
        [Some("engine"), Some("fetch")] => fetched(),
        [Some("engine"), Some("serve"), Some("--path"), Some(path)] => {
            serve(PathBuf::from(path), Keep::Lasting).await
        }
        [
            Some("engine"),
            Some("serve"),
            Some("--path"),
            Some(path),
            Some("--throw-away"),
        ] => serve(PathBuf::from(path), Keep::ThrowAway).await,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn fetched() -> Result<(), EngineError> {
    println!("{}", fetch()?.display());
    Ok(())
}
