//! Writing pprof.

use std::io::{self, Write};

use jfr_analyzers::model::{Profile, Tables};

use crate::writer::Writer;

/// How to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether and how the file is compressed.
    pub packing: Packing,
}

/// Whether and how a file is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Packing {
    /// Not at all. Viewers read that too.
    Raw,
    /// With gzip, by a compressor made for profiles: half of the work of level 3 for files that are 5 % larger, at
    /// most 15 % larger than those of level 6. Measure with `benches/benches/pprof.rs`.
    #[default]
    Fast,
    /// With gzip, level 1 (fast) to 9 (small).
    Gzip(u8),
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Samples.
    pub samples: usize,
    /// Locations: lines of functions.
    pub locations: usize,
    /// Functions.
    pub functions: usize,
    /// Bytes before compression.
    pub raw_bytes: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Writes a profile as `profile.proto`, the samples in the order of the profile. Equal profiles give equal bytes,
/// whatever the handles in `tables` and however many threads there are.
///
/// The default sample type is the last value. Mapping 1 is [`Profile::main`] or `java`; each library of native
/// functions is another.
///
/// [`write_all`](crate::write_all) is faster for several profiles, and writes the same bytes.
///
/// # Errors
/// Those of `out`.
pub fn write_pprof(profile: &Profile, tables: &Tables, out: impl Write, options: &Options) -> io::Result<Stats> {
    Writer::new(tables, options.packing).write(profile, out)
}

/// [`write_pprof`] into memory.
///
/// # Errors
/// Only if a profile had more than 2³² entries of a kind.
pub fn to_bytes(profile: &Profile, tables: &Tables, options: &Options) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    write_pprof(profile, tables, &mut out, options)?;
    Ok(out)
}
