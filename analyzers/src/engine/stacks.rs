//! Resolves stack traces: from a key in a chunk to a stack in the tables.
//!
//! Most of the bytes in a recording are frames, and the same sequences of frames occur in dozens of traces. So
//! each trace is split, starting at the root, into blocks ([`BLOCK`]) like those in the tables of profiles. A
//! block is not decoded; its bytes are the key into a lookup table. The same applies to frames outside of
//! blocks.

use parking_lot::{Mutex, MutexGuard};
use std::hash::BuildHasher;

use crate::hash::{HashMap, Hasher};
use hashbrown::HashTable;
use jfr_parse::engine::top_bits;
use jfr_parse::{Chunk, ConstantKey, Cursor, Error, Limits, PoolOf, Pools, Result, work};
use rayon::prelude::*;

use super::functions::{Functions, Methods, Spelling, pseudo};
use super::memo::{MEMO_BYTES, Memo};
use super::stack_plans::StackPlans;
use jfrkit_profile::index::{IndexVec, range};
use jfrkit_profile::{BLOCK, BlockId, Frame, FrameId, FunctionId, Interner, StackId, Tables};

/// The frame for events without a usable stack trace.
pub(crate) const NO_STACK_TRACE: &str = "[no stack trace]";
/// The root frame of traces that were deeper than the recorded depth.
pub(crate) const TRUNCATED: &str = "[truncated]";
/// The frame for a method that is not in the recording.
const UNKNOWN_METHOD: &str = "[unknown method]";

/// State shared by all threads that resolve stacks.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) interner: Interner,
    functions: Functions,
    max_frames: usize,
    no_stack: StackId,
    unknown: FrameId,
    unknown_function: FunctionId,
    /// Caches that are not in use. Clearing one is cheaper than allocating a new one for each chunk.
    memos: Mutex<Vec<Memo>>,
}

impl Shared {
    /// `bytes` is the total size of the recordings to be read.
    pub(crate) fn new(spelling: Spelling, limits: &Limits, bytes: usize) -> Self {
        let max_frames = limits.stack_frames;
        let interner = Interner::new();
        let frame = |name: &str| {
            let function = pseudo(name, &interner);
            interner.symbols().frame_id(Frame { function, line: 0 })
        };
        let (no_stack, truncated) = (frame(NO_STACK_TRACE), frame(TRUNCATED));
        // With raw names, a missing method has no name.
        let unknown = if spelling.raw { "" } else { UNKNOWN_METHOD };
        let (unknown, unknown_function) = (frame(unknown), pseudo(unknown, &interner));
        interner.mark_truncated(truncated);
        let no_stack = interner.stack(&[no_stack]);
        let functions = Functions::new(spelling, limits, bytes);
        let memos = Mutex::default();
        Self { interner, functions, max_frames, no_stack, unknown, unknown_function, memos }
    }

    fn memos(&self) -> MutexGuard<'_, Vec<Memo>> {
        self.memos.lock()
    }

    /// Finishes the tables.
    pub(crate) fn freeze(self) -> Tables {
        self.interner.freeze()
    }

    /// The number of names that were truncated, because they or their total were too long.
    pub(crate) fn cut_names(&self) -> usize {
        self.functions.cut()
    }

    /// The error for [`with_bounded_names`] if the names are too long in total.
    fn check_names(&self) -> Result<()> {
        let error = |limit| Error::LimitExceeded { name: NAMES, what: "bytes of names", limit, offset: 0 };
        self.functions.exceeded().map_or(Ok(()), |limit| Err(error(limit)))
    }

    /// The stack for events without a usable stack trace.
    pub(crate) fn no_stack(&self) -> StackId {
        self.no_stack
    }
}

/// The internal limit whose error makes [`with_bounded_names`] start over.
pub(super) const NAMES: &str = "names";

