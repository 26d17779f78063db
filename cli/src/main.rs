//! The program `jfrkit`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(jfrkit::run(std::env::args_os()))
}
