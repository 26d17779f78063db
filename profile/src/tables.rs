//! Strings, functions, frames and stacks, each kept once, however many chunks repeat them.
//!
//! They are filled by many threads at once ([`Interner`](super::Interner)), so handles come out in no particular
//! order; whatever is written is numbered anew in the order of the samples.

use super::intern::Symbols;
use super::stacks::{Blocks, Parts, Stack, Stacks, block_of};

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub(super) u32);

        impl $name {
            /// Its number: below the number of all handles of this kind, except for stacks and blocks.
            #[inline]
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The handle of this number.
            #[inline]
            #[allow(dead_code, reason = "not every kind of handle is made outside of the tables")]
            pub const fn from_number(number: u32) -> Self {
                Self(number)
            }

            /// Its number.
            #[inline]
            #[allow(dead_code, reason = "see from_number")]
            pub const fn number(self) -> u32 {
                self.0
            }
        }
    )*};
}

handles! {
    /// A string of [`Tables`]; the default is the empty one.
    StrId;
    /// A function of [`Tables`].
    FunctionId;
    /// A frame of [`Tables`].
    FrameId;
    /// A stack of [`Tables`].
    StackId;
    /// A block of frames that stacks of [`Tables`] share.
    BlockId;
    /// A set of labels of [`Tables`]; the default is the empty one.
    LabelSetId;
}

/// A method or native function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Function {
    /// `package.Class.method`.
    pub name: StrId,
    /// What tells overloads apart: the descriptor (`(I)V`), by itself or behind the name; the name again where there is no
    /// descriptor.
    pub system_name: StrId,
    /// The likely source file, or empty.
    pub file: StrId,
    /// The native library that holds it; empty for Java.
    pub library: StrId,
}

/// A line of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function.
    pub function: FunctionId,
    /// The line, 0 for unknown.
    pub line: u32,
}

/// A label of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label {
    /// Its key, for example `thread`.
    pub key: &'static str,
    /// Its value.
    pub value: LabelValue,
}

/// The value of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelValue {
    /// A text.
    Text(StrId),
    /// A number.
    Number(i64),
}

/// Symbols and stacks that profiles refer to.
#[derive(Debug)]
pub struct Tables {
    pub(super) symbols: Symbols,
    pub(super) blocks: Vec<Blocks>,
    pub(super) stacks: Vec<Stacks>,
}

impl Tables {
    /// A string.
    #[inline]
    #[must_use]
    pub fn str(&self, id: StrId) -> &str {
        self.symbols.str(id)
    }

    /// The handle of a string, if it is there.
    #[must_use]
    pub fn string_id(&self, text: &str) -> Option<StrId> {
        self.symbols.find_string(text)
    }

    /// How many strings there are; their handles count from 0.
    #[must_use]
    pub fn string_count(&self) -> usize {
        self.symbols.string_count()
    }

    /// A function.
    #[inline]
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Function {
        self.symbols.function(id)
    }

    /// The function of this number.
    #[must_use]
    pub fn function_at(&self, i: usize) -> Option<Function> {
        let id = u32::try_from(i).ok().filter(|_| i < self.function_count())?;
        Some(self.function(FunctionId(id)))
    }

    /// How many functions there are; their handles count from 0.
    #[must_use]
    pub fn function_count(&self) -> usize {
        self.symbols.function_count()
    }

    /// A frame.
    #[inline]
    #[must_use]
    pub fn frame(&self, id: FrameId) -> Frame {
        self.symbols.frame(id)
    }

    /// How many frames there are; their handles count from 0.
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

    /// The frames of a block of a stack, the leaf's first.
    #[inline]
    #[must_use]
    pub fn block(&self, id: BlockId) -> &[FrameId] {
        block_of(&self.blocks, FrameId(id.0))
    }

    /// The numbers of all blocks are below this; not all numbers are taken.
    #[must_use]
    pub fn block_bound(&self) -> usize {
        self.blocks.iter().map(Blocks::len).max().unwrap_or(0).saturating_mul(self.blocks.len())
    }

    /// The labels of a set.
    #[must_use]
    pub fn labels(&self, id: LabelSetId) -> &[Label] {
        self.symbols.labels_of(id)
    }
}
