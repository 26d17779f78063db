//! Writing pprof.

use std::io::{self, Write};
use std::ops::Range;

use jfr_analyzers::model::{Profile, Tables};
use jfr_parse::Stop;
use rayon::prelude::*;

use crate::encode::{Encoder, Scratch};
use crate::gzip::{Block, Packer, Stream};
use crate::number::Numbering;

/// How to write.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether and how the file is compressed.
    pub packing: Packing,
    /// Ends the writing early.
    pub stop: Stop,
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

/// The fastest level that stays within 15 % of level 6 on recordings of large programs, where names are most of a
/// profile: 7 % more than level 6 in 60 % of its time. Level 2 saves another 17 % of the time, for 14 to 15 % more than
/// level 6. Measure with `benches/benches/pprof.rs`.
const DEFAULT_LEVEL: u8 = 3;

/// About how many unpacked bytes are encoded and compressed at a time. It shows in the bytes that come out, so it
/// must not depend on the machine.
const BLOCK_BYTES: usize = 512 << 10;

/// How many blocks may wait for being written.
const BLOCKS_AT_ONCE: usize = 64;

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
/// # Errors
/// Those of `out`; [`Error::Stopped`](jfr_parse::Error::Stopped) as the cause of one if the options say so.
pub fn write_pprof(profile: &Profile, tables: &Tables, mut out: impl Write, options: &Options) -> io::Result<Stats> {
    let numbering = Numbering::new(profile, tables)?;
    let encoder = Encoder::new(&numbering);
    let ranges = encoder.cut(BLOCK_BYTES);
    let (raw_bytes, bytes) = match options.packing {
        Packing::Raw => raw(&encoder, &ranges, &options.stop, &mut out)?,
        Packing::Gzip(level) => gzip(&encoder, &ranges, level, &options.stop, &mut out)?,
    };
    Ok(Stats {
        samples: profile.samples.len(),
        locations: numbering.frames.len(),
        functions: numbering.functions.len(),
        raw_bytes,
        bytes,
    })
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

fn raw(encoder: &Encoder<'_>, ranges: &[Range<usize>], stop: &Stop, out: &mut impl Write) -> io::Result<(u64, u64)> {
    let (mut scratch, mut buffer, mut written) = (Scratch::default(), Vec::new(), 0);
    for range in ranges {
        stop.check().map_err(io::Error::other)?;
        buffer.clear();
        encoder.encode(range, &mut scratch, &mut buffer);
        out.write_all(&buffer)?;
        written += buffer.len() as u64;
    }
    Ok((written, written))
}

fn gzip(
    encoder: &Encoder<'_>,
    ranges: &[Range<usize>],
    level: u8,
    stop: &Stop,
    out: &mut impl Write,
) -> io::Result<(u64, u64)> {
    let mut stream = Stream::begin(out)?;
    let mut raw_bytes = 0;
    for wave in ranges.chunks(BLOCKS_AT_ONCE) {
        let worker = || (Packer::new(level), Scratch::default(), Vec::new());
        let blocks: Vec<io::Result<(Block, usize)>> = wave
            .par_iter()
            .with_max_len(1)
            .map_init(worker, |(packer, scratch, buffer), range| {
                stop.check().map_err(io::Error::other)?;
                buffer.clear();
                encoder.encode(range, scratch, buffer);
                Ok((packer.pack(buffer)?, buffer.len()))
            })
            .collect();
        for block in blocks {
            let (block, size) = block?;
            stream.append(&block)?;
            raw_bytes += size as u64;
        }
    }
    Ok((raw_bytes, stream.end()?))
}
