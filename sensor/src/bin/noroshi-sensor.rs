//! Watches unused address space and tells the centre who knocks.

use std::process::ExitCode;

fn main() -> ExitCode {
    noroshi_sensor::command::main()
}
