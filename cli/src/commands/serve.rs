//! `jfrkit serve`.

use std::io::Write;
use std::path::{Path, PathBuf};

use jfrkit_server::{Options, ServeError, Server};

use crate::failure::Failure;

/// Run a server that receives, stores and shows profiles
#[derive(Debug, clap::Args)]
#[group(id = "serve")]
#[command(after_help = "\
Examples:
  jfrkit serve                                              on 127.0.0.1:8126, where Datadog tracers look for an agent
  jfrkit serve --dir /var/lib/jfrkit --keep 14d --max-bytes 100GiB
  jfrkit serve --listen 127.0.0.1:8126 --listen 127.0.0.1:4040      also where Pyroscope clients look
  jfrkit serve --listen 0.0.0.0:8126 --intake-key keys.txt --page-token tokens.txt
  jfrkit serve --check --dir /var/lib/jfrkit                verify store and index

All options can be set in DIR/jfrkit.toml under the same names; its [rules] section works as in `jfrkit analyze`. \
docs/serve.md has a section for each client.")]
pub(crate) struct Args {
    /// Data directory, created if necessary; for one server at a time [default: jfrkit-data]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Address to listen on, host:port or unix:PATH; repeatable [default: 127.0.0.1:8126]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,

    /// Settings file [default: DIR/jfrkit.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// File with upload keys, one per line, in plain text or as sha256:HEX
    #[arg(long, value_name = "FILE")]
    intake_key: Option<String>,

    /// File with tokens for page and API, in the same format
    #[arg(long, value_name = "FILE")]
    page_token: Option<String>,

    /// How long to keep profiles [default: 30d]
    #[arg(long, value_name = "AGE")]
    keep: Option<String>,

    /// How long to keep the received files [default: 3d]
    #[arg(long, value_name = "AGE")]
    keep_received: Option<String>,

    /// Maximum size of the store [default: 50GiB]
    #[arg(long, value_name = "SIZE")]
    max_bytes: Option<String>,

    /// Maximum size of one upload [default: 128MiB]
    #[arg(long, value_name = "SIZE")]
    max_upload: Option<String>,

    /// Maximum number of concurrent uploads; more wait for up to 8 s [default: 64]
    #[arg(long, value_name = "N")]
    uploads: Option<String>,

    /// Maximum size of the processing queue [default: 4GiB]
    #[arg(long, value_name = "SIZE")]
    spool_max: Option<String>,

    /// Number of worker threads [default: one per core]
    #[arg(long, value_name = "N")]
    workers: Option<String>,

    /// Size of the in-memory cache of decoded profiles [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    cache: Option<String>,

    /// Forward Datadog uploads unchanged to this agent or intake
    #[arg(long, value_name = "URL")]
    forward: Option<String>,

    /// Maximum size of the forwarding queue [default: 1GiB]
    #[arg(long, value_name = "SIZE", requires = "forward")]
    forward_max: Option<String>,

    /// Only forward uploads, without storing profiles
    #[arg(long, requires = "forward")]
    forward_only: bool,

    /// Minimum free disk space; below it, uploads are rejected with 503 [default: 5 %, at least 1GiB]
    #[arg(long, value_name = "SIZE")]
    min_free: Option<String>,

    /// Serve the page only: reject uploads and changes
    #[arg(long)]
    read_only: bool,

    /// Fill an empty store with sample data of a small fleet over the last hour
    #[arg(long)]
    demo: bool,

    /// Allow listening on non-loopback addresses without keys and tokens
    #[arg(long)]
    insecure: bool,

    /// Additional host name of the page; repeatable
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// Network that may upload without a key, for example 10.0.0.0/8; repeatable
    #[arg(long, value_name = "CIDR")]
    allow_from: Vec<String>,

    /// Do not offer received files for download: they contain arguments and environment variables
    #[arg(long)]
    no_received_download: bool,

    /// Trust X-Forwarded-For and X-Forwarded-Proto from a proxy
    #[arg(long)]
    trust_proxy: bool,

    /// Log format: text or json
    #[arg(long, value_name = "FORM")]
    log_format: Option<String>,

    /// Rebuild the index from the store, then serve
    #[arg(long)]
    reindex: bool,

    /// Compare store and index, print the differences, and exit
    #[arg(long, conflicts_with = "reindex")]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let options = args.options()?;
    if args.check {
        return check(&options.dir);
    }
    jfrkit_server::log(options.log_json);
    let server = Server::start(options, args.reindex).map_err(failure)?;
    let mut out = std::io::stdout().lock();
    for url in server.urls() {
        writeln!(out, "{url}")?;
    }
    out.flush()?;
    drop(out);
    server.run();
    Ok(())
}

pub(super) fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Usage(reason) => Failure::Usage(reason),
        error => Failure::Failed(error.to_string()),
    }
}

fn check(dir: &Path) -> Result<(), Failure> {
    let differences = jfrkit_server::check(dir).map_err(failure)?;
    let mut out = std::io::stdout().lock();
    for line in &differences {
        writeln!(out, "{}", jfr_parse::text::plain(line))?;
    }
    match differences.len() {
        0 => Ok(writeln!(out, "store and index agree")?),
        1 => Err(Failure::Failed("1 difference".to_owned())),
        n => Err(Failure::Failed(format!("{n} differences"))),
    }
}

impl Args {
    fn options(&self) -> Result<Options, Failure> {
        let mut options = Options::default();
        let dir = self.dir.clone().unwrap_or_else(|| options.dir.clone());
        let config = self.config.clone().unwrap_or_else(|| dir.join("jfrkit.toml"));
        match std::fs::read_to_string(&config) {
            Ok(text) => options
                .read_config(&text)
                .map_err(|reason| Failure::Usage(format!("{}: {reason}", config.display())))?,
            Err(error) if self.config.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::Usage(format!("{}: {error}", config.display()))),
        }
        if let Some(dir) = &self.dir {
            options.dir.clone_from(dir);
        }
        if !self.listen.is_empty() {
            options.listen.clear();
        }
        let texts = [
            ("intake-key", &self.intake_key),
            ("page-token", &self.page_token),
            ("keep", &self.keep),
            ("keep-received", &self.keep_received),
            ("max-bytes", &self.max_bytes),
            ("max-upload", &self.max_upload),
            ("uploads", &self.uploads),
            ("spool-max", &self.spool_max),
            ("workers", &self.workers),
            ("cache", &self.cache),
            ("forward", &self.forward),
            ("forward-max", &self.forward_max),
            ("min-free", &self.min_free),
            ("log-format", &self.log_format),
        ];
        let lists = [("listen", &self.listen), ("allow-host", &self.allow_host), ("allow-from", &self.allow_from)];
        let flags = [
            ("forward-only", self.forward_only),
            ("read-only", self.read_only),
            ("demo", self.demo),
            ("insecure", self.insecure),
            ("no-received-download", self.no_received_download),
            ("trust-proxy", self.trust_proxy),
        ];
        let mut set = |name: &str, value: &str| {
            options.set(name, value).map_err(|reason| Failure::Usage(format!("--{name}: {reason}")))
        };
        for (name, value) in texts {
            if let Some(value) = value {
                set(name, value)?;
            }
        }
        for (name, values) in lists {
            for value in values {
                set(name, value)?;
            }
        }
        for (name, _) in flags.into_iter().filter(|(_, is)| *is) {
            set(name, "true")?;
        }
        Ok(options)
    }
}
