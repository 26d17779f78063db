//! From inputs to profiles.

use indicatif::ProgressBar;
use jfr_analyzers::{LabelKey, Progress, collect_merged};
use jfr_parse::{Error, OpenOptions, Recording, Stop};
use jfrkit_profile::ProfileSet;
use rayon::prelude::*;

use super::Args;
use crate::failure::Failure;
use crate::inputs::Source;

/// What to write from recordings: a set of profiles, the recordings, and a handle to stop writing early.
pub(super) struct Collected {
    pub(super) set: ProfileSet,
    pub(super) recordings: Vec<Recording<'static>>,
    pub(super) stop: Stop,
}

/// Opens all recordings that can be opened; the reasons for the others go to `failures`.
pub(super) fn open<'s>(
    sources: &'s [Source],
    opening: &OpenOptions,
    failures: &mut Vec<String>,
) -> Vec<(&'s Source, Recording<'static>)> {
    let mut opened = Vec::new();
    let all: Vec<_> = sources.par_iter().map(|source| (source, source.open(opening))).collect();
    for (source, recording) in all {
        match recording {
            Ok(recording) => opened.push((source, recording)),
            Err(e) => failures.push(Failure::of(&source.name(), &e).to_string()),
        }
    }
    opened
}

/// Collects a set of profiles from all readable recordings; the reasons for the others go to `failures`.
pub(super) fn collect(
    args: &Args,
    name: &str,
    mut opened: Vec<(&Source, Recording<'static>)>,
    bar: &ProgressBar,
    failures: &mut Vec<String>,
) -> Option<Collected> {
    let mut failed = |failure: Failure| failures.push(failure.to_string());
    let of = |name: &str, error: &Error| Failure::of(name, error);
    while !opened.is_empty() {
        let recordings: Vec<&Recording<'_>> = opened.iter().map(|(_, recording)| recording).collect();
        let mut options = match args.collecting.options(name, &args.kinds(), &recordings) {
            Ok(options) => options,
            Err(failure) => {
                failed(failure);
                return None;
            }
        };
        args.format.prepare(args.evented, &mut options);
        if args.class_frames && !options.labels.contains(&LabelKey::Class) {
            options.labels.push(LabelKey::Class);
        }
        if !bar.is_hidden() {
            let bar = bar.clone();
            options.progress = Progress::new(move |bytes| bar.inc(bytes));
        }
        let error = match collect_merged(&recordings, &options) {
            Ok(set) => {
                let stop = recordings.first().map(|r| r.stop().clone()).unwrap_or_default();
                let recordings = opened.into_iter().map(|(_, recording)| recording).collect();
                return Some(Collected { set, recordings, stop });
            }
            Err(error) => error,
        };
        // A recording that changed while it was read spoils the merged result. Drop it and try again with the others.
        let before = opened.len();
        opened.retain(|(source, recording)| {
            let changed = recording.check_unchanged();
            changed.map_err(|e| failed(of(&source.name(), &e))).is_ok()
        });
        if opened.len() == before {
            failed(of(name, &error));
            return None;
        }
    }
    None
}
