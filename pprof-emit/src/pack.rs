//! Builds a file from independently compressed blocks: a single gzip member, or the uncompressed bytes.
//!
//! Each compressed block ends with a sync flush, so that blocks can be concatenated in a single deflate stream,
//! and the same block can be used in several streams. The price is that a block cannot refer back to the
//! previous one. Source: RFC 1951, RFC 1952.
//!
//! By hand on top of flate2's deflate rather than with a parallel compressor such as gzp: the bytes must not depend on the number
//! of threads, and blocks that several files share are compressed once.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::write::Packing;

/// Deflate, no name, no time (it would differ from run to run), unknown operating system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// An empty block with fixed codes, marked as the last block.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// Compresses blocks one after another, reusing its memory.
pub(crate) enum Packer {
    Raw,
    Gzip(Compress),
}

/// A compressed block.
pub(crate) struct Block {
    bytes: Vec<u8>,
    size: usize,
    crc: Crc,
}

impl Packer {
    pub(crate) fn new(packing: Packing) -> Self {
        match packing {
            Packing::Raw => Self::Raw,
            Packing::Gzip(level) => Self::Gzip(Compress::new(Compression::new(u32::from(level.min(9))), false)),
        }
    }

    /// Compresses a block.
    pub(crate) fn pack(&mut self, raw: &[u8]) -> io::Result<Block> {
        let mut crc = Crc::new();
        if !matches!(self, Self::Raw) {
            crc.update(raw);
        }
        let bytes = match self {
            Self::Raw => raw.to_vec(),
            Self::Gzip(compress) => deflate(compress, raw)?,
        };
        Ok(Block { bytes, size: raw.len(), crc })
    }
}

fn deflate(compress: &mut Compress, raw: &[u8]) -> io::Result<Vec<u8>> {
    compress.reset();
    let mut bytes = Vec::with_capacity(raw.len() / 4 + 64);
    loop {
        let used = usize::try_from(compress.total_in()).map_err(io::Error::other)?;
        let rest = raw.get(used..).unwrap_or_default();
        let status = compress.compress_vec(rest, &mut bytes, FlushCompress::Sync).map_err(io::Error::other)?;
        // If there is space left, all output including the end of the flush has been written.
        if compress.total_in() == raw.len() as u64 && bytes.len() < bytes.capacity() {
            return Ok(bytes);
        }
        if status == Status::StreamEnd {
            return Err(io::Error::other("the compressor ended early"));
        }
        bytes.reserve(bytes.capacity().max(64));
    }
}

/// The file being assembled from blocks.
pub(crate) struct Stream<W> {
    out: W,
    /// Checksum and size, if the file format needs them.
    crc: Option<Crc>,
    raw: u64,
    written: u64,
}

impl<W: Write> Stream<W> {
    /// Begins a file.
    pub(crate) fn begin(out: W, packing: Packing) -> io::Result<Self> {
        let mut stream = Self { out, crc: None, raw: 0, written: 0 };
        if packing != Packing::Raw {
            stream.write(&HEADER)?;
            stream.crc = Some(Crc::new());
        }
        Ok(stream)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Appends a block.
    pub(crate) fn append(&mut self, block: &Block) -> io::Result<()> {
        self.write(&block.bytes)?;
        self.raw += block.size as u64;
        if let Some(crc) = &mut self.crc {
            crc.combine(&block.crc);
        }
        Ok(())
    }

    /// Finishes the file. Returns the number of bytes before compression and the number of bytes written.
    pub(crate) fn end(mut self) -> io::Result<(u64, u64)> {
        if let Some(crc) = self.crc.take() {
            self.write(&LAST_BLOCK)?;
            self.write(&crc.sum().to_le_bytes())?;
            // The size is stored modulo 2^32 in gzip, as in `Crc`.
            self.write(&crc.amount().to_le_bytes())?;
        }
        Ok((self.raw, self.written))
    }
}
