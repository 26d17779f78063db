//! Profiles that are written together, so that what they have in common is done once.

use std::io::{self, Write};

use jfr_analyzers::model::{Profile, Tables};
use rayon::prelude::*;

use crate::encode::{Encoder, Scratch, encode_strings};
use crate::number::{Members, Numbering, Shared, Survey, fixed_texts, profiles};
use crate::pack::{Block, Packer, Stream};
use crate::pool::Pool;
use crate::write::{Packing, Stats};

/// About how many unpacked bytes are encoded and compressed at a time. It shows in the bytes that come out, so it
/// must not depend on the machine.
const BLOCK_BYTES: usize = 512 << 10;

/// How many blocks may wait for being written.
const BLOCKS_AT_ONCE: usize = 64;

/// Profiles of the same tables, ready for being written one by one.
pub(crate) struct Together<'p> {
    parts: Vec<Part<'p>>,
    tables: &'p Tables,
    shared: Shared,
    /// The strings of the groups, with the profiles that need them.
    groups: Vec<(Members, Block)>,
    packing: Packing,
    workers: Pool<Worker>,
}

/// One of the profiles.
pub(crate) struct Part<'p> {
    pub(crate) profile: &'p Profile,
    survey: Survey,
    /// Its bit, which grows with its place among the profiles.
    pub(crate) member: Members,
}

/// What encodes and packs one block after the other.
struct Worker {
    packer: Packer,
    scratch: Scratch,
    buffer: Vec<u8>,
}

impl Worker {
    fn new(packing: Packing) -> Self {
        Self { packer: Packer::new(packing), scratch: Scratch::default(), buffer: Vec::new() }
    }

    fn pack(&mut self, encode: impl FnOnce(&mut Scratch, &mut Vec<u8>)) -> io::Result<Block> {
        self.buffer.clear();
        encode(&mut self.scratch, &mut self.buffer);
        self.packer.pack(&self.buffer)
    }
}

impl<'p> Together<'p> {
    /// Finds out what profiles have in common, at most [`MOST_PROFILES`](crate::number::MOST_PROFILES) of them.
    pub(crate) fn new(all: &[&'p Profile], tables: &'p Tables, packing: Packing) -> io::Result<Self> {
        let mut parts: Vec<_> = all.iter().copied().zip(profiles()).collect();
        // The large ones first, so that threads end at about the same time.
        parts.sort_by_key(|(profile, _)| std::cmp::Reverse(profile.samples.len()));
        let part = |&(profile, member)| Part { profile, survey: Survey::new(profile, tables, BLOCK_BYTES), member };
        let parts: Vec<Part<'_>> = parts.par_iter().with_max_len(1).map(part).collect();
        let texts = parts.iter().flat_map(|part| fixed_texts(part.profile, &part.survey));
        let apart: Vec<_> = texts.filter_map(|text| tables.string_id(text)).collect();
        let used: Vec<_> = parts.iter().map(|part| (part.member, part.survey.frames.as_slice())).collect();
        let shared = Shared::new(&used, tables, &apart);
        let mut together = Self { parts, tables, shared, groups: Vec::new(), packing, workers: Pool::default() };
        let pieces: Vec<_> = together.shared.pieces(BLOCK_BYTES).collect();
        let pack = |&(members, strings): &(Members, &[_])| {
            Ok((members, together.pack(|_, out| encode_strings(strings, tables, out))?))
        };
        together.groups = pieces.par_iter().with_max_len(1).map(pack).collect::<io::Result<_>>()?;
        Ok(together)
    }

    /// The profiles, the large ones first.
    pub(crate) fn parts(&self) -> &[Part<'p>] {
        &self.parts
    }

    /// Writes one of the profiles.
    pub(crate) fn write(&self, part: &Part<'p>, out: impl Write) -> io::Result<Stats> {
        let Part { profile, survey, member } = part;
        let numbering = Numbering::new(profile, self.tables, survey, &self.shared, *member)?;
        let encoder = Encoder::new(&numbering);
        let mut stream = Stream::begin(out, self.packing)?;
        for wave in encoder.cut(&survey.runs, BLOCK_BYTES).chunks(BLOCKS_AT_ONCE) {
            let pack = |range| self.pack(|scratch, out| encoder.encode(range, scratch, out));
            let blocks: Vec<io::Result<Block>> = wave.par_iter().with_max_len(1).map(pack).collect();
            for block in blocks {
                stream.append(&block?)?;
            }
        }
        for (_, block) in self.groups.iter().filter(|(members, _)| members & member != 0) {
            stream.append(block)?;
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
        self.workers.with(|| Worker::new(self.packing), |worker| worker.pack(encode))
    }
}
