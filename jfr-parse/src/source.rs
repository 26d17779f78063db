//! Where the bytes of a recording come from: a map, memory, a stream, a packed file.

mod read;
mod unpack;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Loss, Result};
use crate::header::{ChunkHeader, HEADER_SIZE};
use crate::limits::Limits;
use crate::stop::Stop;

/// The unpacked bytes of a recording.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    bytes: Bytes<'a>,
    losses: Vec<Loss>,
}

#[derive(Debug)]
enum Bytes<'a> {
    Memory(Cow<'a, [u8]>),
    Map(memmap2::Mmap),
}

impl Source<'static> {
    pub(crate) fn open(path: &Path, limits: &Limits, stop: &Stop) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if about.is_dir() {
            return Err(io(std::io::ErrorKind::IsADirectory.into()));
        }
        // A pipe has no length and cannot be mapped; an empty file cannot either.
        if !about.is_file() || about.len() == 0 {
            return Self::from_reader(file, limits, stop);
        }
        too_large(about.len(), limits)?;
        if is_being_written(&about) {
            // Its writer may still cut it or write over it; and it is small, or changes faster than it is read.
            return Self::from_reader(file, limits, stop);
        }
        let map = map(&file).map_err(io)?;
        if unpack::format(&map).is_some() {
            let (bytes, losses) = unpack::unpack(&map, limits, stop)?;
            return Ok(Self { bytes: Bytes::Memory(bytes.into()), losses });
        }
        if has_unfinished_chunk(&map) {
            return Self::from_reader(file, limits, stop);
        }
        Ok(Self { bytes: Bytes::Map(map), losses: Vec::new() })
    }

    pub(crate) fn from_reader(reader: impl Read, limits: &Limits, stop: &Stop) -> Result<Self> {
        let streamed = read::read(reader, limits.recording_bytes, stop)?;
        match streamed.failed {
            Some(error) => Err(Error::Read(error)),
            None => Source::from_bytes(streamed.bytes.into(), limits, stop),
        }
    }
}

impl<'a> Source<'a> {
    pub(crate) fn from_bytes(bytes: Cow<'a, [u8]>, limits: &Limits, stop: &Stop) -> Result<Self> {
        too_large(bytes.len() as u64, limits)?;
        if unpack::format(&bytes).is_some() {
            let (bytes, losses) = unpack::unpack(&bytes, limits, stop)?;
            return Ok(Self { bytes: Bytes::Memory(bytes.into()), losses });
        }
        Ok(Self { bytes: Bytes::Memory(bytes), losses: Vec::new() })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Memory(bytes) => bytes,
            Bytes::Map(map) => map,
        }
    }

    /// What could not be unpacked.
    pub(crate) fn losses(&self) -> &[Loss] {
        &self.losses
    }
}

/// A file that was changed this short a time ago may be changed again while it is read.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(2);

/// Whether a file was changed a moment ago. One from the future, by a clock that is wrong, was not.
fn is_being_written(about: &std::fs::Metadata) -> bool {
    let age = about.modified().ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age < SETTLED) && about.len() <= SMALL
}

/// Larger files are mapped all the same: copying them would cost more memory than most machines spare.
const SMALL: u64 = 64 << 20;

/// Whether the header of a chunk says that it is being written. Goes from header to header.
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

#[expect(unsafe_code, reason = "mapping a file is what makes reading it free of copies")]
fn map(file: &File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the map is only read. Another process may change the file: changed bytes are only ever parsed as
    // untrusted input. One that cuts it short while it is read ends this process with a signal, so files that are
    // being written are read instead.
    unsafe { memmap2::Mmap::map(file) }
}
