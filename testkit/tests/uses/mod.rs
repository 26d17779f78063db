//! What a pipeline does with an uploaded recording.
#![allow(dead_code, unreachable_pub)]

use jfr_analyzers::rule::AnalysisOptions;
use jfr_analyzers::{LabelKey, Options, Summary, collect};
use jfr_parse::{Error, Recording, Stop};
use pprof_emit::{CollapsedOptions, write_collapsed, write_pprof};

pub struct Use {
    pub name: &'static str,
    run: fn(&Recording<'_>, &Stop) -> Result<(), Error>,
}

impl Use {
    /// Runs it; it may fail.
    pub fn run(&self, recording: &Recording<'_>) {
        let _ = (self.run)(recording, &Stop::new());
    }

    /// Runs it until it is stopped.
    pub fn run_until(&self, recording: &Recording<'_>, stop: &Stop) -> Result<(), Error> {
        (self.run)(recording, stop)
    }
}

pub const USES: &[Use] = &[
    Use { name: "conversion", run: |recording, stop| convert(recording, Vec::new(), stop) },
    Use { name: "conversion with labels", run: |recording, stop| convert(recording, LabelKey::ALL.to_vec(), stop) },
    Use {
        name: "analysis",
        run: |recording, stop| {
            let mut options = AnalysisOptions::default();
            options.stop = stop.clone();
            match jfrkit_rules::analysis().evaluate(recording, &options) {
                Err(jfr_analyzers::rule::AnalysisError::Read(error)) => Err(error),
                _ => Ok(()),
            }
        },
    },
    Use { name: "summary", run: |recording, _| Summary::of(recording).map(|_| ()) },
];

/// Collects all profiles and writes them.
fn convert(recording: &Recording<'_>, labels: Vec<LabelKey>, stop: &Stop) -> Result<(), Error> {
    let mut options = Options::default();
    options.labels = labels;
    options.stop = stop.clone();
    let set = collect(recording, &options)?;
    for profile in &set.profiles {
        let options = pprof_emit::Options { cancel: cancel(stop), ..Default::default() };
        write_pprof(profile, &set.tables, std::io::sink(), &options).map_err(Error::Read)?;
        let options = CollapsedOptions { cancel: cancel(stop), ..Default::default() };
        write_collapsed(profile, &set.tables, std::io::sink(), &options).map_err(Error::Read)?;
    }
    Ok(())
}

/// Converts the stop of a recording for crates that know nothing about recordings.
fn cancel(stop: &Stop) -> jfrkit_profile::Cancel {
    let stop = stop.clone();
    jfrkit_profile::Cancel::when(move || stop.is_raised())
}
