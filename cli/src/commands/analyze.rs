//! `jfrkit analyze`.

use std::io::Write;

use jfr_analyzers::analysis::{Analysis, AnalysisError, AnalysisOptions, Report, Severity};

use crate::failure::Failure;
use crate::input;

/// Say what is wrong in a recording
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    input: input::Args,

    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Rules to run, by id; all without this
    #[arg(long, value_delimiter = ',')]
    rules: Vec<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let input = args.input.open()?;
    let mut options = AnalysisOptions::default();
    options.rules.clone_from(&args.rules);
    let report = Analysis::run(&input.recording, &options).map_err(|error| match error {
        AnalysisError::Read(error) => Failure::of(input.name, &error),
        error => Failure::Usage(error.to_string()),
    })?;
    let mut out = crate::output::stdout();
    match args.format {
        Format::Json => {
            serde_json::to_writer(&mut out, &report)?;
            writeln!(out)?;
        }
        Format::Text => text(&mut out, &report)?,
    }
    out.flush()?;
    for warning in &report.recording.warnings {
        input.losses.warn(warning);
    }
    input.losses.finish()
}

fn text(out: &mut impl Write, report: &Report) -> Result<(), Failure> {
    for outcome in report.worst_first(Severity::Info) {
        let verdict = &outcome.verdict;
        writeln!(out, "{:<8} {}: {}", verdict.severity.name(), outcome.rule.id, verdict.summary)?;
        for line in [&verdict.explanation, &verdict.remedy].into_iter().filter(|l| !l.is_empty()) {
            writeln!(out, "         {line}")?;
        }
    }
    let count = |severity| report.rules.iter().filter(|o| o.verdict.severity == severity).count();
    writeln!(out, "{} rules found nothing, {} do not apply", count(Severity::Ok), count(Severity::NotApplicable))?;
    Ok(())
}
