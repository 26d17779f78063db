//! From inputs to profiles.

use indicatif::ProgressBar;
use jfr_analyzers::{Progress, collect_merged};
use jfr_parse::{Error, OpenOptions, Recording, Stop};
use jfrkit_profile::ProfileSet;
use rayon::prelude::*;

use super::Args;
use crate::failure::Failure;
use crate::inputs::Source;

/// Collects one set of profiles out of all inputs that can be read, with what ends writing it early. Why others cannot
/// be read goes to `failures`.
pub(super) fn collect(
    args: &Args,
    name: &str,
    sources: &[Source],
    opening: &OpenOptions,
    bar: &ProgressBar,
    failures: &mut Vec<String>,
) -> Option<(ProfileSet, Stop)> {
    let mut failed = |failure: Failure| failures.push(failure.to_string());
    let of = |name: &str, error: &Error| Failure::of(name, error);
    let mut opened: Vec<(&Source, Recording<'static>)> = Vec::new();
    let all: Vec<_> = sources.par_iter().map(|source| (source, source.open(opening))).collect();
    for (source, recording) in all {
        match recording {
            Ok(recording) => opened.push((source, recording)),
            Err(e) => failed(of(&source.name(), &e)),
        }
    }
    while !opened.is_empty() {
        let recordings: Vec<&Recording<'_>> = opened.iter().map(|(_, recording)| recording).collect();
        let mut options = match args.collecting.options(name, &args.types, &recordings) {
            Ok(options) => options,
            Err(failure) => {
                failed(failure);
                return None;
            }
        };
        if !bar.is_hidden() {
            let bar = bar.clone();
            options.progress = Progress::new(move |bytes| bar.inc(bytes));
        }
        let error = match collect_merged(&recordings, &options) {
            Ok(set) => return Some((set, recordings.first().map(|r| r.stop().clone()).unwrap_or_default())),
            Err(error) => error,
        };
        // One that was changed under way spoils the whole; without it the others are as good as ever.
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
