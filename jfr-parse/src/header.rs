//! The 68-byte header of every chunk. Its integers are fixed-width and big-endian, regardless of
//! its flags.

use crate::cursor::Cursor;
use crate::error::{Damage, Error, Result};
use crate::time::{EpochNanos, Nanos, Ticks};

/// The magic number at the beginning of a chunk.
pub const MAGIC: [u8; 4] = *b"FLR\0";

/// Size of a chunk header in bytes.
pub const HEADER_SIZE: usize = 68;

/// The header of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkHeader {
    /// Major version of the format.
    pub major: u16,
    /// Minor version of the format.
    pub minor: u16,
    /// Size of the whole chunk in bytes, including the header.
    pub chunk_size: u64,
    /// Offset of the newest checkpoint event in the chunk, or 0 if there is none.
    pub constant_pool_position: u64,
    /// Offset of the newest metadata event in the chunk, or 0 if there is none yet.
    pub metadata_position: u64,
    /// Start of the chunk.
    pub start_nanos: EpochNanos,
    /// Duration of the chunk.
    pub duration_nanos: Nanos,
    /// The value of the tick counter at `start_nanos`.
    pub start_ticks: Ticks,
    /// Ticks per second.
    pub ticks_per_second: i64,
    /// 0 for a finished chunk; 1 to 254 count the flushes of a chunk that is still being written;
    /// 255 while the header is being rewritten.
    pub state: u8,
    /// Bit 0: integers are varints. Bit 1: last chunk of its session.
    pub flags: u16,
}

impl ChunkHeader {
    /// Reads the header at the beginning of `bytes`, which are at `offset` in the recording. Checks
    /// only the magic number and the length.
    ///
    /// # Errors
    /// [`Damage::NoMagic`] or [`Damage::Truncated`].
    pub fn read(bytes: &[u8], offset: u64) -> Result<Self> {
        if bytes.get(..4) != Some(&MAGIC) {
            return Err(Error::damaged(offset, Damage::NoMagic));
        }
        Self::fields(Cursor::new(bytes)).map_err(|_| Error::damaged(offset, Damage::Truncated))
    }

    fn fields(mut at: Cursor<'_>) -> Result<Self, crate::Short> {
        at.array::<4>()?;
        Ok(Self {
            major: u16::from_be_bytes(at.array()?),
            minor: u16::from_be_bytes(at.array()?),
            chunk_size: u64::from_be_bytes(at.array()?),
            constant_pool_position: u64::from_be_bytes(at.array()?),
            metadata_position: u64::from_be_bytes(at.array()?),
            start_nanos: EpochNanos(i64::from_be_bytes(at.array()?)),
            duration_nanos: Nanos(i64::from_be_bytes(at.array()?)),
            start_ticks: Ticks(i64::from_be_bytes(at.array()?)),
            ticks_per_second: i64::from_be_bytes(at.array()?),
            state: at.u8()?,
            flags: {
                at.u8()?;
                u16::from_be_bytes(at.array()?)
            },
        })
    }

    /// Rejects unsupported versions and encodings.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`], [`Error::FixedWidthIntegers`].
    pub fn check_supported(&self, offset: u64) -> Result<()> {
        if !(1..=2).contains(&self.major) {
            return Err(Error::UnsupportedVersion { offset, major: self.major, minor: self.minor });
        }
        if self.flags & 1 == 0 && self.state != u8::MAX {
            return Err(Error::FixedWidthIntegers { offset });
        }
        Ok(())
    }

    /// The end of the chunk; its start if the duration is not known or impossible.
    #[must_use]
    pub fn end_nanos(&self) -> EpochNanos {
        self.start_nanos.saturating_add(self.duration_nanos.max(Nanos(0)))
    }

    /// The end of the chunk; `None` if it is not known, as while the chunk is being written.
    #[must_use]
    pub fn known_end_nanos(&self) -> Option<EpochNanos> {
        (!self.in_progress() && self.duration_nanos > Nanos(0)).then(|| self.end_nanos())
    }

    /// Whether the chunk was still being written when it was copied.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        self.state != 0
    }

    /// Whether this could be a real header. Used when searching for headers.
    pub(crate) fn plausible(&self) -> bool {
        const DECADES: std::ops::Range<i64> = 0..4_102_444_800_000_000_000; // 1970 to 2100
        (1..=2).contains(&self.major)
            && self.minor < 100
            && self.flags < 16
            && DECADES.contains(&self.start_nanos.0)
            && self.duration_nanos.0 >= 0
            && self.ticks_per_second > 0
            && self.metadata_position.max(self.constant_pool_position) < self.chunk_size.max(1)
    }
}
