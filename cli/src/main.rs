//! The command `jfrkit`.

mod args;
mod collecting;
mod commands;
mod event_filter;
mod failure;
mod input;
mod inputs;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Cli::parse();
    match commands::run(args.command) {
        Ok(()) | Err(failure::Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(failure @ failure::Failure::Told) => failure.exit_code(),
        Err(failure) => {
            output::complain("error", &failure.to_string());
            failure.exit_code()
        }
    }
}
