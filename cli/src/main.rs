//! The command `jfrkit`.

#![forbid(unsafe_code)]

mod args;
mod collecting;
mod commands;
mod event_filter;
mod failure;
mod input;
mod inputs;
mod interrupt;
mod limits;
mod near;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Failure;

fn main() -> ExitCode {
    let args = match args::Cli::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            output::complain("error", &one_line(&error));
            return ExitCode::from(2);
        }
        // Help and version.
        Err(shown) => return end(shown.print().map_err(Failure::from)),
    };
    // A server has something to wind down, and does so itself.
    if !commands::ends_by_itself(&args.command) {
        interrupt::watch();
    }
    // Where that fails, files are read instead of mapped.
    let _ = jfr_parse::guard_maps();
    end(commands::run(args.command))
}

/// Tells the user of a failure that nobody has told of.
fn end(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure @ (Failure::Told | Failure::ClosedPipe)) => failure.exit_code(),
        Err(failure) => {
            output::complain("error", &failure.to_string());
            failure.exit_code()
        }
    }
}

/// What is wrong with the arguments, without the drawing of them.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty() && !line.chars().all(|c| c == '^' || c == '~'))
        .collect();
    format!("{}; see --help", words.join(" "))
}
