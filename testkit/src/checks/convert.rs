//! Checks of conversion from end to end.

use jfr_analyzers::{LabelKey, Options, Summary, collect};
use jfr_parse::Recording;
use jfrkit_profile::tree::{By, CallStacks, View, table};
use jfrkit_profile::{Cancel, ProfileSet};
use pprof_emit::{CollapsedOptions, Packing, read, to_bytes, write_collapsed};

/// Collects all profiles of a recording with all labels and writes them in every format; the output must be
/// readable and valid.
pub fn convert(bytes: &[u8]) {
    let Some(recording) = super::open(bytes) else { return };
    let _ = Summary::of(&recording);
    let Some((set, _)) = collected(&recording) else { return };
    for profile in &set.profiles {
        write_collapsed(profile, &set.tables, std::io::sink(), &CollapsedOptions::default())
            .expect("a sink never fails");
        let stacks = CallStacks::of(profile, &set.tables);
        for by in ["function", "line", "thread"].into_iter().filter_map(By::parse) {
            let rows = table(&stacks, 0, &View::default(), &by, &Cancel::never());
            rows.expect("a table without filters has no limit that a recording reaches");
        }
    }
}

/// The uncompressed pprof files of a recording, in the order of their types; empty if it cannot be read.
#[must_use]
pub fn profiles(recording: &Recording<'_>) -> Vec<Vec<u8>> {
    collected(recording).map(|(_, written)| written).unwrap_or_default()
}

/// The profiles of a recording, and their uncompressed pprof files.
fn collected(recording: &Recording<'_>) -> Option<(ProfileSet, Vec<Vec<u8>>)> {
    let mut options = Options::default();
    options.labels = LabelKey::ALL.to_vec();
    let set = collect(recording, &options).ok()?;
    let raw = pprof_emit::Options { packing: Packing::Raw, ..Default::default() };
    let written = set.profiles.iter().map(|profile| {
        let bytes = to_bytes(profile, &set.tables, &raw).expect("memory takes everything");
        // Reading includes checking.
        let back = read(&bytes).expect("what was written is valid");
        assert_eq!(back.sample.len(), profile.samples.len(), "every sample is written");
        bytes
    });
    let written = written.collect();
    Some((set, written))
}
