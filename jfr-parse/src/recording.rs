//! A recording: its bytes and the chunks in it.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hashbrown::HashMap;

use crate::checkpoints::survey;
use crate::chunk::{Chunk, Extent};
use crate::error::{Damage, Error, Loss, Result};
use crate::header::{ChunkHeader, HEADER_SIZE, MAGIC};
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::open::OpenOptions;
use crate::source::Source;
use crate::stop::Stop;
use crate::work;

/// A recording that can be read. It has one or more chunks, possibly from several JVMs or writers.
#[derive(Debug)]
pub struct Recording<'a> {
    source: Source<'a>,
    extents: Vec<Extent>,
    losses: Vec<Loss>,
    limits: Limits,
    stop: Stop,
    cache: MetadataCache,
}

impl Recording<'static> {
    /// Opens a file, uncompressed or compressed with gzip, zip, LZ4 or zstd.
    ///
    /// The file is read into memory, so later changes to it have no effect. If the program calls
    /// [`guard_maps`](crate::guard_maps) at startup, uncompressed files that nobody is writing are mapped instead,
    /// which takes less time and memory; [`check_unchanged`](Self::check_unchanged) then checks that the file did
    /// not change. See [`Access`](crate::Access).
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotARecording`], [`Error::UnsupportedVersion`], [`Error::Unpack`],
    /// [`Error::LimitExceeded`], [`Error::Changed`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)
    }

    /// Like [`open`](Self::open), with other limits.
    ///
    /// # Errors
    /// Same as [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        OpenOptions::new().limits(limits.clone()).open(path)
    }

    /// Reads a stream, such as a pipe or standard input, to its end.
    ///
    /// # Errors
    /// Same as [`open`](Self::open), and [`Error::Read`].
    pub fn from_reader(reader: impl Read, limits: &Limits) -> Result<Self> {
        OpenOptions::new().limits(limits.clone()).from_reader(reader)
    }
}

impl<'a> Recording<'a> {
    /// Opens a recording in memory, uncompressed or compressed. Borrowed bytes are copied only if they are
    /// compressed.
    ///
    /// # Errors
    /// Same as [`open`](Self::open), without [`Error::Io`].
    pub fn from_bytes(bytes: impl Into<Cow<'a, [u8]>>, limits: &Limits) -> Result<Self> {
        OpenOptions::new().limits(limits.clone()).from_bytes(bytes)
    }

    pub(crate) fn new(source: Source<'a>, limits: &Limits, stop: &Stop, cache: MetadataCache) -> Result<Self> {
        let mut finder = Finder {
            bytes: source.bytes(),
            limits,
            stop,
            extents: Vec::new(),
            losses: Vec::new(),
            known: HashMap::default(),
            repeated: None,
        };
        let found = finder.run();
        finder.lose_repeated();
        let Finder { extents, mut losses, .. } = finder;
        if source.is_torn() {
            return Err(Error::Changed);
        }
        found?;
        losses.splice(0..0, source.losses().iter().cloned());
        Ok(Self { source, extents, losses, limits: limits.clone(), stop: stop.clone(), cache })
    }

    /// The decompressed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.source.bytes()
    }

    /// The number of chunks.
    #[must_use]
    pub fn chunk_count(&self) -> usize {
        self.extents.len()
    }

    /// The headers of the chunks and their offsets, without opening the chunks.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (u64, &ChunkHeader)> {
        self.extents.iter().map(|e| (e.range.start as u64, &e.header))
    }

    /// The header of a chunk and its offset.
    #[must_use]
    pub fn header(&self, index: usize) -> Option<(u64, &ChunkHeader)> {
        self.extents.get(index).map(|e| (e.range.start as u64, &e.header))
    }

    /// Opens a chunk.
    ///
    /// # Errors
    /// [`Error::Stopped`]; [`Error::Damaged`] if the chunk has no readable metadata, so that its events cannot
    /// be interpreted; [`Error::LimitExceeded`]; [`Error::Unknown`] if the index is out of range;
    /// [`Error::Changed`].
    pub fn chunk(&self, index: usize) -> Result<Chunk<'_>> {
        if self.source.is_torn() {
            return Err(Error::Changed);
        }
        let extent = self.extents.get(index);
        let extent = extent.ok_or_else(|| Error::Unknown { kind: "chunk", name: index.to_string() })?;
        Chunk::open(self.bytes(), index, extent, &self.limits, &self.stop, &self.cache)
    }

    /// Opens the chunks one after another.
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = Result<Chunk<'_>>> {
        (0..self.extents.len()).map(|i| self.chunk(i))
    }

    /// What was lost before any chunk was opened: bytes that belong to no chunk, and truncated chunks.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Returns an error if the file may have changed since it was opened. Call it after reading, before using
    /// the results. Only mapped recordings can fail.
    ///
    /// A file that only grew, or that was replaced by another file, counts as unchanged. If the file was
    /// written to, the headers of its chunks are compared; this detects that it is a different recording, but
    /// not every changed byte.
    ///
    /// # Errors
    /// [`Error::Changed`].
    pub fn check_unchanged(&self) -> Result<()> {
        let same = |now: &[u8]| {
            let header = |at: usize| now.get(at..).and_then(|rest| ChunkHeader::read(rest, 0).ok());
            self.extents.iter().all(|extent| header(extent.range.start) == Some(extent.header))
        };
        if self.source.is_unchanged(same) { Ok(()) } else { Err(Error::Changed) }
    }

    /// The limits that apply to this recording.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The handle that can stop work on this recording.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }
}

/// Finds the chunks, one after another.
struct Finder<'s> {
    bytes: &'s [u8],
    limits: &'s Limits,
    stop: &'s Stop,
    extents: Vec<Extent>,
    losses: Vec<Loss>,
    /// The first extent with each header.
    known: HashMap<[u8; HEADER_SIZE], usize, foldhash::fast::RandomState>,
    /// The number of repeated chunks, the offset of the first, and their total bytes.
    repeated: Option<(usize, usize, usize)>,
}

impl Finder<'_> {
    fn run(&mut self) -> Result<()> {
        let mut at = 0;
        while at < self.bytes.len() {
            self.stop.check()?;
            let rest = self.bytes.get(at..).unwrap_or_default();
            let header = match ChunkHeader::read(rest, at as u64) {
                Ok(header) => header,
                Err(e) => {
                    at = self.stray(at, e)?;
                    continue;
                }
            };
            if let Err(e) = header.check_supported(at as u64) {
                // There may be more chunks after one that cannot be read or has a damaged header.
                at = self.stray(at, e)?;
                continue;
            }
            if self.extents.len() >= self.limits.chunks {
                return Err(self.limits.exceeded("chunks", at as u64));
            }
            at = self.chunk(at, rest, header)?;
        }
        if self.extents.is_empty() {
            return Err(Error::NotARecording { found: "an empty file".to_owned() });
        }
        let mut frequency = None;
        for extent in &self.extents {
            let ticks_per_second = extent.header.ticks_per_second;
            if ticks_per_second <= 0 {
                let what = Damage::NoFrequency { ticks_per_second };
                frequency = Some((extent.range.start, what));
                break;
            }
        }
        if let Some((at, what)) = frequency {
            self.lose(at, 0, what);
        }
        Ok(())
    }

    /// Adds a chunk unless it repeats an earlier one.
    fn push(&mut self, extent: Extent) {
        let bytes = self.bytes.get(extent.range.clone()).unwrap_or_default();
        let Some(header) = bytes.first_chunk::<HEADER_SIZE>() else { return self.extents.push(extent) };
        let earlier = self.known.get(header).and_then(|first| self.extents.get(*first));
        match earlier.and_then(|earlier| self.bytes.get(earlier.range.clone())) {
            Some(earlier) if earlier == bytes => {
                work::done(bytes.len());
                let (chunks, _, sum) = self.repeated.get_or_insert((0, extent.range.start, 0));
                *chunks = chunks.saturating_add(1);
                *sum = sum.saturating_add(bytes.len());
            }
            Some(_) => self.extents.push(extent),
            None => {
                self.known.insert(*header, self.extents.len());
                self.extents.push(extent);
            }
        }
    }

    fn lose_repeated(&mut self) {
        if let Some((chunks, at, bytes)) = self.repeated.take() {
            self.lose(at, bytes, Damage::Repeated { chunks });
        }
    }

    /// Records the chunk at `at` and returns where the next one should begin.
    fn chunk(&mut self, at: usize, rest: &[u8], header: ChunkHeader) -> Result<usize> {
        let size = usize::try_from(header.chunk_size).ok().filter(|&size| size >= HEADER_SIZE);
        let positions = header.metadata_position.max(header.constant_pool_position);
        let trusted = header.state != u8::MAX && positions < header.chunk_size;
        let sized = size.filter(|&size| size <= rest.len() && trusted);
        if let Some(size) = sized {
            // The data after an unfinished chunk is the beginning of its next flush.
            let behind = rest.get(size..).unwrap_or_default();
            let followed = behind.is_empty() || behind.starts_with(&MAGIC);
            // A size that leads nowhere may be damaged: another chunk can begin before it ends.
            let within = rest.get(..size.saturating_add(HEADER_SIZE)).unwrap_or(rest);
            if followed || next_header(within).is_none_or(|at| at >= size) {
                if header.in_progress() {
                    self.lose(at, 0, Damage::Unfinished);
                }
                self.push(Extent { range: at..at + size, header, survey: None });
                if followed || !header.in_progress() {
                    return Ok(at + size);
                }
                let next = find_header(behind).unwrap_or(behind.len());
                self.lose(at + size, next, Damage::Unfinished);
                return Ok(at + size + next);
            }
        }
        let next = next_header(rest);
        if let Some(next) = next.filter(|&next| next < HEADER_SIZE) {
            self.lose(at, next, Damage::Truncated);
            return Ok(at + next);
        }
        // Stop at the next chunk, since the size of a damaged event may reach into it.
        let found = survey(next.and_then(|next| rest.get(..next)).unwrap_or(rest), self.stop)?;
        let what = match size {
            _ if header.in_progress() => Damage::Unfinished,
            Some(size) if size > rest.len() => Damage::Truncated,
            _ => Damage::BadChunkSize,
        };
        let end = found.end;
        // Data without valid framing is the truncated last event, unless another chunk begins in it.
        let behind = rest.get(end..).unwrap_or_default();
        let next = find_header(behind).unwrap_or(behind.len());
        self.lose(at + end, next, what);
        self.push(Extent { range: at..at + end, header, survey: Some(Arc::new(found)) });
        Ok(at + end + next)
    }

    /// Handles bytes at `at` that do not begin a chunk: moves on to where one begins.
    fn stray(&mut self, at: usize, why: Error) -> Result<usize> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        // One byte further, so that a rejected chunk is not found again.
        let next = rest.get(1..).and_then(find_header).map(|n| n + 1);
        if next.is_none() && self.extents.is_empty() {
            return Err(match why {
                Error::Damaged { what: Damage::NoMagic, .. } => Error::NotARecording { found: describe(rest) },
                other => other,
            });
        }
        let bytes = next.unwrap_or(rest.len());
        self.lose(at, bytes, Damage::StrayBytes);
        Ok(at + bytes)
    }

    fn lose(&mut self, at: usize, bytes: usize, what: Damage) {
        if self.losses.len() < self.limits.losses {
            self.losses.push(Loss { offset: at as u64, bytes: bytes as u64, what });
        }
    }
}

/// The position of the next chunk header after the one that `chunk` begins with, which may itself be truncated.
fn next_header(chunk: &[u8]) -> Option<usize> {
    Some(find_header(chunk.get(MAGIC.len()..)?)? + MAGIC.len())
}

/// The position of the next chunk header. Every flush of a chunk contains a copy of the header as the value of
/// a constant, preceded by the number of constants, the key and its length, 68; these copies are skipped.
fn find_header(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let passed = rest.windows(MAGIC.len()).position(|w| w == MAGIC);
        work::done(passed.unwrap_or(rest.len()));
        let at = from + passed?;
        let copy = bytes.get(..at).is_some_and(|before| before.ends_with(&[1, 1, 68]));
        if !copy && bytes.get(at..).is_some_and(|b| ChunkHeader::read(b, 0).is_ok_and(|h| h.plausible())) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The first bytes, for an error message.
fn describe(bytes: &[u8]) -> String {
    let head = bytes.get(..8).unwrap_or(bytes);
    if head.is_empty() {
        return "an empty file".to_owned();
    }
    if head.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        return format!("text ({:?}…)", String::from_utf8_lossy(head));
    }
    let hex: Vec<String> = head.iter().map(|b| format!("{b:02x}")).collect();
    format!("the bytes {}", hex.join(" "))
}

/// Parsed metadata, keyed by its bytes. The chunks of a recording mostly repeat the same metadata. Clones share
/// the cache.
#[derive(Debug, Clone, Default)]
pub struct MetadataCache {
    inner: Arc<Mutex<Cache>>,
}

/// The bytes of a metadata event and their parsed form.
type Known = (Box<[u8]>, Arc<Metadata>);

#[derive(Debug, Default)]
struct Cache {
    hasher: foldhash::quality::RandomState,
    entries: HashMap<u64, Vec<Known>, foldhash::fast::RandomState>,
    bytes: usize,
}

/// Maximum bytes of metadata in a cache, ten times what one JDK writes. If it is exceeded, the cache is
/// cleared.
const CACHE_BYTES: usize = 2 << 20;

impl MetadataCache {
    pub(crate) fn parse(&self, payload: &[u8], offset: u64, limits: &Limits) -> Result<Arc<Metadata>> {
        // Start time and duration differ from chunk to chunk, but the types do not depend on them.
        let mut at = crate::Cursor::new(payload);
        let bad = |_| Error::damaged(offset, Damage::BadMetadata);
        at.skip_varints(2).map_err(bad)?;
        let rest = at.rest();
        let lock = || self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let hash = {
            let mut hasher = lock().hasher.build_hasher();
            hasher.write(rest);
            hasher.finish()
        };
        if let Some(found) = lock().entries.get(&hash) {
            // The input may be forged, so equal hashes do not prove equality.
            if let Some((_, metadata)) = found.iter().find(|(bytes, _)| **bytes == *rest) {
                return Ok(metadata.clone());
            }
        }
        let metadata = Arc::new(Metadata::parse(payload, offset, limits)?);
        let mut cache = lock();
        if cache.bytes.saturating_add(rest.len()) > CACHE_BYTES {
            cache.entries.clear();
            cache.bytes = 0;
        }
        cache.bytes = cache.bytes.saturating_add(rest.len());
        cache.entries.entry(hash).or_default().push((rest.into(), metadata.clone()));
        Ok(metadata)
    }
}