/// Calls `read` with full names and, if their total exceeds the allowance, again with [short](Spelling::short) ones, which is the
/// argument. If only the names beyond the allowance were truncated, the result would depend on which thread is first.
///
/// # Errors
/// Those of `read`.
pub(crate) fn with_bounded_names<T>(read: impl Fn(bool) -> Result<T>) -> Result<T> {
    match read(false) {
        Err(Error::LimitExceeded { name: NAMES, .. }) => read(true),
        result => result,
    }
}

/// Within this many bytes, four varints cannot include a nine-byte one, whose last byte can look as if the
/// varint continued.
const SURE_BYTES: usize = 11;

crate::ids::ids! {
    /// A frame that a resolver knows. 0 is the unknown method; 1 is not used.
    LocalFrame;
    /// A block that a resolver knows.
    LocalBlock;
    /// A method that a resolver knows.
    LocalMethod;
}

/// Number of a frame that every resolver has: the unknown method.
const UNKNOWN: u32 = 0;

/// Number of stack traces that one thread resolves at a time: enough to be worthwhile, few enough that all
/// threads finish at about the same time.
const FEWEST: usize = 256;
const MOST: usize = 2_048;

/// Maximum number of blocks for which a resolver makes room at once. A chunk of a JVM has about as many different blocks as
/// traces.
const MOST_ROOM: usize = 1 << 14;

type Resolved = (StackId, bool);

/// The stacks of a chunk, shared by all consumers that need them.
pub(crate) struct ChunkStacks<'c, 'a> {
    shared: &'c Shared,
    chunk: &'c Chunk<'a>,
    pools: &'c Pools<'a>,
    plans: Option<&'c StackPlans>,
    check: &'c (dyn Fn() -> Result<()> + Sync),
    /// One resolver per participating thread; each has to learn the frames of the chunk.
    idle: Mutex<Vec<Resolver<'c, 'a>>>,
    /// Traces resolved so far, if they may be requested again.
    known: Option<Mutex<HashMap<ConstantKey, Resolved>>>,
}

impl std::fmt::Debug for ChunkStacks<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkStacks").finish_non_exhaustive()
    }
}

impl<'c, 'a> ChunkStacks<'c, 'a> {
    /// `again` is whether the same traces may be resolved more than once; `check` is called from time to time.
    pub(crate) fn new(
        shared: &'c Shared,
        chunk: &'c Chunk<'a>,
        pools: &'c Pools<'a>,
        plans: Option<&'c StackPlans>,
        again: bool,
        check: &'c (dyn Fn() -> Result<()> + Sync),
    ) -> Self {
        let known = again.then(Mutex::default);
        Self { shared, chunk, pools, plans, check, idle: Mutex::default(), known }
    }

    /// Resolves the same traces with names written differently.
    pub(crate) fn spelled(&self, shared: &'c Shared) -> Self {
        Self::new(shared, self.chunk, self.pools, self.plans, false, self.check)
    }

