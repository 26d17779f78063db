//! Profiles of recordings with known content, and of synthetic recordings that illustrate one rule each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod absent;
mod allocation;
mod cpu;
mod expected;
mod filters;
mod head;
mod labels;
mod odd;
mod read;
mod stacks;
mod truth;
mod writer;
