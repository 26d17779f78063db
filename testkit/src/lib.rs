//! Damages recordings in ways that survive the framing, and checks what every reader of recordings must
//! guarantee.
//!
//! The seeded tests of this crate and the fuzz targets in `fuzz/` share [`mutant`] and its building blocks
//! ([`Image`], [`parts`], [`tree`]), and assert the properties in [`checks`]. [`reduced`] makes small
//! recordings from large ones, as starting points.
//!
//! Handmade recordings belong in `jfr_parse::testing`, handmade facts in `jfr_analyzers::testing`; tests of all
//! crates together are in `testkit/tests`. Start with `image.rs`, which takes a recording apart, then
//! `mutate.rs` and `checks.rs`. [`wants`] generates recordings from the needs of rules, [`day`] long ones.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::cast_possible_truncation)]

pub mod checks;
pub mod correctness;
pub mod day;
pub mod image;
mod memory;
mod mutate;
pub mod parts;
mod random;
mod reduce;
pub mod tree;
pub mod wants;

pub use image::Image;
pub use memory::Counting;
pub use mutate::{mutant, mutant_of_checkpoint, mutant_of_metadata, mutant_of_pprof, mutate, mutate_chunk};
pub use random::Random;
pub use reduce::reduced;
