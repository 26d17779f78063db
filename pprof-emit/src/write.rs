//! Writes pprof.

use std::io::{self, Write};

use jfrkit_profile::Cancel;
use jfrkit_profile::{Profile, Tables};

use crate::writer::Writer;

/// Options for writing pprof.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether and how the file is compressed.
    pub packing: Packing,
    /// Cancels the writing.
    pub cancel: Cancel,
}

/// Whether and how a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Uncompressed. Viewers read that too.
    Raw,
    /// gzip, with a level from 1 (fast) to 9 (small).
    Gzip(u8),
}

impl Default for Packing {
    fn default() -> Self {
        Self::Gzip(DEFAULT_LEVEL)
    }
}

/// The fastest level whose output is within 15 % of level 6 for recordings of large programs. Measured with
/// `benches/benches/pprof.rs`.
const DEFAULT_LEVEL: u8 = 2;

/// The size of what was written.
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

/// Writes a profile as `profile.proto`, with the samples in the order of the profile. Equal profiles produce
/// equal bytes, regardless of the handles in `tables` and the number of threads.
///
/// The default sample type is the last value. Mapping 1 is [`Profile::main`] or `java`; each library with
/// native functions has its own mapping.
///
/// To write several profiles, [`write_all`](crate::write_all) is faster and writes the same bytes.
///
/// # Errors
/// Errors of `out`; an error with [`Canceled`](jfrkit_profile::Canceled) as its cause if the writing was
/// canceled.
pub fn write_pprof(profile: &Profile, tables: &Tables, out: impl Write, options: &Options) -> io::Result<Stats> {
    Writer::new(tables, options).write(profile, out)
}

/// Like [`write_pprof`], but returns the bytes.
///
/// # Errors
/// Only if the profile has more than 2³² entries of one kind.
pub fn to_bytes(profile: &Profile, tables: &Tables, options: &Options) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    write_pprof(profile, tables, &mut out, options)?;
    Ok(out)
}
