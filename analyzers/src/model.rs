//! The model that everything later shares: symbols in tables with typed handles, and profiles that refer to them.

mod intern;
mod kinds;
mod profile;
mod set;
mod stacks;
mod tables;

pub use intern::{Interner, Symbols};
pub use kinds::{ProfileType, ValueType};
pub use profile::{Period, Profile, Sample, Samples};
pub use set::{Absent, ProfileSet};
pub use tables::{Frame, FrameId, Function, FunctionId, Label, LabelSetId, LabelValue, StackId, StrId, Tables};
