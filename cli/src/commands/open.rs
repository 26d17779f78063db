//! `jfrkit open`.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use jfrkit_server::{Id, Options, Server};

use super::serve::failure;
use crate::failure::Failure;
use crate::inputs::expand;
use crate::output::print_error;

/// Open recordings and profiles in the browser
#[derive(Debug, clap::Args)]
#[group(id = "open")]
#[command(after_help = "\
Examples:
  jfrkit open recording.jfr
  jfrkit open before.jfr after.jfr        both, to compare them

A local server on a free port shows them until Ctrl-C. Nothing is kept afterward, unless --dir is given.")]
pub(crate) struct Args {
    /// Recordings, pprof files, or directories to search for recordings
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Keep the profiles in this directory, for `jfrkit serve --dir`
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Print the address instead of opening a browser
    #[arg(long)]
    no_open: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let inputs = expand(&args.inputs);
    let unsearched = inputs.print_failures();
    let temporary = std::env::temp_dir().join(format!("jfrkit-open-{}", std::process::id()));
    let mut options = Options::default();
    options.dir = args.dir.clone().unwrap_or_else(|| temporary.clone());
    options.listen = vec!["127.0.0.1:0".to_owned()];
    // Keep everything that the user opens, whatever its size and age.
    options.keep = i64::MAX;
    options.keep_received = i64::MAX;
    options.max_bytes = u64::MAX;
    options.max_upload = u64::MAX;
    options.spool_max = u64::MAX;
    options.min_free = Some(0);
    options.trusted = true;
    let result = show(args, options, &inputs);
    if args.dir.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    result?;
    if unsearched { Err(Failure::Reported) } else { Ok(()) }
}

fn show(args: &Args, options: Options, inputs: &crate::inputs::Inputs) -> Result<(), Failure> {
    let server = Server::start(options, false).map_err(failure)?;
    let mut ids: Vec<Id> = Vec::new();
    for source in &inputs.sources {
        let name = source.name();
        let content = source.bytes().map_err(|error| Failure::Failed(format!("{name}: {error}")))?;
        let query = jfrkit_server::upload::query(&[("tag", &format!("file:{name}"))]);
        match server.insert(&content, &query) {
            Ok(id) => ids.push(id),
            Err(error) => print_error(&format!("{name}: {error}")),
        }
    }
    if ids.is_empty() {
        return Err(Failure::Reported);
    }
    let url = server.urls().first().cloned().unwrap_or_default();
    let address = match ids.as_slice() {
        [one] => format!("{url}/profiles/{one}"),
        _ => {
            let (from, to) = server.span(&ids);
            format!("{url}/profiles?from={from}&to={to}")
        }
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{address}")?;
    out.flush()?;
    drop(out);
    if !args.no_open {
        browse(&address);
    }
    server.run();
    Ok(())
}

/// Opens the browser, if there is one.
fn browse(address: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        // Without a display there is nothing to open.
        if std::env::var_os("DISPLAY").is_none() && std::env::var_os("WAYLAND_DISPLAY").is_none() {
            return;
        }
        "xdg-open"
    };
    let _ = Command::new(program).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}
