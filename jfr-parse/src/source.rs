//! Where the bytes of a recording come from: a map, memory, a stream or a compressed file.
//!
//! This folder chooses between mapping and reading, decompresses (`unpack.rs`), and notices that a mapped file
//! changed. Options of the caller belong in `open.rs`, finding chunks in `recording.rs`, and `unsafe` code only
//! in `map.rs` and its submodules. Start with [`Source::open`].

mod map;
mod read;
mod unpack;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Loss, Result};
use crate::header::{ChunkHeader, HEADER_SIZE};
use crate::limits::Limits;
use crate::open::Access;
use crate::stop::Stop;

pub use map::guard_maps;
use map::{Change, Map};

/// The decompressed bytes of a recording.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    bytes: Bytes<'a>,
    losses: Vec<Loss>,
}

#[derive(Debug)]
enum Bytes<'a> {
    Memory(Cow<'a, [u8]>),
    Map(Map),
}

impl Source<'static> {
    pub(crate) fn open(path: &Path, limits: &Limits, access: Access, map: bool, stop: &Stop) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if about.is_dir() {
            return Err(io(std::io::ErrorKind::IsADirectory.into()));
        }
        // A pipe has no length and cannot be mapped; neither can an empty file.
        if !about.is_file() || about.len() == 0 {
            return Self::from_reader(file, limits, stop);
        }
        too_large(about.len(), limits)?;
        let maps = match access {
            _ if map => true,
            Access::Read => false,
            // Its writer may still truncate or overwrite it; and it is small, or changes faster than it is
            // read.
            Access::Auto => map::is_guarded() && !is_being_written(&about),
        };
        if !maps {
            return Self::read_file(file, &about, limits, stop).map_err(|error| at_path(path, error));
        }
        let mapped = Map::new(path, &file, &about).map_err(io)?;
        if let Some(format) = unpack::format(mapped.bytes()) {
            let unpacked = unpack::unpack(format, mapped.bytes(), limits, stop);
            if mapped.change() != Change::None {
                return Err(Error::Changed);
            }
            let (bytes, losses) = unpacked?;
            return Ok(Self { bytes: Bytes::Memory(bytes.into()), losses });
        }
        if !map && has_unfinished_chunk(mapped.bytes()) {
            return Self::read_file(file, &about, limits, stop).map_err(|error| at_path(path, error));
        }
        Ok(Self { bytes: Bytes::Map(mapped), losses: Vec::new() })
    }

    pub(crate) fn from_reader(reader: impl Read, limits: &Limits, stop: &Stop) -> Result<Self> {
        Self::read_all(reader, Vec::new(), limits, stop)
    }

    /// Reads a whole file into memory, allocated once with the size of the file.
    fn read_file(file: File, about: &std::fs::Metadata, limits: &Limits, stop: &Stop) -> Result<Self> {
        let mut bytes = Vec::new();
        // Data written in the meantime is read too; one extra byte allows the end to be detected without
        // growing.
        let size = usize::try_from(about.len()).unwrap_or(usize::MAX).saturating_add(1);
        bytes.try_reserve_exact(size).map_err(|e| Error::Read(e.into()))?;
        Self::read_all(file, bytes, limits, stop)
    }

    fn read_all(reader: impl Read, room: Vec<u8>, limits: &Limits, stop: &Stop) -> Result<Self> {
        let streamed = read::read(reader, room, limits.recording_bytes, stop)?;
        match streamed.failed {
            Some(error) => Err(Error::Read(error)),
            None => Source::from_bytes(streamed.bytes.into(), limits, stop),
        }
    }
}

/// Adds the path to the error for a file that cannot be read.
fn at_path(path: &Path, error: Error) -> Error {
    match error {
        Error::Read(source) => Error::Io { path: path.to_owned(), source },
        other => other,
    }
}

/// The content of a file, compressed or not.
pub(crate) fn unpacked(bytes: Vec<u8>, limits: &Limits, stop: &Stop) -> Result<(Vec<u8>, Vec<Loss>)> {
    too_large(bytes.len() as u64, limits)?;
    match unpack::format(&bytes) {
        Some(format) => unpack::unpack(format, &bytes, limits, stop),
        None => Ok((bytes, Vec::new())),
    }
}

impl<'a> Source<'a> {
    pub(crate) fn from_bytes(bytes: Cow<'a, [u8]>, limits: &Limits, stop: &Stop) -> Result<Self> {
        too_large(bytes.len() as u64, limits)?;
        if let Some(format) = unpack::format(&bytes) {
            let (bytes, losses) = unpack::unpack(format, &bytes, limits, stop)?;
            return Ok(Self { bytes: Bytes::Memory(bytes.into()), losses });
        }
        Ok(Self { bytes: Bytes::Memory(bytes), losses: Vec::new() })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Memory(bytes) => bytes,
            Bytes::Map(map) => map.bytes(),
        }
    }

    /// Whether some data read from a map was not in the file.
    pub(crate) fn is_torn(&self) -> bool {
        match &self.bytes {
            Bytes::Memory(_) => false,
            Bytes::Map(map) => map.is_torn(),
        }
    }

    /// Whether the bytes are still the original ones. If the file was written to, `same` decides, as far as it
    /// can tell.
    pub(crate) fn is_unchanged(&self, same: impl FnOnce(&[u8]) -> bool) -> bool {
        match &self.bytes {
            Bytes::Memory(_) => true,
            Bytes::Map(map) => match map.change() {
                Change::None => true,
                Change::Cut => false,
                Change::Written => same(map.bytes()) && !map.is_torn(),
            },
        }
    }

    /// What could not be decompressed.
    pub(crate) fn losses(&self) -> &[Loss] {
        &self.losses
    }
}

/// A file changed this recently may be changed again while it is read.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(2);

/// Whether a file was changed a moment ago. A modification time in the future, caused by a wrong clock, does
/// not count.
fn is_being_written(about: &std::fs::Metadata) -> bool {
    let age = about.modified().ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age < SETTLED) && about.len() <= SMALL
}

/// Larger files are mapped anyway: copying them would take more memory than most machines can spare.
const SMALL: u64 = 64 << 20;

/// Whether any chunk header marks its chunk as unfinished. Steps from header to header.
fn has_unfinished_chunk(bytes: &[u8]) -> bool {
    let mut at = 0usize;
    while let Some(header) = bytes.get(at..).and_then(|rest| ChunkHeader::read(rest, 0).ok()) {
        if header.in_progress() {
            return true;
        }
        let size = usize::try_from(header.chunk_size).unwrap_or(usize::MAX);
        match at.checked_add(size).filter(|_| size >= HEADER_SIZE) {
            Some(next) => at = next,
            None => break,
        }
    }
    false
}

fn too_large(bytes: u64, limits: &Limits) -> Result<()> {
    if bytes > limits.recording_bytes {
        return Err(limits.exceeded("recording_bytes", limits.recording_bytes));
    }
    Ok(())
}
