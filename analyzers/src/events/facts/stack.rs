//! Stacks: their frames, and where the program's own code begins.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use super::Facts;
use crate::hash::HashMap;
use crate::rule::{Frame, MethodRow, Value};
use jfrkit_profile::{FrameId, FunctionId, Stack, StackId, is_jdk};

/// Remembers which functions belong to the JDK, and where the program's own code begins, because all rules need this for
/// all frames and stacks.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// By function: 0 not determined yet, [`OWN`] or [`OF_JDK`]. Two threads may both compute one, with the same result.
    jdk: OnceLock<Vec<AtomicU8>>,
    /// By stack.
    application: OnceLock<Vec<OnceLock<Option<FrameId>>>>,
}

const OWN: u8 = 1;
const OF_JDK: u8 = 2;

impl Facts {
    /// The frames of a stack, leaf first. Read them with [`method`](Self::method) and [`frame`](Self::frame).
    #[must_use]
    pub fn frames(&self, stack: StackId) -> Stack<'_> {
        self.names.stack(stack)
    }

    /// The method of a frame: `package.Class.method`. A name in brackets is not a method: `[truncated]`, `[no
    /// stack trace]`.
    #[must_use]
    pub fn method(&self, frame: FrameId) -> &str {
        self.names.str(self.names.function(self.names.frame(frame).function).name)
    }

    /// The handle of a frame's method; it is the same for all lines of a method.
    #[must_use]
    pub fn function_of(&self, frame: FrameId) -> FunctionId {
        self.names.frame(frame).function
    }

    /// The methods of a stack, leaf first.
    pub fn methods(&self, stack: StackId) -> impl DoubleEndedIterator<Item = &str> {
        self.frames(stack).iter().map(|f| self.method(*f))
    }

    /// The method at the top of a stack.
    #[must_use]
    pub fn top_method(&self, stack: StackId) -> Option<&str> {
        self.methods(stack).next()
    }

    /// A frame with its line, for use as evidence.
    #[must_use]
    pub fn frame(&self, frame: FrameId) -> Frame {
        let line = self.names.frame(frame).line;
        Frame { method: self.method(frame).to_owned(), line: (line > 0).then_some(line) }
    }

    /// Whether a frame is JDK code, native code, or not a method at all.
    #[must_use]
    pub fn is_jdk_frame(&self, frame: FrameId) -> bool {
        let function = self.names.frame(frame).function;
        let none = || (0..self.names.function_count()).map(|_| AtomicU8::new(0)).collect();
        let Some(known) = self.lazy.stacks.jdk.get_or_init(none).get(function.index()) else {
            return is_jdk(self.method(frame));
        };
        match known.load(Ordering::Relaxed) {
            0 => {
                let found = is_jdk(self.method(frame));
                known.store(if found { OF_JDK } else { OWN }, Ordering::Relaxed);
                found
            }
            known => known == OF_JDK,
        }
    }

    /// The first frame of a stack that belongs to the program's own code.
    #[must_use]
    pub fn application_frame(&self, stack: StackId) -> Option<FrameId> {
        let find = || self.frames(stack).iter().copied().find(|f| !self.is_jdk_frame(*f));
        let none = || (0..self.names.stack_bound()).map(|_| OnceLock::new()).collect();
        let known = self.lazy.stacks.application.get_or_init(none);
        known.get(stack.index()).map_or_else(find, |known| *known.get_or_init(find))
    }

    /// The first frame of a stack that belongs to the program's own code, or the top frame if there is none,
    /// with its line.
    #[must_use]
    pub fn site(&self, stack: StackId) -> Option<Frame> {
        let frame = self.application_frame(stack).or_else(|| self.frames(stack).first().copied())?;
        Some(self.frame(frame))
    }

    /// Evidence: the top `depth` frames of a stack.
    #[must_use]
    pub fn stack_value(&self, stack: StackId, depth: usize) -> Value {
        Value::Stack { frames: self.frames(stack).iter().take(depth).map(|f| self.frame(*f)).collect() }
    }

    /// Evidence: the `count` heaviest top methods of weighted stacks, each with the first frame of the
    /// program's own code on its heaviest stack.
    #[must_use]
    pub fn top_methods(
        &self,
        stacks: impl IntoIterator<Item = (StackId, f64)>,
        count: usize,
        value: impl Fn(f64) -> Value,
    ) -> Value {
        let mut order: Vec<(FunctionId, f64, StackId, f64)> = Vec::new();
        let mut places: HashMap<FunctionId, usize> = HashMap::default();
        let mut total = 0.0;
        for (stack, weight) in stacks {
            total += weight;
            let Some(top) = self.frames(stack).first() else { continue };
            let function = self.names.frame(*top).function;
            let place = *places.entry(function).or_insert_with(|| {
                order.push((function, 0.0, stack, 0.0));
                order.len() - 1
            });
            if let Some((_, sum, heaviest, most)) = order.get_mut(place) {
                *sum += weight;
                if weight > *most {
                    (*heaviest, *most) = (stack, weight);
                }
            }
        }
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        Value::methods(order.iter().take(count).filter_map(|(_, sum, stack, _)| {
            Some(MethodRow {
                method: self.frame(*self.frames(*stack).first()?),
                application_frame: self.application_frame(*stack).map(|f| self.frame(f)),
                value: Box::new(value(*sum)),
                percent: crate::math::ratio(*sum, total) * 100.0,
            })
        }))
    }
}
