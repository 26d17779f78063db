//! Reads chunks and parts of chunks in parallel, and delivers the results in file order.
//!
//! ```text
//! let tasks = tasks(&[&recording]);
//! let failures = run(&tasks, |index, chunk| {
//!     let parts = parts(chunk, 1 << 20, |segment| count(chunk, segment))?;
//!     Ok(add_up(parts))
//! }, |index, result| total.add(result))?;
//! ```
//!
//! The order in which results are committed does not depend on the number of threads, and neither may the
//! result of a consumer. It uses the threads of the caller's rayon pool.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::hash::HashMap;
use jfr_parse::{Chunk, ChunkHeader, Damage, EpochNanos, Error, Loss, Recording, Result, Ticks};
use rayon::prelude::*;

use super::stacks::NAMES;

/// A chunk to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'r> {
    pub(crate) recording: &'r Recording<'r>,
    /// Index of the chunk in that recording.
    pub(crate) number: usize,
}

impl<'r> Task<'r> {
    /// The header of the chunk and its bytes.
    fn bytes(&self) -> Option<(&'r ChunkHeader, &'r [u8])> {
        let (offset, header) = self.recording.header(self.number)?;
        let end = self.recording.header(self.number.saturating_add(1));
        let bytes = self.recording.bytes().get(usize::try_from(offset).ok()?..)?;
        // The size from the header, or less if the chunk is truncated.
        let end = end.and_then(|(end, _)| usize::try_from(end.saturating_sub(offset)).ok()).unwrap_or(bytes.len());
        let size = usize::try_from(header.chunk_size).unwrap_or(usize::MAX).min(end);
        Some((header, bytes.get(..size).unwrap_or(bytes)))
    }

    /// Whether both chunks have the same content.
    fn is_equal(&self, other: &Task<'_>) -> bool {
        self.bytes().is_some_and(|mine| Some(mine) == other.bytes())
    }
}

/// All chunks of these recordings in order. Dumps of the same recording share chunks, and equal ones are listed once.
pub(crate) fn tasks<'r>(recordings: &[&'r Recording<'r>]) -> Vec<Task<'r>> {
    let mut tasks: Vec<Task<'r>> = Vec::new();
    // Chunks within a recording are known to differ.
    let mut first: HashMap<(EpochNanos, Ticks, u64), usize> = HashMap::default();
    for recording in recordings.iter().copied() {
        for (number, (_, header)) in recording.headers().enumerate() {
            let task = Task { recording, number };
            if recordings.len() > 1 {
                let place = tasks.len();
                let known = *first.entry((header.start_nanos, header.start_ticks, header.chunk_size)).or_insert(place);
                if known < place && tasks.get(known).is_some_and(|known| known.is_equal(&task)) {
                    continue;
                }
            }
            tasks.push(task);
        }
    }
    tasks
}

/// The chunks that [`tasks`] left out. The offset is that of the first such chunk in its recording.
pub(crate) fn repeated(recordings: &[&Recording<'_>], tasks: &[Task<'_>]) -> Option<Loss> {
    let mut tasks = tasks.iter().peekable();
    let mut found: Option<(usize, Loss)> = None;
    for recording in recordings {
        for (number, (offset, header)) in recording.headers().enumerate() {
            let is_next = |task: &&Task<'_>| std::ptr::eq(task.recording, *recording) && task.number == number;
            if tasks.next_if(is_next).is_none() {
                let what = Damage::Repeated { chunks: 0 };
                let (chunks, loss) = found.get_or_insert((0, Loss { offset, bytes: 0, what }));
                *chunks = chunks.saturating_add(1);
                loss.bytes = loss.bytes.saturating_add(header.chunk_size);
            }
        }
    }
    found.map(|(chunks, loss)| Loss { what: Damage::Repeated { chunks }, ..loss })
}

/// The chunks that could not be read.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Number of chunks.
    pub(crate) chunks: usize,
    /// The error of the first such chunk, in the order of the tasks.
    pub(crate) first: Option<Error>,
}

