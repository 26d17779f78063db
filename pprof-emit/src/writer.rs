//! Writes several profiles that share the same tables.

use std::io::{self, Write};

use jfrkit_profile::{Profile, Tables};
use rayon::prelude::*;

use crate::encode::{Encoder, Scratch};
use crate::number::{Classes, Numbering, Survey};
use crate::pack::{Block, Packer, Stream};
use crate::pool::Pool;
use crate::write::{Options, Stats};

/// Approximate number of uncompressed bytes that are encoded and compressed at a time. It affects the output
/// bytes, so it must not depend on the machine.
const BLOCK_BYTES: usize = 512 << 10;

/// Maximum number of blocks waiting to be written.
const BLOCKS_AT_ONCE: usize = 64;

/// Writes one profile or several.
pub(crate) struct Writer<'t> {
    tables: &'t Tables,
    options: &'t Options,
    /// The order of all classes, if it is worth computing.
    classes: Option<Classes>,
    workers: Pool<Worker>,
}

/// Encodes and compresses blocks one after another.
struct Worker {
    packer: Packer,
    scratch: Scratch,
    buffer: Vec<u8>,
}

impl<'t> Writer<'t> {
    /// Creates a writer for one profile.
    pub(crate) fn new(tables: &'t Tables, options: &'t Options) -> Self {
        Self { tables, options, classes: None, workers: Pool::default() }
    }

    /// Creates a writer for all profiles of the tables.
    pub(crate) fn for_all(tables: &'t Tables, options: &'t Options) -> Self {
        Self { classes: Some(Classes::of_all(tables)), ..Self::new(tables, options) }
    }

    /// Writes a profile.
    pub(crate) fn write(&self, profile: &Profile, out: impl Write) -> io::Result<Stats> {
        let survey = Survey::new(profile, self.tables, BLOCK_BYTES);
        let numbering = Numbering::new(profile, self.tables, &survey, self.classes.as_ref())?;
        let encoder = Encoder::new(&numbering);
        let mut stream = Stream::begin(out, self.options.packing)?;
        for wave in encoder.cut(&survey.runs, BLOCK_BYTES).chunks(BLOCKS_AT_ONCE) {
            let pack = |range| self.pack(|scratch, out| encoder.encode(range, scratch, out));
            let blocks: Vec<io::Result<Block>> = wave.par_iter().with_max_len(1).map(pack).collect();
            for block in blocks {
                stream.append(&block?)?;
            }
        }
        let (raw_bytes, bytes) = stream.end()?;
        Ok(Stats {
            samples: profile.samples.len(),
            locations: numbering.frames.len(),
            functions: numbering.functions.len(),
            raw_bytes,
            bytes,
        })
    }

    fn pack(&self, encode: impl FnOnce(&mut Scratch, &mut Vec<u8>)) -> io::Result<Block> {
        self.options.cancel.check().map_err(io::Error::other)?;
        let make = || Worker {
            packer: Packer::new(self.options.packing),
            scratch: Scratch::default(),
            buffer: Vec::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 8),
        };
        self.workers.with(make, |Worker { packer, scratch, buffer }| {
            buffer.clear();
            encode(scratch, buffer);
            packer.pack(buffer)
        })
    }
}
