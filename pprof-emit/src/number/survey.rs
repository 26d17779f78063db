//! What a profile uses, found in one walk over its samples.

use jfrkit_profile::{FrameId, Profile, Tables};

/// What a profile uses.
pub(crate) struct Survey {
    /// The frames, in the order of their first use.
    pub(crate) frames: Vec<Used>,
    /// The keys of labels, in the order of their first use.
    pub(crate) keys: Vec<&'static str>,
    /// The samples in runs of about the same size when encoded: where each ends.
    pub(crate) runs: Vec<usize>,
}

/// A frame that a profile uses.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    pub(crate) frame: FrameId,
    /// How often stacks name it.
    pub(crate) count: u32,
}

/// About how many bytes a location takes in a sample, and all else in it.
const LOCATION_BYTES: usize = 2;
const SAMPLE_BYTES: usize = 12;

impl Survey {
    /// Surveys a profile; runs of samples take about `size` bytes.
    pub(crate) fn new(profile: &Profile, tables: &Tables, size: usize) -> Self {
        let mut counts = vec![0u32; tables.frame_count()];
        let mut survey = Self { frames: Vec::new(), keys: Vec::new(), runs: Vec::new() };
        let mut bytes = 0;
        for (i, sample) in profile.samples.iter().enumerate() {
            let stack = tables.stack(sample.stack);
            for &frame in stack {
                let Some(count) = counts.get_mut(frame.index()) else { continue };
                if *count == 0 {
                    survey.frames.push(Used { frame, count: 0 });
                }
                *count = count.saturating_add(1);
            }
            for label in tables.labels(sample.labels) {
                if !survey.keys.contains(&label.key) {
                    survey.keys.push(label.key);
                }
            }
            bytes += stack.len() * LOCATION_BYTES + SAMPLE_BYTES;
            if bytes >= size {
                survey.runs.push(i + 1);
                bytes = 0;
            }
        }
        if survey.runs.last().copied().unwrap_or(0) < profile.samples.len() {
            survey.runs.push(profile.samples.len());
        }
        for used in &mut survey.frames {
            used.count = counts.get(used.frame.index()).copied().unwrap_or(0);
        }
        survey
    }
}