/// Reads chunks in parallel with `read`, and passes each result to `commit`, which is called for one chunk
/// after another in the order of the tasks. Both receive the index of the chunk among the tasks.
///
/// If a chunk cannot be read, its error is committed, and the other chunks are still read.
///
/// # Errors
/// [`Error::Stopped`] and limits of the whole call (`memory`, `stacks`) end the call at once; what has been
/// committed by then stays. [`Error::Changed`] if a recording changed while it was read.
pub(crate) fn run<'r, T: Send>(
    tasks: &[Task<'r>],
    read: impl Fn(usize, &Chunk<'r>) -> Result<T> + Sync,
    commit: impl FnMut(usize, std::result::Result<T, &Error>) + Send,
) -> Result<Failures> {
    let next = AtomicUsize::new(0);
    let order =
        Mutex::new(Order { next: 0, waiting: BTreeMap::new(), failures: Failures::default(), fatal: None, commit });
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(index) else { return };
            let result = task.recording.chunk(task.number).and_then(|chunk| read(index, &chunk));
            let mut order = order.lock();
            match result {
                Err(error) if is_fatal(&error) => {
                    next.store(tasks.len(), Ordering::Relaxed);
                    order.fatal.get_or_insert(error);
                    return;
                }
                result => order.take(index, result),
            }
        }
    };
    match rayon::current_num_threads().min(tasks.len()) {
        0 | 1 => work(),
        threads => rayon::scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| work()))),
    }
    let mut checked: Option<&Recording<'_>> = None;
    for task in tasks {
        if checked.is_none_or(|known| !std::ptr::eq(known, task.recording)) {
            task.recording.check_unchanged()?;
            checked = Some(task.recording);
        }
    }
    let Order { failures, fatal, .. } = order.into_inner();
    fatal.map_or(Ok(failures), Err)
}

/// Puts the results of chunks, which arrive in any order, back in order.
struct Order<T, C> {
    next: usize,
    waiting: BTreeMap<usize, Result<T>>,
    failures: Failures,
    fatal: Option<Error>,
    commit: C,
}

impl<T, C: FnMut(usize, std::result::Result<T, &Error>)> Order<T, C> {
    fn take(&mut self, index: usize, result: Result<T>) {
        self.waiting.insert(index, result);
        while let Some(result) = self.waiting.remove(&self.next) {
            match result {
                Ok(result) => (self.commit)(self.next, Ok(result)),
                Err(error) => {
                    (self.commit)(self.next, Err(&error));
                    self.failures.chunks += 1;
                    self.failures.first.get_or_insert(error);
                }
            }
            self.next += 1;
        }
    }
}

/// Whether an error concerns the whole call, not just one chunk.
fn is_fatal(error: &Error) -> bool {
    matches!(error, Error::Stopped | Error::LimitExceeded { name: "memory" | "stacks" | NAMES, .. })
}

/// Returns the result of each part of a chunk, in file order. Parts of about `size` bytes, split at event
/// boundaries, are read in parallel, the largest first: a profiler may write all of its constants as a single
/// event, which only one thread can read.
///
/// # Errors
/// The first error of `read`.
pub(crate) fn parts<P: Send>(
    chunk: &Chunk<'_>,
    size: usize,
    read: impl Fn(Range<usize>) -> Result<P> + Sync,
) -> Result<Vec<P>> {
    let mut segments: Vec<(usize, Range<usize>)> = chunk.segments(size).into_iter().enumerate().collect();
    if let [(_, only)] = segments.as_slice() {
        return read(only.clone()).map(|part| vec![part]);
    }
    segments.sort_by_key(|(_, segment)| std::cmp::Reverse(segment.len()));
    let one = |(i, segment)| Ok((i, read(segment)?));
    let mut parts = segments.into_par_iter().with_max_len(1).map(one).collect::<Result<Vec<(usize, P)>>>()?;
    parts.sort_by_key(|(i, _)| *i);
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

/// Like [`parts`], but passes each part to `add`, in file order, while others are still being read, so that
/// only a few are in memory at once.
///
/// # Errors
/// An error of `read`, after which no more parts are read.
pub(crate) fn parts_in_order<P: Send>(
    chunk: &Chunk<'_>,
    size: usize,
    read: impl Fn(Range<usize>) -> Result<P> + Sync,
    mut add: impl FnMut(P) + Send,
) -> Result<()> {
    let segments = chunk.segments(size);
    if let [only] = segments.as_slice() {
        add(read(only.clone())?);
        return Ok(());
    }
    let mut order: Vec<(usize, Range<usize>)> = segments.into_iter().enumerate().collect();
    // Parts that are much larger than the others first; the rest in the order in which they are added.
    let large = |segment: &Range<usize>| if segment.len() / 2 > size { segment.len() } else { 0 };
    order.sort_by_key(|(_, segment)| std::cmp::Reverse(large(segment)));
    let next = AtomicUsize::new(0);
    let added = Mutex::new((0, BTreeMap::new(), add, None));
    let work = || {
        while let Some((i, segment)) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let part = read(segment.clone());
            let mut added = added.lock();
            let (first, waiting, add, failed) = &mut *added;
            match part {
                Ok(part) => {
                    waiting.insert(*i, part);
                    while let Some(part) = waiting.remove(first) {
                        add(part);
                        *first += 1;
                    }
                }
                Err(error) => {
                    next.store(order.len(), Ordering::Relaxed);
                    failed.get_or_insert(error);
                }
            }
        }
    };
    match rayon::current_num_threads().min(order.len()) {
        0 | 1 => work(),
        threads => rayon::scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| work()))),
    }
    added.into_inner().3.map_or(Ok(()), Err)
}

