//! `jfrkit info`.

use std::ffi::OsString;
use std::io::Write;

use jfr_analyzers::runtime::{Options, Runtime};
use jfr_parse::Recording;

use crate::failure::Failure;
use crate::input::each;
use crate::limits;
use crate::output::{warn, zone};

/// Show runtime information: JVM, machine, flags, arguments, properties, recording settings
#[derive(Debug, clap::Args)]
#[group(id = "info")]
#[command(after_help = "\
Examples:
  jfrkit info recording.jfr                                         everything, by section
  jfrkit info recording.jfr --section flags-changed,heap,missing
  jfrkit info --format json recording.jfr | jq '.sections[] | select(.name == \"properties\")'

Sections: process, jvm, os, cpu, container, memory, heap, flags-changed, arguments, agents, profiler, settings, missing, \
properties, environment, modules, flags. For recordings with several chunks, the last value is shown, together with earlier values if it changed. \
Values that look like secrets are masked. The JSON is one object per line and input: file, overview, sections (name, title, \
entries: name, value, origin of flags, earlier values).")]
pub(crate) struct Args {
    /// Recordings, directories to search for recordings, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Only these sections
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    section: Vec<String>,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Show passwords, tokens and keys instead of masking them
    #[arg(long)]
    show_secrets: bool,

    /// Fail with status 1 if any data is lost, instead of printing a warning
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    limits: limits::Args,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Human-readable text
    Text,
    /// One object per line
    Json,
}

/// The information about one input, with its name.
#[derive(serde::Serialize)]
struct Of<'a> {
    file: &'a str,
    #[serde(flatten)]
    runtime: &'a Runtime,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut out = crate::output::stdout();
    let done = each(&args.inputs, &args.limits, |source, recording, many| {
        args.one(&source.name(), &recording, many, &mut out)
    });
    out.flush()?;
    done
}

impl Args {
    fn one(&self, name: &str, recording: &Recording<'_>, many: bool, out: &mut impl Write) -> Result<(), Failure> {
        let summary = jfr_analyzers::Summary::of(recording).map_err(|e| Failure::of(name, &e))?;
        let options = Options::default().with_secrets(self.show_secrets);
        let options = if self.format == Format::Json { options } else { options.in_zone(zone()) };
        let mut runtime = Runtime::with(recording, &summary, options).map_err(|e| Failure::of(name, &e))?;
        if let Some(unknown) = self.section.iter().find(|wanted| runtime.section(wanted).is_none()) {
            let known: Vec<&str> = runtime.sections.iter().map(|section| section.name).collect();
            return Err(Failure::Usage(format!(
                "no such section: \"{unknown}\"; expected one of {}",
                known.join(", ")
            )));
        }
        if !self.section.is_empty() {
            runtime.sections.retain(|section| self.section.iter().any(|wanted| wanted == section.name));
        }
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut *out, &Of { file: name, runtime: &runtime })?;
                writeln!(out)?;
            }
            Format::Text => {
                if many {
                    writeln!(out, "# {}\n", jfr_parse::text::plain(name))?;
                }
                writeln!(out, "{}", runtime.text().trim_end())?;
                if many {
                    writeln!(out)?;
                }
            }
        }
        for warning in &summary.warnings {
            warn(name, warning);
        }
        if self.strict && !summary.warnings.is_empty() {
            return Err(Failure::lossy(name));
        }
        Ok(())
    }
}
