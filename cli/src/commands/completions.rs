//! `jfrkit completions`.

use std::io::Write;

use clap::CommandFactory;

use crate::args::Cli;
use crate::failure::Failure;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jfrkit completions bash > ~/.local/share/bash-completion/completions/jfrkit
  jfrkit completions zsh > \"${fpath[1]}/_jfrkit\"
  jfrkit completions fish > ~/.config/fish/completions/jfrkit.fish")]
pub(crate) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "jfrkit", &mut script);
    let mut out = crate::output::stdout();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
