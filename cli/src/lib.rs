//! The command `jfrkit` as a function: [`run`]. The program `jfrkit` calls it.
//!
//! Arguments, input and output files, messages and the exit status belong here; computing a result belongs in the other
//! crates. Each command is a file in `commands/`. Options and steps that commands share are next to this file:
//! `inputs.rs` finds files, `profiles.rs` loads them, `collecting.rs` and `limits.rs` have options, `output.rs` prints,
//! `failure.rs` has the exit status. Start with `args.rs`, then `commands/metadata.rs`, a short command.

#![deny(unsafe_code)]

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
mod pprof_filter;
mod profiles;
mod version;
mod zone;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use crate::failure::Failure;

/// Runs the command line and returns the exit status; the first argument is the program name.
///
/// It handles signals and maps recordings for the whole process, so a program that does anything else should use the
/// libraries instead.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if version::is_wanted(args.iter().skip(1).cloned()) {
        return end(version::print());
    }
    let args = match args::Cli::try_parse_from(args) {
        Ok(args) => args,
        // Without arguments, print the short help.
        Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return end(args::Cli::command().print_help().map_err(Failure::from));
        }
        Err(error) if error.use_stderr() => {
            output::print_error(&one_line(&error));
            return 2;
        }
        // Help and version.
        Err(shown) => return end(shown.print().map_err(Failure::from)),
    };
    if let Err(failure) = args.output.take_effect() {
        return end(Err(failure));
    }
    // A server has to shut down cleanly, and handles signals itself.
    if !commands::ends_by_itself(&args.command) {
        interrupt::watch();
    }
    map_files();
    end(commands::run(args.command))
}

/// Enables mapping of recordings; if that fails, they are read into memory.
#[expect(unsafe_code, reason = "the one place that takes on the contract of maps")]
fn map_files() {
    // SAFETY: a finished recording is at most truncated, replaced or removed, which the handler covers. Overwriting one in place
    // while this command reads it breaks the contract. SECURITY.md documents that, and `check_unchanged` detects it and
    // discards the results. The command has no other privileges than its user, and files that look as if they were still being
    // written are never mapped.
    let _ = unsafe { jfr_parse::guard_maps() };
}

/// Reports a failure that has not been reported yet.
fn end(done: Result<(), Failure>) -> u8 {
    output::print_warnings();
    match done {
        Ok(()) => 0,
        Err(failure @ (Failure::Reported | Failure::ClosedPipe)) => failure.status(),
        Err(failure) => {
            output::print_error(&failure.to_string());
            failure.status()
        }
    }
}

/// The error about the arguments as one line, without clap's layout.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty() && !line.chars().all(|c| c == '^' || c == '~'))
        .collect();
    // clap prints the tip on a separate line.
    let text = words.join(" ").replace(" tip: ", "; ");
    format!("{text}; see --help")
}
