//! The command line. Help, man pages and completions are all generated from here.

use clap::{Parser, Subcommand};

#[cfg(feature = "tables")]
use crate::commands::export;
use crate::commands::{
    analyze, completions, convert, diff, flame, heatmap, info, man, metadata, metrics, print, report, summary, top,
    view,
};
#[cfg(feature = "serve")]
use crate::commands::{open, serve, upload};

/// Reads JDK Flight Recorder recordings.
///
/// An INPUT is a recording, optionally compressed with gzip, zip, LZ4 or zstd, or `-` for standard input. Damaged
/// recordings are read as far as possible; lost data is reported on standard error.
///
/// Exit status: 0 success, possibly with warnings; 1 failure, or data was lost and --strict is set; 2 usage error;
/// 3 --fail-on or --fail-on-regression matched; 130 after Ctrl-C and 143 after SIGTERM, when no partial files remain.
#[derive(Debug, Parser)]
#[command(name = "jfrkit", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) output: crate::output::Args,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Analyze(analyze::Args),
    Convert(convert::Args),
    Top(top::Args),
    Flame(flame::Args),
    Diff(diff::Args),
    Heatmap(heatmap::Args),
    Report(report::Args),
    View(view::Args),
    #[cfg(feature = "tables")]
    Export(export::Args),
    Info(info::Args),
    Metrics(metrics::Args),
    Summary(summary::Args),
    Print(print::Args),
    Metadata(metadata::Args),
    #[cfg(feature = "serve")]
    Serve(Box<serve::Args>),
    #[cfg(feature = "serve")]
    Upload(upload::Args),
    #[cfg(feature = "serve")]
    Open(open::Args),
    Completions(completions::Args),
    Man(man::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definitions_agree() {
        super::Cli::command().debug_assert();
    }
}
