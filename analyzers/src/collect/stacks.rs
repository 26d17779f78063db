//! Resolving stack traces: from the key in a chunk to a stack in the tables.
//!
//! Most of the bytes of a recording are frames, and the same frame stands in dozens of traces. So a frame is not
//! decoded: its bytes are the key of a memo.

use hashbrown::HashMap;
use jfr_parse::{Chunk, Cursor, PoolOf, Pools};

use super::functions::{Functions, RawMethod, pseudo};
use super::plans::StackPlans;
use crate::model::{Frame, FrameId, FunctionId, Interner, StackId};

/// Name of the frame of events without a usable stack trace.
pub(super) const NO_STACK_TRACE: &str = "[no stack trace]";
/// Name of the root frame of traces that are deeper than was recorded.
pub(super) const TRUNCATED: &str = "[truncated]";
/// Name of a frame whose method is not in the recording.
const UNKNOWN_METHOD: &str = "[unknown method]";

/// What is shared by all threads that resolve stacks.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) interner: Interner,
    functions: Functions,
    raw_names: bool,
    max_frames: usize,
    no_stack: StackId,
    truncated: FrameId,
    unknown: FunctionId,
}

impl Shared {
    pub(super) fn new(raw_names: bool, max_frames: usize) -> Self {
        let interner = Interner::new();
        let frame = |name: &str| {
            let function = pseudo(name, &interner);
            interner.symbols().frame_id(Frame { function, line: 0 })
        };
        let (no_stack, truncated) = (frame(NO_STACK_TRACE), frame(TRUNCATED));
        let unknown = pseudo(UNKNOWN_METHOD, &interner);
        let no_stack = interner.stack(&[no_stack]);
        Self { interner, functions: Functions::default(), raw_names, max_frames, no_stack, truncated, unknown }
    }

    /// The stack of events without a usable stack trace.
    pub(super) fn no_stack(&self) -> StackId {
        self.no_stack
    }
}

/// Frames remembered by their bytes, at most: they should stay in a core's own cache.
const MEMO: usize = 1 << 15;
/// Bytes of a frame that can be remembered.
const MEMO_BYTES: usize = 15;
/// Up to so many bytes, four varints cannot hold one of nine bytes, whose last byte may look as if it went on.
const SURE_BYTES: usize = 11;

/// The bytes of a frame, and the frame.
#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    low: u64,
    /// Bytes 8 to 14; the top byte is set where something is remembered.
    high: u64,
    frame: FrameId,
}

/// Resolves the stack traces of one chunk, on one thread.
pub(super) struct Resolver<'c, 'a> {
    shared: &'c Shared,
    chunk: &'c Chunk<'a>,
    pools: &'c Pools<'a>,
    plans: Option<&'c StackPlans>,
    traces: Option<PoolOf<'c, 'a>>,
    memo: Vec<Remembered>,
    methods: HashMap<u64, FunctionId, foldhash::fast::RandomState>,
    frames: Vec<FrameId>,
    scratch: Vec<u8>,
}

