//! What a server does with an upload: turns its bytes into profiles, findings and metrics while reading them only once.
//!
//! `cargo run --release --example intake -- rec.jfr`
//!
//! It uses the limits for untrusted uploads, stops the work after a minute, and does everything on threads that
//! the server reserves for it. Nothing remains afterward: no global state, no files.

use std::error::Error;
use std::time::Duration;

use jfr_analyzers::rule::{Analysis, AnalysisOptions};
use jfr_analyzers::{Options, Pass};
use jfr_parse::{Limits, OpenOptions, Stop};
use jfrkit_reports::{Entry, Format, Style};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Some(path) = std::env::args_os().nth(1) else { return Err("usage: intake RECORDING".into()) };
    let intake = Intake::new(2)?;
    let received = intake.receive(&std::fs::read(path)?)?;
    for (name, bytes) in &received.profiles {
        println!("{name}: {} bytes", bytes.len());
    }
    println!("findings: {} bytes", received.findings.len());
    println!("metrics: {} bytes", received.metrics.len());
    Ok(())
}

/// State shared by all uploads.
pub(crate) struct Intake {
    threads: rayon::ThreadPool,
    analysis: Analysis,
}

/// The result of an upload.
pub(crate) struct Received {
    /// Profiles by type, as `profile.proto`.
    pub(crate) profiles: Vec<(String, Vec<u8>)>,
    /// The findings as JSON.
    pub(crate) findings: Vec<u8>,
    /// The metrics as JSON.
    pub(crate) metrics: Vec<u8>,
}

impl Intake {
    pub(crate) fn new(threads: usize) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        Ok(Self { threads, analysis: jfrkit_rules::analysis() })
    }

    pub(crate) fn receive(&self, upload: &[u8]) -> Result<Received, Box<dyn Error + Send + Sync>> {
        self.threads.install(|| {
            let stop = Stop::after(Duration::from_secs(60));
            let recording = OpenOptions::new().limits(Limits::intake()).stop(stop.clone()).from_bytes(upload)?;
            let (mut options, mut judging) = (Options::default(), AnalysisOptions::default());
            (options.stop, judging.stop) = (stop.clone(), stop);
            let pass = Pass::new(&recording).profiles(&options).rules(&self.analysis, &judging).metrics(None);
            let output = pass.run()?;
            let mut received = Received { profiles: Vec::new(), findings: Vec::new(), metrics: Vec::new() };
            if let Some(set) = &output.profiles {
                for profile in &set.profiles {
                    let bytes = pprof_emit::to_bytes(profile, &set.tables, &pprof_emit::Options::default())?;
                    received.profiles.push((profile.kind.to_string(), bytes));
                }
            }
            if let Some(report) = &output.report {
                let entry = [Entry::new("upload", report)];
                Format::Json.write(&mut received.findings, &entry, &Style::default())?;
            }
            if let Some((metrics, _)) = &output.metrics {
                received.metrics = serde_json::to_vec(metrics)?;
            }
            Ok(received)
        })
    }
}
