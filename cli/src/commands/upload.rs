//! `jfrkit upload`.

use std::io::Write;
use std::path::PathBuf;

use jfr_parse::text::plain;
use jfrkit_server::upload::{Target, file_tag, query};

use crate::failure::Failure;
use crate::output::print_error;

/// Send recordings and pprof files to a server
#[derive(Debug, clap::Args)]
#[group(id = "upload")]
#[command(after_help = "\
Examples:
  jfrkit upload recording.jfr --service shop --env prod
  jfrkit upload --wait --fail-on warning --service shop --tag commit:abc123 load-test.jfr
  JFRKIT_KEY=… jfrkit upload --url https://profiles.example.com recording.jfr

Exit status: as for the other commands, and 3 if --fail-on matches.")]
pub(crate) struct Args {
    /// Recordings or pprof files, optionally compressed
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Service name; by default the main class of the recording, or else the name of the file
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,

    /// Version of the service
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// Host
    #[arg(long, value_name = "NAME")]
    host: Option<String>,

    /// A tag, key:value; repeatable
    #[arg(long = "tag", value_name = "K:V", value_parser = tag)]
    tags: Vec<String>,

    /// Address of the server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8126")]
    url: String,

    /// File with the upload key, or with a page token, which --wait needs; by default the environment variable JFRKIT_KEY
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Wait until the profile is processed, then print its address and findings
    #[arg(long)]
    wait: bool,

    /// Exit with status 3 if there is a finding of this severity or higher
    #[arg(long, value_enum, value_name = "SEVERITY", requires = "wait")]
    fail_on: Option<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    Info,
    Warning,
}

fn tag(text: &str) -> Result<String, String> {
    match text.split_once(':') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok(text.to_owned()),
        _ => Err("expected key:value".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let key = match &args.key {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).map_err(|e| Failure::Failed(format!("{}: {e}", file.display())))?;
            Some(text.trim().to_owned())
        }
        None => std::env::var("JFRKIT_KEY").ok().filter(|key| !key.is_empty()),
    };
    let target = Target { url: args.url.trim_end_matches('/').to_owned(), key };
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let named = [("service", &args.service), ("env", &args.env), ("version", &args.version), ("host", &args.host)];
    pairs.extend(named.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    pairs.extend(args.tags.iter().map(|tag| ("tag", tag.as_str())));
    let (mut failed, mut met) = (false, 0usize);
    let mut out = std::io::stdout().lock();
    for file in &args.files {
        if file.is_dir() {
            print_error(&format!("{}: is a directory; name the files in it", file.display()));
            failed = true;
            continue;
        }
        // The last value of a tag wins, so --tag file:… replaces this one.
        let own = file_tag(file);
        let pairs: Vec<(&str, &str)> =
            own.iter().map(|tag| ("tag", tag.as_str())).chain(pairs.iter().copied()).collect();
        let uploaded = match target.send(file, &query(&pairs), args.wait) {
            Ok(uploaded) => uploaded,
            Err(reason) => {
                print_error(&reason);
                failed = true;
                continue;
            }
        };
        writeln!(out, "{}/profiles/{}", target.url, uploaded.id)?;
        if uploaded.status == "failed" {
            let reason = uploaded.reason.unwrap_or_default();
            print_error(&format!("{}: cannot be read: {}", file.display(), plain(&reason)));
            failed = true;
        }
        for (severity, rule, cost) in &uploaded.findings {
            let cost = cost.map_or_else(String::new, |share| format!("  {:.1} %", share * 100.0));
            writeln!(out, "  {severity:<8} {}{cost}", plain(rule))?;
            let least = args.fail_on;
            met += usize::from(
                severity == "warning" && least.is_some() || severity == "info" && least == Some(FailOn::Info),
            );
        }
    }
    out.flush()?;
    match (failed, met) {
        (true, _) => Err(Failure::Reported),
        (_, 0) => Ok(()),
        (_, 1) => Err(Failure::Found("1 finding meets --fail-on".to_owned())),
        (_, n) => Err(Failure::Found(format!("{n} findings meet --fail-on"))),
    }
}
