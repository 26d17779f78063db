//! One gzip member from blocks that are compressed independently of each other.
//!
//! Each block ends in a sync flush, so that the compressed blocks can stand one after the other in a single deflate
//! stream; what they lose is the look back into the block before. Source: RFC 1951, RFC 1952.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Deflate, no name, no time (it would differ from run to run), system unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// An empty block of fixed codes that says it is the last.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// A compressor that is used for one block after the other.
pub(crate) struct Packer(Compress);

/// A compressed block.
pub(crate) struct Block {
    bytes: Vec<u8>,
    crc: Crc,
}

impl Packer {
    /// A compressor of level 1 (fast) to 9 (small).
    pub(crate) fn new(level: u8) -> Self {
        Self(Compress::new(Compression::new(u32::from(level.min(9))), false))
    }

    /// Compresses a block.
    pub(crate) fn pack(&mut self, raw: &[u8]) -> io::Result<Block> {
        self.0.reset();
        let mut bytes = Vec::with_capacity(raw.len() / 4 + 64);
        loop {
            let used = usize::try_from(self.0.total_in()).map_err(io::Error::other)?;
            let rest = raw.get(used..).unwrap_or_default();
            let status = self.0.compress_vec(rest, &mut bytes, FlushCompress::Sync).map_err(io::Error::other)?;
            // Room left over means that everything, the end of the flush included, has come out.
            if self.0.total_in() == raw.len() as u64 && bytes.len() < bytes.capacity() {
                break;
            }
            if status == Status::StreamEnd {
                return Err(io::Error::other("the compressor ended early"));
            }
            bytes.reserve(bytes.capacity().max(64));
        }
        let mut crc = Crc::new();
        crc.update(raw);
        Ok(Block { bytes, crc })
    }
}

/// The stream that compressed blocks make up.
pub(crate) struct Stream<W> {
    out: W,
    crc: Crc,
    written: u64,
}

impl<W: Write> Stream<W> {
    /// Begins a stream.
    pub(crate) fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        Ok(Self { out, crc: Crc::new(), written: HEADER.len() as u64 })
    }

    /// Appends a block.
    pub(crate) fn append(&mut self, block: &Block) -> io::Result<()> {
        self.out.write_all(&block.bytes)?;
        self.crc.combine(&block.crc);
        self.written += block.bytes.len() as u64;
        Ok(())
    }

    /// Ends the stream; gives the number of bytes written.
    pub(crate) fn end(mut self) -> io::Result<u64> {
        self.out.write_all(&LAST_BLOCK)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        // The amount is modulo 2^32 in gzip, and in `Crc` too.
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.written + LAST_BLOCK.len() as u64 + 8)
    }
}
