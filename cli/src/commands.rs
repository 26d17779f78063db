//! The subcommands, one file each: `Args` has the options and the help, `run` does the work.
//!
//! `analyze` and `convert` also have a folder of the same name. What commands share belongs next to `commands.rs`, and
//! computing a result in the other crates, where the server and Python find it too. Open `metadata.rs` first, the model
//! for new commands.

pub(crate) mod analyze;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod diff;
#[cfg(feature = "tables")]
pub(crate) mod export;
pub(crate) mod flame;
pub(crate) mod heatmap;
pub(crate) mod info;
pub(crate) mod man;
pub(crate) mod metadata;
pub(crate) mod metrics;
#[cfg(feature = "serve")]
pub(crate) mod open;
pub(crate) mod print;
pub(crate) mod report;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod summary;
pub(crate) mod top;
#[cfg(feature = "serve")]
pub(crate) mod upload;
pub(crate) mod view;

use crate::args::Command;
use crate::failure::Failure;

/// Runs a subcommand.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Analyze(args) => analyze::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Flame(args) => flame::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Heatmap(args) => heatmap::run(&args),
        Command::Report(args) => report::run(&args),
        #[cfg(feature = "tables")]
        Command::Export(args) => export::run(&args),
        Command::View(args) => view::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Metrics(args) => metrics::run(&args),
        Command::Summary(args) => summary::run(&args),
        Command::Print(args) => print::run(&args),
        Command::Metadata(args) => metadata::run(&args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args),
        #[cfg(feature = "serve")]
        Command::Upload(args) => upload::run(&args),
        #[cfg(feature = "serve")]
        Command::Open(args) => open::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// Whether the command handles signals itself.
pub(crate) fn ends_by_itself(command: &Command) -> bool {
    match command {
        #[cfg(feature = "serve")]
        Command::Serve(_) | Command::Open(_) => true,
        _ => false,
    }
}
