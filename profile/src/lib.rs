//! Profiles as data: symbols in tables with typed handles, and samples that refer to them ([`Profile`]);
//! profiles of any language ([`any`]); call trees, tables and comparisons of both ([`tree`]); numbers for
//! people ([`units`]).
//!
//! This crate knows nothing about recordings or files: `jfr-analyzers` fills profiles from recordings,
//! `pprof-emit` writes them. Start with [`ProfileSet`] and [`Profile`]; [`Interner`] fills the [`Tables`] from
//! many threads.

#![forbid(unsafe_code)]

pub mod any;
mod cancel;
pub mod index;
mod intern;
mod kinds;
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