impl<'c, 'a> Resolver<'c, 'a> {
    /// A resolver for about `traces` traces.
    pub(super) fn new(
        shared: &'c Shared,
        chunk: &'c Chunk<'a>,
        pools: &'c Pools<'a>,
        plans: Option<&'c StackPlans>,
        traces: usize,
    ) -> Self {
        // A small chunk should not pay for clearing a large memo.
        let memo = vec![Remembered::default(); traces.saturating_mul(8).next_power_of_two().clamp(64, MEMO)];
        Self {
            shared,
            chunk,
            pools,
            plans,
            traces: plans.and_then(|p| pools.of_type(p.trace_type)),
            memo,
            methods: HashMap::default(),
            frames: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The stack of a trace, and whether it was truncated. A trace that is not there, is empty or does not parse
    /// is the stack of the single frame `[no stack trace]`.
    pub(super) fn resolve(&mut self, key: u64) -> (StackId, bool) {
        self.frames.clear();
        match self.read(key) {
            Some(truncated) if !self.frames.is_empty() => {
                if truncated {
                    self.frames.push(self.shared.truncated);
                }
                (self.shared.interner.stack(&self.frames), truncated)
            }
            _ => (self.shared.no_stack, false),
        }
    }

    /// Reads the frames of a trace; `None` where there are none to be had.
    fn read(&mut self, key: u64) -> Option<bool> {
        let plans = self.plans?;
        let row = plans.trace.read(self.traces?.get(key)?).ok()?;
        let mut at = row.cursor(1)?;
        let count = at.count().ok()?;
        let kept = count.min(self.shared.max_frames);
        match plans.varints {
            Some(varints) if !plans.pooled_frames => self.by_bytes(plans, &mut at, kept, varints)?,
            _ => {
                for _ in 0..kept {
                    let frame = if plans.pooled_frames {
                        let key = at.varint().ok()?;
                        let Some(bytes) = self.pools.get(plans.frame_type, key) else {
                            let unknown = self.frame(0, 0, true);
                            self.frames.push(unknown);
                            continue;
                        };
                        self.decode(plans, &mut Cursor::new(bytes))?
                    } else {
                        self.decode(plans, &mut at)?
                    };
                    self.frames.push(frame);
                }
            }
        }
        Some(row.bool(0) || kept < count)
    }

    /// Reads frames that are `varints` varints each.
    fn by_bytes(&mut self, plans: &StackPlans, at: &mut Cursor<'a>, count: usize, varints: u32) -> Option<()> {
        let mask = self.memo.len() - 1;
        for _ in 0..count {
            let frame = match frame_bytes(at.rest(), varints) {
                Some((low, high, len)) => {
                    let slot = memo_slot(low, high) & mask;
                    match self.memo.get(slot) {
                        Some(known) if known.low == low && known.high == high => {
                            at.bytes(len).ok()?;
                            known.frame
                        }
                        _ => {
                            let frame = self.decode(plans, at)?;
                            if let Some(to) = self.memo.get_mut(slot) {
                                *to = Remembered { low, high, frame };
                            }
                            frame
                        }
                    }
                }
                None => self.decode(plans, at)?,
            };
            self.frames.push(frame);
        }
        Some(())
    }

    fn decode(&mut self, plans: &StackPlans, at: &mut Cursor<'a>) -> Option<FrameId> {
        let row = plans.frame.read_next(at).ok()?;
        // -1 is the JVM's "no line".
        let line = u32::try_from(row.i64(1)).unwrap_or(0);
        Some(self.frame(row.u64(0), line, false))
    }

    fn frame(&mut self, method: u64, line: u32, unknown: bool) -> FrameId {
        let function = if unknown { self.shared.unknown } else { self.function(method) };
        self.shared.interner.symbols().frame_id(Frame { function, line })
    }

    fn function(&mut self, key: u64) -> FunctionId {
        if let Some(known) = self.methods.get(&key) {
            return *known;
        }
        let method = self.plans.and_then(|plans| RawMethod::find(self.chunk, self.pools, plans, key));
        let id = match method {
            Some(method) => {
                self.shared.functions.get(&method, self.shared.raw_names, &self.shared.interner, &mut self.scratch)
            }
            None => self.shared.unknown,
        };
        self.methods.insert(key, id);
        id
    }
}

/// The bytes of the next frame, as [`Remembered`] holds them, and how many there are; `None` where they are too
/// many, or too near the end, to be read at once.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the parts of the number are wanted")]
fn frame_bytes(rest: &[u8], varints: u32) -> Option<(u64, u64, usize)> {
    const MORE: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
    const USED: u64 = 0xff << 56;
    let word = u128::from_le_bytes(*rest.first_chunk::<16>()?);
    let mut ends = !word & MORE;
    for _ in 1..varints {
        ends &= ends.wrapping_sub(1);
    }
    let bits = ends.trailing_zeros();
    let len = (bits / 8 + 1) as usize;
    if len > SURE_BYTES && (len > MEMO_BYTES || long_run(word & MORE)) {
        return None;
    }
    let bytes = word & (u128::MAX >> (127 - bits));
    Some((bytes as u64, (bytes >> 64) as u64 | USED, len))
}

/// Whether eight bytes in a row have the top bit, given the top bits: only then is there a nine-byte varint.
fn long_run(mut more: u128) -> bool {
    for bytes in [1, 2, 4] {
        more &= more >> (8 * bytes);
    }
    more != 0
}

#[inline]
fn memo_slot(low: u64, high: u64) -> usize {
    let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize
}
