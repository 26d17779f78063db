//! Profiles as data: symbols in tables with typed handles, and samples that refer to them ([`Profile`]);
//! profiles of any language ([`any`]); call trees, tables and comparisons of both ([`tree`]); numbers for
//! people ([`units`]).
//!
//! This crate knows nothing about recordings or files: `jfr-analyzers` fills profiles from recordings,
//! `pprof-emit` writes them. Start with [`ProfileSet`] and [`Profile`]; [`Interner`] fills the [`Tables`] from
//! many threads.
//!
//! A profile made up by hand, and its hottest methods:
//!
//! ```
//! use jfrkit_profile::tree::{By, CallStacks, View, table};
//! use jfrkit_profile::{Cancel, Frame, Function, Interner, LabelSetId, Profile, ProfileType, Samples};
//!
//! let interner = Interner::new();
//! let mut symbols = interner.symbols();
//! let stack = ["shop.Cart.total", "shop.Main.main"].map(|method| {
//!     let name = symbols.string(method);
//!     let function = symbols.function_id(Function { name, ..Function::default() });
//!     symbols.frame_id(Frame { function, line: 12 })
//! });
//! drop(symbols);
//! let mut samples = Samples::new(2);
//! // 3 samples of 20 ms each.
//! samples.push(interner.stack(&stack), LabelSetId::default(), &[3, 60_000_000]);
//! let profile = Profile::new(ProfileType::Cpu, samples);
//! let stacks = CallStacks::of(&profile, &interner.freeze());
//! let top = table(&stacks, 1, &View::default(), &By::Function, &Cancel::never())?;
//! let rows: Vec<_> = top.rows.iter().map(|row| (&*row.key, row.own, row.total)).collect();
//! assert_eq!(rows, [("shop.Cart.total", 60_000_000, 60_000_000), ("shop.Main.main", 0, 60_000_000)]);
//! # Ok::<(), jfrkit_profile::tree::TreeError>(())
//! ```

#![forbid(unsafe_code)]

pub mod any;
mod cancel;
pub mod index;
mod intern;
mod kinds;
pub mod layout;
mod place;
mod places;
mod profile;
mod set;
mod stacks;
mod tables;
mod timeline;
pub mod tree;
pub mod units;
pub mod work;

pub use cancel::{Cancel, Canceled};
pub use intern::{Interner, Symbols};
pub use kinds::{ProfileType, ValueType};
pub use place::{is_jdk, only_waits};
pub use profile::{Period, Profile, Sample, Samples, TIME_LABEL};
pub use set::{Absent, ProfileSet};
pub use stacks::{BLOCK, Frames, Stack};
pub use tables::{
    BlockId, Frame, FrameId, Function, FunctionId, Label, LabelSetId, LabelValue, StackId, StrId, Tables,
};
pub use timeline::{Moment, Moments, Timeline};
