//! Finds out what a profile uses, in one pass over its samples.

use jfrkit_profile::index::IndexVec;
use jfrkit_profile::{BlockId, FrameId, Profile, Tables};

/// What a profile uses.
pub(crate) struct Survey {
    /// The frames, in the order of their first use.
    pub(crate) frames: Vec<Used>,
    /// The blocks of frames, in the order of their first use.
    pub(crate) blocks: Vec<BlockId>,
    /// The keys of labels, in the order of their first use.
    pub(crate) keys: Vec<&'static str>,
    /// The ends of runs of samples that have about the same encoded size.
    pub(crate) runs: Vec<usize>,
}

/// A frame that a profile uses.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    pub(crate) frame: FrameId,
    /// How often it occurs in stacks.
    pub(crate) count: u32,
}

/// Approximate encoded size of a location in a sample, and of everything else in a sample, in bytes.
const LOCATION_BYTES: usize = 2;
const SAMPLE_BYTES: usize = 12;

impl Survey {
    /// Surveys a profile; runs of samples take about `size` bytes.
    pub(crate) fn new(profile: &Profile, tables: &Tables, size: usize) -> Self {
        let mut counts: IndexVec<FrameId, u32> = IndexVec::filled(0, tables.frame_count());
        let mut block_counts: IndexVec<BlockId, u32> = IndexVec::filled(0, tables.block_bound());
        let mut survey = Self { frames: Vec::new(), blocks: Vec::new(), keys: Vec::new(), runs: Vec::new() };
        let mut count = |frame: FrameId, times: u32, frames: &mut Vec<Used>| {
            let count = &mut counts[frame];
            if *count == 0 {
                frames.push(Used { frame, count: 0 });
            }
            *count = count.saturating_add(times);
        };
        let mut bytes = 0;
        for (i, sample) in profile.samples.iter().enumerate() {
            let stack = tables.stack(sample.stack);
            stack.loose().iter().for_each(|&frame| count(frame, 1, &mut survey.frames));
            for block in stack.blocks() {
                let times = &mut block_counts[block];
                if *times == 0 {
                    survey.blocks.push(block);
                    tables.block(block).iter().for_each(|&frame| count(frame, 1, &mut survey.frames));
                }
                *times = times.saturating_add(1);
            }
            stack.mark().iter().for_each(|&frame| count(frame, 1, &mut survey.frames));
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
        for &block in &survey.blocks {
            // The first use of each block has already been counted.
            let times = block_counts[block].saturating_sub(1);
            tables.block(block).iter().for_each(|&frame| count(frame, times, &mut survey.frames));
        }
        for used in &mut survey.frames {
            used.count = counts[used.frame];
        }
        survey
    }
}
