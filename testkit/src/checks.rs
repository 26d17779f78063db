//! Properties that must hold for any input bytes. Each check panics if its property is violated.
//!
//! Fuzz targets and seeded tests call the same checks, so a property is written once. Damaging the input
//! belongs in `mutate`; results that are known exactly belong in the tests of a crate. Start with `reading.rs`,
//! which compares the three ways of reading an event.

mod analysis;
mod checkpoint;
mod convert;
mod parts;
mod pprof;
mod reading;
mod unpacking;

pub use analysis::{analysis, configuration};
pub use checkpoint::{checkpoint, checkpoint_types, sound_checkpoint};
pub use convert::{convert, profiles};
pub use parts::{header, metadata, names, strings, varints};
pub use pprof::{pprof, pprof_comes_back};
pub use reading::{recording, serde};
pub use unpacking::unpack;

use jfr_parse::{Limits, Recording};

/// Opens the recording as an intake pipeline would.
fn open(bytes: &[u8]) -> Option<Recording<'_>> {
    let recording = Recording::from_bytes(bytes, &Limits::intake()).ok()?;
    assert!(recording.chunk_count() > 0, "a recording without chunks is an error");
    for loss in recording.losses() {
        assert!(!loss.to_string().is_empty());
    }
    Some(recording)
}