    /// Whether the stacks belong to these tables.
    pub(crate) fn are_of(&self, shared: &Shared) -> bool {
        std::ptr::eq(self.shared, shared)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Resolver<'c, 'a>>> {
        self.idle.lock()
    }

    /// Resolves each trace, in parallel, to its stack and whether it was truncated. A trace that is missing,
    /// empty or damaged becomes the stack with the single frame `[no stack trace]`.
    ///
    /// # Errors
    /// Errors of `check`.
    pub(crate) fn resolve(&self, traces: &[ConstantKey]) -> Result<Vec<Resolved>> {
        let Some(known) = &self.known else { return self.resolve_all(traces) };
        let mut known = known.lock();
        let fresh: Vec<ConstantKey> = traces.iter().copied().filter(|trace| !known.contains_key(trace)).collect();
        known.extend(fresh.iter().copied().zip(self.resolve_all(&fresh)?));
        let resolved = traces.iter().map(|trace| known.get(trace).copied());
        let none = (self.shared.no_stack(), false);
        Ok(resolved
            .map(|resolved| {
                debug_assert!(resolved.is_some(), "a trace that was not resolved");
                resolved.unwrap_or(none)
            })
            .collect())
    }

    fn resolve_all(&self, traces: &[ConstantKey]) -> Result<Vec<Resolved>> {
        let some = |part: &[ConstantKey]| -> Result<Vec<Resolved>> {
            (self.check)()?;
            let resolver = self.idle().pop();
            let mut resolver = resolver
                .unwrap_or_else(|| Resolver::new(self.shared, self.chunk, self.pools, self.plans, traces.len()));
            let resolved = resolver.resolve(part);
            self.idle().push(resolver);
            self.shared.check_names()?;
            (self.check)()?;
            Ok(resolved)
        };
        let at_once = traces.len().div_ceil(8 * rayon::current_num_threads()).clamp(FEWEST, MOST);
        if traces.len() <= at_once {
            return some(traces);
        }
        traces.par_chunks(at_once).map(some).collect::<Result<Vec<_>>>().map(|parts| parts.concat())
    }
}

impl Drop for ChunkStacks<'_, '_> {
    fn drop(&mut self) {
        let memos = self.idle().drain(..).map(|resolver| resolver.memo).collect::<Vec<_>>();
        self.shared.memos().extend(memos);
    }
}

/// Resolves the stack traces of one chunk on one thread.
///
/// Frames first get numbers that are local to the resolver. New frames are then looked up in batches, because
/// each lookup waits for memory.
struct Resolver<'c, 'a> {
    shared: &'c Shared,
    pools: &'c Pools<'a>,
    plans: Option<&'c StackPlans>,
    traces: Option<PoolOf<'c, 'a>>,
    methods: Option<Methods<'c, 'a>>,
    memo: Memo,
    frames: IndexVec<LocalFrame, FrameId>,
    /// The bytes of blocks, and the blocks by hash.
    block_bytes: IndexVec<LocalBlock, &'a [u8]>,
    block_numbers: HashTable<(u64, LocalBlock)>,
    hasher: Hasher,
    blocks: IndexVec<LocalBlock, BlockId>,
    /// The frame numbers of the blocks that have a number but have not been looked up yet.
    fresh_blocks: Vec<[u32; BLOCK]>,
    /// Method and line of the frames that have a number but have not been looked up yet.
    fresh: Vec<(ConstantKey, u32)>,
    methods_by_key: HashMap<ConstantKey, LocalMethod>,
    functions: IndexVec<LocalMethod, FunctionId>,
    /// Numbers of the loose frames and the blocks of the traces being resolved.
    numbers: Vec<u32>,
    /// Where the blocks of a trace begin and end.
    ends: Vec<usize>,
}

/// A trace that has been read but not looked up.
struct Trace {
    /// The end of its numbers.
    end: usize,
    loose: usize,
    truncated: bool,
    /// If false, there is no usable stack.
    readable: bool,
}

impl<'c, 'a> Resolver<'c, 'a> {
    /// Creates a resolver for about `traces` traces.
    fn new(
        shared: &'c Shared,
        chunk: &'c Chunk<'a>,
        pools: &'c Pools<'a>,
        plans: Option<&'c StackPlans>,
        traces: usize,
    ) -> Self {
        let room = traces.min(MOST_ROOM);
        Self {
            shared,
            pools,
            plans,
            traces: plans.and_then(|p| pools.of_type(p.trace_type)),
            methods: plans.map(|plans| Methods::new(chunk, pools, plans)),
            memo: shared.memos().pop().map_or_else(|| Memo::new(traces), |used| used.cleared(traces)),
            frames: IndexVec::filled(shared.unknown, 2),
            block_bytes: IndexVec::with_capacity(room),
            block_numbers: HashTable::with_capacity(room),
            hasher: Hasher::default(),
            blocks: IndexVec::with_capacity(room),
            fresh_blocks: Vec::new(),
            fresh: Vec::new(),
            methods_by_key: HashMap::default(),
            functions: IndexVec::new(),
            numbers: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Resolves each trace to its stack and whether it was truncated. A trace that is missing, empty or damaged
    /// becomes the stack with the single frame `[no stack trace]`.
    fn resolve(&mut self, keys: &[ConstantKey]) -> Vec<(StackId, bool)> {
        self.numbers.clear();
        let mut traces = Vec::with_capacity(keys.len());
        for key in keys {
            let from = self.numbers.len();
            let read = self.read(*key).filter(|_| self.numbers.len() > from);
            if read.is_none() {
                self.numbers.truncate(from);
            }
            let (loose, truncated) = read.unwrap_or_default();
            traces.push(Trace { end: self.numbers.len(), loose, truncated, readable: read.is_some() });
        }
        self.learn();
        let mut from = 0;
        let (mut loose, mut blocks): (Vec<FrameId>, Vec<BlockId>) = Default::default();
        let resolved = traces.into_iter().map(|trace| {
            let numbers = range(&self.numbers, from..trace.end);
            from = trace.end;
            if !trace.readable {
                return (self.shared.no_stack, false);
            }
            debug_assert!(trace.loose <= numbers.len());
            let (of_frames, of_blocks) = numbers.split_at_checked(trace.loose).unwrap_or_default();
            loose.clear();
            loose.extend(of_frames.iter().map(|&n| self.frame(n)));
            blocks.clear();
            blocks.extend(of_blocks.iter().map(|&n| self.blocks[LocalBlock(n)]));
            (self.shared.interner.rope(&loose, &blocks, trace.truncated), trace.truncated)
        });
        resolved.collect()
    }

    fn frame(&self, number: u32) -> FrameId {
        self.frames[LocalFrame(number)]
    }

    /// Reads the frames of a trace. Returns the number of loose frames and whether the trace is truncated;
    /// `None` if it has no readable frames.
    fn read(&mut self, key: ConstantKey) -> Option<(usize, bool)> {
        let plans = self.plans?;
        let row = plans.trace.read(self.traces?.get(key)?).ok()?;
        let mut at = row.get(StackPlans::FRAMES)?;
        let count = at.count().ok()?;
        let kept = count.min(self.shared.max_frames);
        work::done(kept + 1);
        let loose = kept % BLOCK;
        match plans.varints {
            // What every JVM and profiler writes; with a constant, the compiler unrolls the loop over the
            // varints.
            Some(4) => self.by_bytes(plans, at, kept, 4)?,
            Some(varints) => self.by_bytes(plans, at, kept, varints)?,
            None => {
                let mut rest = at.rest();
                let mut numbers = Vec::new();
                for _ in 0..kept {
                    numbers.push(if plans.pooled_frames {
                        let key = ConstantKey(at.varint().ok()?);
                        match self.pools.get(plans.frame_type, key) {
                            Some(mut bytes) => self.decode(plans, &mut bytes)?,
                            None => UNKNOWN,
                        }
                    } else {
                        self.decode(plans, &mut rest)?
                    });
                }
                let (first, inner) = numbers.split_at(loose);
                self.numbers.extend_from_slice(first);
                for block in inner.as_chunks::<BLOCK>().0 {
                    let block = self.new_block(*block);
                    self.numbers.push(block.0);
                }
            }
        }
        Some((loose, row.get(StackPlans::TRUNCATED) || kept < count))
    }

    /// Assigns a new number to a block with these frames.
    fn new_block(&mut self, frames: [u32; BLOCK]) -> LocalBlock {
        let number = self.blocks.len() + self.fresh_blocks.len();
        self.fresh_blocks.push(frames);
        LocalBlock(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Reads frames that consist of `varints` varints each.
    #[inline(always)]
    fn by_bytes(&mut self, plans: &StackPlans, at: Cursor<'a>, count: usize, varints: usize) -> Option<()> {
        let mut rest = at.rest();
        let mut loose = [UNKNOWN; BLOCK];
        let loose = loose.get_mut(..count % BLOCK)?;
        let blocks = count / BLOCK;
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        at.ends_of_groups(loose.len() * varints, BLOCK * varints, blocks + 1, &mut ends).ok()?;
        self.frames_by_bytes(plans, &mut rest, loose, varints)?;
        self.numbers.extend_from_slice(loose);
        let all_bytes = at.rest();
        for (from, to) in ends.iter().zip(ends.iter().skip(1)) {
            let rest = all_bytes.get(*from..)?;
            let bytes = rest.get(..*to - *from)?;
            let hash = self.hasher.hash_one(bytes);
            let all = &self.block_bytes;
            let same = |&(h, block): &(u64, LocalBlock)| h == hash && all[block] == bytes;
            let block = match self.block_numbers.find(hash, same) {
                Some(&(_, block)) => block,
                None => self.block_by_bytes(plans, (bytes, rest), hash, varints)?,
            };
            self.numbers.push(block.0);
        }
        self.ends = ends;
        Some(())
    }

    /// The number of a block that is not found by its bytes. `rest` are these and all that follow, because reading near
    /// the end of a slice is slower.
    #[cold]
    fn block_by_bytes(
        &mut self,
        plans: &StackPlans,
        (bytes, mut rest): (&'a [u8], &'a [u8]),
        hash: u64,
        varints: usize,
    ) -> Option<LocalBlock> {
        let mut frames = [UNKNOWN; BLOCK];
        self.frames_by_bytes(plans, &mut rest, &mut frames, varints)?;
        let block = self.new_block(frames);
        // Blocks from other writers also have numbers, but no bytes: one chunk has one kind of frame.
        let with_bytes = self.block_bytes.push(bytes);
        debug_assert_eq!(with_bytes, block);
        self.block_numbers.insert_unique(hash, (hash, block), |&(hash, _)| hash);
        Some(block)
    }

    /// The numbers of as many frames as fit into the output.
    #[inline(always)]
    fn frames_by_bytes(
        &mut self,
        plans: &StackPlans,
        bytes: &mut &[u8],
        numbers: &mut [u32],
        varints: usize,
    ) -> Option<()> {
        let mut rest = *bytes;
        for to in numbers {
            let frame = frame_bytes(rest, varints);
            if let Some((low, high, len)) = frame
                && let Some(number) = self.memo.find(low, high)
            {
                *to = number;
                rest = rest.get(len..).unwrap_or_default();
                continue;
            }
            let number = self.decode(plans, &mut rest)?;
            if let Some((low, high, _)) = frame {
                self.memo.put(low, high, number);
            }
            *to = number;
        }
        *bytes = rest;
        Some(())
    }

    /// Assigns a new number to the next frame.
    #[cold]
    fn decode(&mut self, plans: &StackPlans, rest: &mut &[u8]) -> Option<u32> {
        let mut at = Cursor::new(rest);
        let (method, line) = if let (Some(places), Some(varints)) = (plans.places, plans.varints) {
            let [method, line] = at.varints_at(varints, places).ok()?;
            #[expect(clippy::cast_possible_truncation, reason = "only the lowest 32 bits count")]
            let line = (line as u32).cast_signed();
            (ConstantKey(method), i64::from(line))
        } else {
            let row = plans.frame.read_next(&mut at).ok()?;
            (row.get(StackPlans::METHOD), row.get(StackPlans::LINE))
        };
        *rest = at.rest();
        // The JVM writes -1 for "no line".
        self.fresh.push((method, u32::try_from(line).unwrap_or(0)));
        u32::try_from(self.frames.len() + self.fresh.len() - 1).ok()
    }

    /// Looks up the frames and blocks with new numbers.
    fn learn(&mut self) {
        let mut places = Vec::with_capacity(self.fresh.len());
        let mut unknown = Vec::new();
        let first = self.functions.len();
        for (method, _) in &self.fresh {
            places.push(*self.methods_by_key.entry(*method).or_insert_with(|| {
                unknown.push(*method);
                LocalMethod(u32::try_from(first + unknown.len() - 1).unwrap_or(u32::MAX))
            }));
        }
        let shared = self.shared;
        if let Some(methods) = &mut self.methods {
            // As many as fit into the cache together with everything that belongs to them.
            for part in unknown.chunks(512) {
                let functions = methods.functions(part, &shared.functions, &shared.interner);
                self.functions.extend(functions.into_iter().map(|id| id.unwrap_or(shared.unknown_function)));
            }
        }
        let mut symbols = shared.interner.symbols();
        for ((_, line), place) in self.fresh.drain(..).zip(places) {
            let function = self.functions[place];
            self.frames.push(symbols.frame_id(Frame { function, line }));
        }
        drop(symbols);
        for numbers in std::mem::take(&mut self.fresh_blocks) {
            let frames = numbers.map(|number| self.frame(number));
            self.blocks.push(shared.interner.block(&frames));
        }
    }
}

/// The bytes of the next frame, in the form used by [`Memo`], and their number; `None` if there are too many,
/// or if they are too near the end to be read at once.
#[inline(always)]
fn frame_bytes(rest: &[u8], varints: usize) -> Option<(u64, u32, usize)> {
    let all = u128::from_le_bytes(*rest.first_chunk::<16>()?);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let more = top_bits(all as u64, (all >> 64) as u64);
    let mut ends = !more & 0xffff;
    for _ in 1..varints {
        ends &= ends.wrapping_sub(1);
    }
    let len = ends.trailing_zeros() as usize + 1;
    if len > SURE_BYTES && (len > MEMO_BYTES || long_run(more)) {
        return None;
    }
    let (low_mask, high_mask) = *MASKS.get(len)?;
    #[expect(clippy::cast_possible_truncation, reason = "the lower two thirds")]
    let (low, high) = (all as u64 & low_mask, (all >> 64) as u32 & high_mask);
    Some((low, high, len))
}

/// Masks for the first `n` of twelve bytes.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const MASKS: [(u64, u32); MEMO_BYTES + 1] = {
    let mut masks = [(0, 0); MEMO_BYTES + 1];
    let mut n = 0;
    while n <= MEMO_BYTES {
        let bits = 8 * n as u32;
        masks[n] = if n < 8 {
            ((1 << bits) - 1, 0)
        } else if n < MEMO_BYTES {
            (u64::MAX, (1 << (bits - 64)) - 1)
        } else {
            (u64::MAX, u32::MAX)
        };
        n += 1;
    }
    masks
};

/// Whether eight consecutive bytes have the top bit set, given the top bits: only then can there be a nine-byte
/// varint.
fn long_run(mut more: u32) -> bool {
    for bytes in [1, 2, 4] {
        more &= more >> bytes;
    }
    more != 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use jfr_parse::engine::push_varint;
    use proptest::prelude::*;

    proptest! {
        /// The cached bytes of a frame are exactly the bytes of its four varints.
        #[test]
        fn the_bytes_of_a_frame_are_its_varints(values in proptest::array::uniform4((any::<u64>(), 0u32..64)), tail: [u8; 16]) {
            let mut bytes = Vec::new();
            for (value, shift) in values {
                push_varint(&mut bytes, value >> shift);
            }
            let len = bytes.len();
            bytes.extend(tail);
            if let Some((low, high, found)) = frame_bytes(&bytes, 4) {
                prop_assert_eq!(found, len);
                let mut whole = [0; 16];
                whole[..len].copy_from_slice(&bytes[..len]);
                prop_assert_eq!(low, u64::from_le_bytes(whole[..8].try_into().unwrap()));
                prop_assert_eq!(u64::from(high), u64::from_le_bytes(whole[8..].try_into().unwrap()));
            } else {
                prop_assert!(len > SURE_BYTES);
            }
        }
    }
}
