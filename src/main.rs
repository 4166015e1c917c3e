//! The centre's command line: `noroshi`.
//!
//! | module        | does                                                           |
//! |---------------|----------------------------------------------------------------|
//! | [`arguments`] | what may be written on the command line                        |
//! | [`command`]   | one file per verb                                              |
//! | [`config`]    | what the configuration and the registry say                    |
//! | [`site`]      | the store a command works on                                   |
//! | [`text`]      | alerts as a person reads them in a terminal                    |
//! | [`traces`]    | what the roles tell an OpenTelemetry collector                 |
//! | [`failure`]   | how a command ends, as an exit code                            |

use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;

mod arguments;
mod command;
mod config;
mod failure;
mod site;
mod text;
mod traces;

/// It gives memory back within seconds, whichever thread took it (docs/decisions/0020).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let level = match arguments.verbose {
        0 => "warn",
        1 => "info,noroshi=debug",
        _ => "debug",
    };
    match command::run(arguments.verb, level) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}
