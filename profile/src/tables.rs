//! Strings, functions, frames and stacks, each stored once, no matter how many chunks repeat them.
//!
//! Many threads fill the tables at once ([`Interner`](super::Interner)), so the order of handles is arbitrary.
//! Writers renumber everything in the order of the samples.

use super::intern::Symbols;
use super::stacks::{Blocks, Parts, Stack, Stacks, block_of};

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub(super) u32);

        impl $name {
            /// The handle as an index. Except for stacks and blocks, it is less than the number of handles of
            /// this kind.
            #[inline]
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The handle with this number.
            #[inline]
            #[allow(dead_code, reason = "not every kind of handle is made outside of the tables")]
            pub const fn from_number(number: u32) -> Self {
                Self(number)
            }

            /// The handle as a number.
            #[inline]
            #[allow(dead_code, reason = "see from_number")]
            pub const fn number(self) -> u32 {
                self.0
            }
        }

        crate::impl_id!($name);
    )*};
}

handles! {
    /// A string in [`Tables`]; the default is the empty string.
    StrId;
    /// A function in [`Tables`].
    FunctionId;
    /// A frame in [`Tables`].
    FrameId;
    /// A stack in [`Tables`].
    StackId;
    /// A block of frames that stacks in [`Tables`] share.
    BlockId;
    /// A set of labels in [`Tables`]; the default is the empty set.
    LabelSetId;
}

/// A method or native function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Function {
    /// `package.Class.method`.
    pub name: StrId,
    /// Distinguishes overloads: the descriptor (`(I)V`), alone or after the name; the name again if there is no
    /// descriptor.
    pub system_name: StrId,
    /// The likely source file, or empty.
    pub file: StrId,
    /// The native library that contains the function; empty for Java.
    pub library: StrId,
}

/// A line of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function.
    pub function: FunctionId,
    /// The line number; 0 if unknown.
    pub line: u32,
}

/// A label of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label {
    /// The key, for example `thread`.
    pub key: &'static str,
    /// The value.
    pub value: LabelValue,
}

/// The value of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelValue {
    /// A string.
    Text(StrId),
    /// A number.
    Number(i64),
}

/// The symbols and stacks that profiles refer to.
#[derive(Debug)]
pub struct Tables {
    pub(super) symbols: Symbols,
    pub(super) blocks: Vec<Blocks>,
    pub(super) stacks: Vec<Stacks>,
}

impl Tables {
    /// The string with this handle.
    #[inline]
    #[must_use]
    pub fn str(&self, id: StrId) -> &str {
        self.symbols.str(id)
    }

    /// The handle of a string, if it is in the tables.
    #[must_use]
    pub fn string_id(&self, text: &str) -> Option<StrId> {
        self.symbols.find_string(text)
    }

    /// The number of strings; their handles start at 0.
    #[must_use]
    pub fn string_count(&self) -> usize {
        self.symbols.string_count()
    }

    /// The function with this handle.
    #[inline]
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Function {
        self.symbols.function(id)
    }

    /// The function with this number.
    #[must_use]
    pub fn function_at(&self, i: usize) -> Option<Function> {
        let id = u32::try_from(i).ok().filter(|_| i < self.function_count())?;
        Some(self.function(FunctionId(id)))
    }

    /// All functions with their handles.
    pub fn functions(&self) -> impl Iterator<Item = (FunctionId, Function)> {
        (0..).map_while(|i| Some((FunctionId(i), self.function_at(i as usize)?)))
    }

    /// The number of functions; their handles start at 0.
    #[must_use]
    pub fn function_count(&self) -> usize {
        self.symbols.function_count()
    }

    /// The frame with this handle.
    #[inline]
    #[must_use]
    pub fn frame(&self, id: FrameId) -> Frame {
        self.symbols.frame(id)
    }

    /// The number of frames; their handles start at 0.
    #[must_use]
    pub fn frame_count(&self) -> usize {
        self.symbols.frame_count()
    }

    /// The frames of a stack, leaf first.
    #[inline]
    #[must_use]
    pub fn stack(&self, id: StackId) -> Stack<'_> {
        let shards = self.stacks.len().max(1);
        let none = Parts { loose: &[], blocks: &[], marks: &[] };
        let parts = self.stacks.get(id.index() % shards).map_or(none, |s| s.get(id.index() / shards));
        Stack { parts, blocks: &self.blocks }
    }

    /// The frames of a block, leaf first.
    #[inline]
    #[must_use]
    pub fn block(&self, id: BlockId) -> &[FrameId] {
        block_of(&self.blocks, FrameId(id.0))
    }

    /// An exclusive upper bound of the block numbers; not all numbers below it are in use.
    #[must_use]
    pub fn block_bound(&self) -> usize {
        self.blocks.iter().map(Blocks::len).max().unwrap_or(0).saturating_mul(self.blocks.len())
    }

    /// An exclusive upper bound of the stack numbers; not all numbers below it are in use.
    #[must_use]
    pub fn stack_bound(&self) -> usize {
        self.stacks.iter().map(Stacks::len).max().unwrap_or(0).saturating_mul(self.stacks.len())
    }

    /// The labels of a label set.
    #[must_use]
    pub fn labels(&self, id: LabelSetId) -> &[Label] {
        self.symbols.labels_of(id)
    }
}