/// Converts the error of a chunk that cannot be read to a loss.
pub(crate) fn as_loss(task: &Task<'_>, error: &Error) -> Loss {
    let header = task.recording.header(task.number);
    let (offset, bytes) = header.map_or((0, 0), |(offset, header)| (offset, header.chunk_size));
    let left = (task.recording.bytes().len() as u64).saturating_sub(offset);
    let what = match error {
        Error::Damaged { what, .. } => *what,
        Error::LimitExceeded { name, .. } => Damage::OverLimit { limit: name },
        _ => Damage::BadMetadata,
    };
    Loss { offset, bytes: bytes.min(left), what }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn many_chunks() -> Recording<'static> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-multichunk.jfr");
        let file = std::fs::read(path).unwrap();
        let mut bytes = Vec::new();
        for copy in 0..20u8 {
            // Different start times, because equal chunks would count once.
            let at = bytes.len();
            bytes.extend(&file);
            let one = Recording::from_bytes(file.clone(), &jfr_parse::Limits::tool()).unwrap();
            for (offset, _) in one.headers() {
                bytes[at + usize::try_from(offset).unwrap() + 39] ^= copy;
            }
        }
        Recording::from_bytes(bytes, &jfr_parse::Limits::tool()).unwrap()
    }

    #[test]
    fn equal_chunks_of_several_recordings_are_read_once() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-multichunk.jfr");
        let [one, two] = [(); 2].map(|()| Recording::open(path).unwrap());
        let both = [&one, &two];
        let tasks = tasks(&both);
        assert_eq!(tasks.len(), one.chunk_count());
        let loss = repeated(&both, &tasks).unwrap();
        assert_eq!((loss.offset, loss.bytes), (0, one.bytes().len() as u64));
        assert_eq!(loss.what, Damage::Repeated { chunks: one.chunk_count() });
        assert_eq!(repeated(&[&one], &super::tasks(&[&one])), None);
    }

    /// A consumer that only needs the size of each chunk can be written with these functions alone.
    #[test]
    fn results_are_committed_in_order_by_any_number_of_threads() {
        let recording = many_chunks();
        assert!(recording.chunk_count() >= 40);
        let tasks = tasks(&[&recording]);
        for threads in [1, 2, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut seen = Vec::new();
            let failures = pool.install(|| {
                let odd = |index: usize, chunk: &Chunk<'_>| {
                    let sizes = parts(chunk, 1, |part| Ok(part.len()))?;
                    if index == 7 { Err(chunk.limits().exceeded("types", 5)) } else { Ok(sizes.iter().sum::<usize>()) }
                };
                run(&tasks, odd, |index, result| seen.push((index, result.ok()))).unwrap()
            });
            assert_eq!(seen.len(), recording.chunk_count());
            assert!(seen.iter().zip(0..).all(|((index, size), i)| *index == i && size.is_some() == (i != 7)));
            assert!(failures.chunks == 1 && matches!(failures.first, Some(Error::LimitExceeded { name: "types", .. })));
        }
    }

    #[test]
    fn errors_of_the_whole_call_end_it() {
        let recording = many_chunks();
        let tasks = tasks(&[&recording]);
        let result = run(&tasks, |_, _| Err::<(), _>(Error::Stopped), |_, _| {});
        assert!(matches!(result, Err(Error::Stopped)));
    }
}
