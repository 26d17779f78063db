//! Decompresses gzip, zip, LZ4 frames and zstd, recognized by their first bytes.

use std::io::{Cursor, Read};

use crate::error::{Damage, Error, Loss, Result};
use crate::limits::Limits;
use crate::stop::Stop;

/// The compression format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Zip,
    Lz4,
    Zstd,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zip => "zip",
            Self::Lz4 => "LZ4",
            Self::Zstd => "zstd",
        }
    }
}

/// The format that the first bytes indicate.
pub(super) fn format(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0x1f, 0x8b, ..] => Some(Format::Gzip),
        [b'P', b'K', 3, 4, ..] => Some(Format::Zip),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(Format::Lz4),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Format::Zstd),
        _ => None,
    }
}

/// Decompresses a file of this format. A truncated file yields what comes before the cut, and a loss.
pub(super) fn unpack(format: Format, bytes: &[u8], limits: &Limits, stop: &Stop) -> Result<(Vec<u8>, Vec<Loss>)> {
    let failed = |reason: String| Error::Unpack { format: format.name(), reason };
    match format {
        Format::Gzip => read(flate2::read::MultiGzDecoder::new(bytes), bytes.len(), format, limits, stop),
        Format::Lz4 => read(lz4_flex::frame::FrameDecoder::new(bytes), bytes.len(), format, limits, stop),
        Format::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(bytes).map_err(|e| failed(e.to_string()))?;
            read(decoder, bytes.len(), format, limits, stop)
        }
        Format::Zip => {
            let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| failed(e.to_string()))?;
            let name_ends = |i: usize, end: &str| {
                archive.name_for_index(i).is_some_and(|name| name.is_ok_and(|name| name.ends_with(end)))
            };
            let files = || (0..archive.len()).filter(|&i| !name_ends(i, "/"));
            // The first file whose name ends in `.jfr`; without one, the first file.
            let index = files().find(|&i| name_ends(i, ".jfr")).or_else(|| files().next());
            let index = index.ok_or_else(|| failed("the archive contains no file".to_owned()))?;
            let entry = archive.by_index(index).map_err(|e| failed(e.to_string()))?;
            read(entry, bytes.len(), format, limits, stop)
        }
    }
}

/// Files that decompress to no more than this are harmless, regardless of their ratio.
const SMALL: u64 = 1 << 20;

fn read(
    reader: impl Read,
    packed: usize,
    format: Format,
    limits: &Limits,
    stop: &Stop,
) -> Result<(Vec<u8>, Vec<Loss>)> {
    let by_ratio = (packed as u64).saturating_mul(limits.unpack_ratio).max(SMALL);
    let (limit, name) = if by_ratio < limits.recording_bytes {
        (by_ratio, "unpack_ratio")
    } else {
        (limits.recording_bytes, "recording_bytes")
    };
    let super::read::Streamed { bytes: out, failed } = super::read::read(reader, Vec::new(), limit, stop)?;
    if out.len() as u64 > limit {
        return Err(limits.exceeded(name, limit));
    }
    match failed {
        None => Ok((out, Vec::new())),
        Some(_) if !out.is_empty() => {
            let loss = Loss { offset: out.len() as u64, bytes: 0, what: Damage::Truncated };
            Ok((out, vec![loss]))
        }
        Some(e) => Err(Error::Unpack { format: format.name(), reason: e.to_string() }),
    }
}
