//! Assigns numbers to the locations of a profile.

use std::cmp::Reverse;

use jfrkit_profile::{FrameId, FunctionId, Tables};

use super::survey::Used;

/// The highest numbers that fit into one, two, three and four bytes.
const HIGHEST: [usize; 4] = [0x7f, 0x3fff, 0x1f_ffff, 0xfff_ffff];

/// The frames in the order of their numbers. The frames that occur most often in stacks get the numbers that
/// take one byte, the next ones those that take two, and so on. The order among numbers of the same length does
/// not matter, so they follow the functions, which makes the locations 13 % smaller when compressed.
pub(crate) fn order(used: &[Used], tables: &Tables, function: impl Fn(FunctionId) -> u32) -> Vec<FrameId> {
    // Among equally frequent frames, those used first come first.
    let mut places: Vec<(Reverse<u32>, u32)> = used.iter().zip(0..).map(|(used, i)| (Reverse(used.count), i)).collect();
    let mut frames = Vec::with_capacity(used.len());
    let mut rest = places.as_mut_slice();
    let mut taken = 0;
    for highest in HIGHEST.into_iter().chain([usize::MAX]) {
        let size = (highest - taken).min(rest.len());
        if size < rest.len() {
            rest.select_nth_unstable(size);
        }
        let (same, others) = rest.split_at_mut(size);
        let mut sorted: Vec<(u32, u32, FrameId)> = same
            .iter()
            .filter_map(|&(_, i)| used.get(i as usize))
            .map(|used| {
                let frame = tables.frame(used.frame);
                (function(frame.function), frame.line, used.frame)
            })
            .collect();
        // Frames differ in function or line, so their handles do not affect the order.
        sorted.sort_unstable();
        frames.extend(sorted.into_iter().map(|(_, _, frame)| frame));
        (rest, taken) = (others, highest);
    }
    frames
}
