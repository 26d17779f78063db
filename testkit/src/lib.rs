//! Damages recordings in ways that get past their framing, and checks what is promised of whoever reads them.
//!
//! [`mutant`] and what it is made of ([`Image`], [`parts`], [`tree`]) are what the seeded tests of this crate and the
//! fuzz targets in `fuzz/` share; [`checks`] are the properties that both assert. [`reduced`] makes small recordings
//! of large ones, to begin from.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::cast_possible_truncation)]

pub mod checks;
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
pub use mutate::{mutant, mutant_of_checkpoint, mutant_of_metadata, mutate, mutate_chunk};
pub use random::Random;
pub use reduce::reduced;
