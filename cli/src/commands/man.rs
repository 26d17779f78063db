//! `jfrkit man`.

use std::io::Write;

use clap::CommandFactory;

use crate::args::Cli;
use crate::failure::Failure;

/// Print the manual page of jfrkit or one of its commands
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit man > jfrkit.1
  jfrkit man print > jfrkit-print.1
  jfrkit man | man -l -")]
pub(crate) struct Args {
    /// Command to describe; by default jfrkit itself
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut root = Cli::command();
    root.build();
    let page = match &args.command {
        None => root,
        Some(name) => {
            let found = root.find_subcommand(name).cloned();
            let found = found.ok_or_else(|| Failure::Usage(format!("no command {name:?}; see jfrkit --help")))?;
            let title: &'static str = found.get_display_name().map_or("jfrkit", |n| n.to_owned().leak());
            found.name(title)
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    let mut out = crate::output::stdout();
    out.write_all(&text)?;
    Ok(out.flush()?)
}
