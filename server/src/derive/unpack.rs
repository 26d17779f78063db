//! Decompresses parts within limits.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use jfr_parse::Limits;

use crate::model::Kind;

/// A part that expands to no more than this cannot be a bomb.
const SMALL: u64 = 1 << 20;

/// A reader of the decompressed content of a part.
fn reader(path: &Path, limits: &Limits) -> io::Result<(Box<dyn Read>, u64)> {
    let mut file = File::open(path)?;
    let packed = file.metadata()?.len();
    let mut head = [0u8; 8];
    let n = file.read(&mut head)?;
    drop(file);
    let source = BufReader::with_capacity(64 << 10, File::open(path)?);
    let invalid = |e: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, e.to_string());
    let most = packed.saturating_mul(limits.unpack_ratio).max(SMALL).min(limits.recording_bytes);
    let reader: Box<dyn Read> = match Kind::of(head.get(..n).unwrap_or_default()) {
        Kind::Gzip => Box::new(flate2::read::MultiGzDecoder::new(source)),
        Kind::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(source)),
        Kind::Zstd => Box::new(ruzstd::decoding::StreamingDecoder::new(source).map_err(|e| invalid(&e))?),
        Kind::Zip => {
            let mut archive = zip::ZipArchive::new(source).map_err(|e| invalid(&e))?;
            let mut entry = archive.by_index(0).map_err(|e| invalid(&e))?;
            let mut bytes = Vec::new();
            (&mut entry).take(most.saturating_add(1)).read_to_end(&mut bytes)?;
            Box::new(io::Cursor::new(bytes))
        }
        _ => Box::new(source),
    };
    Ok((reader, most))
}

/// The type of a part after decompression.
pub(crate) fn inner_kind(path: &Path, limits: &Limits) -> io::Result<Kind> {
    let (reader, _) = reader(path, limits)?;
    let mut head = Vec::new();
    match reader.take(64).read_to_end(&mut head) {
        Ok(_) => Ok(Kind::of(&head)),
        Err(_) if !head.is_empty() => Ok(Kind::of(&head)),
        Err(error) => Err(error),
    }
}

/// The decompressed content of a part, or an error if it expands too far. Decompresses twice if needed: clients put
/// gzipped profiles into zstd.
pub(crate) fn bytes(path: &Path, limits: &Limits) -> io::Result<Vec<u8>> {
    let (reader, most) = reader(path, limits)?;
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it decompresses to more than {most} bytes")));
    }
    Ok(bytes)
}

/// The content of a gzipped file that we wrote.
pub(crate) fn own(path: &Path) -> io::Result<Vec<u8>> {
    bytes(path, &Limits::tool())
}
