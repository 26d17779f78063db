//! Writing pprof.

use std::io::{self, Write};

use jfrkit_profile::Cancel;
use jfrkit_profile::{Profile, Tables};

use crate::writer::Writer;

/// How to write.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether and how the file is compressed.
    pub packing: Packing,
    /// Ends the writing early.
    pub cancel: Cancel,
}

/// Whether and how a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all. Viewers read that too.
    Raw,
    /// With gzip, level 1 (fast) to 9 (small).
    Gzip(u8),
}

impl Default for Packing {
    fn default() -> Self {
        Self::Gzip(DEFAULT_LEVEL)
    }
}

/// The fastest level that stays within 15 % of level 6 on recordings of large programs. Measure with
/// `benches/benches/pprof.rs`.
const DEFAULT_LEVEL: u8 = 2;

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
/// Those of `out`; [`Canceled`](jfrkit_profile::Canceled) as the cause of one if the options say so.
pub fn write_pprof(profile: &Profile, tables: &Tables, out: impl Write, options: &Options) -> io::Result<Stats> {
    Writer::new(tables, options).write(profile, out)
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
