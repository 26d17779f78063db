//! Writes profiles as pprof (`profile.proto`, gzipped), as collapsed stacks, or for other viewers (Speedscope with
//! [`write_speedscope`], OpenTelemetry and the Firefox Profiler in [`export`]), and reads pprof. Start with [`write_all`] and [`read_any`].
//!
//! Two kinds of profiles are written: those of recordings ([`Profile`](jfrkit_profile::Profile)) by the files
//! of this folder and of `number/`, those of any language ([`AnyProfile`](jfrkit_profile::any::AnyProfile)) by
//! [`any`] and [`export`]. Reading recordings, building trees and comparing do not belong here.
//!
//! The output depends only on the content of a profile, not on the number of threads or the numbers of the
//! handles in its [`Tables`](jfrkit_profile::Tables).
//!
//! Write a profile, read it again, and add up its values:
//!
//! ```
//! use jfrkit_profile::{Cancel, Frame, Function, Interner, LabelSetId, Profile, ProfileType, Samples};
//! use pprof_emit::{AnyLimits, Options, read_any, write_pprof};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let interner = Interner::new();
//! let name = interner.symbols().string("shop.Cart.total");
//! let function = interner.symbols().function_id(Function { name, ..Function::default() });
//! let frame = interner.symbols().frame_id(Frame { function, line: 12 });
//! let mut samples = Samples::new(2);
//! samples.push(interner.stack(&[frame]), LabelSetId::default(), &[3, 60_000_000]);
//! let mut file = Vec::new();
//! write_pprof(&Profile::new(ProfileType::Cpu, samples), &interner.freeze(), &mut file, &Options::default())?;
//!
//! let read = read_any(&file, &AnyLimits::default(), &Cancel::never())?;
//! for (i, of) in read.sample_types.iter().enumerate() {
//!     let total: i64 = read.samples().map(|sample| sample.values[i]).sum();
//!     println!("{} {} {}", read.texts.get(of.name), total, read.texts.get(of.unit));
//! }
//! # assert_eq!(read.samples().map(|sample| sample.values[1]).sum::<i64>(), 60_000_000);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod any;
mod check;
mod collapsed;
mod encode;
pub mod export;
mod files;
mod number;
mod pack;
pub mod pb;
mod pool;
mod read;
mod speedscope;
mod stacks;
mod temporary;
mod wire;
mod write;
mod writer;

pub use any::{AnyError, AnyLimits, any_to_bytes, read_any, write_any};
pub use check::{CheckError, check};
pub use collapsed::{CollapsedOptions, write_collapsed};
pub use files::{Unfinished, WriteError, Written, write_all, write_each, write_file};
pub use read::{DEFAULT_UNPACKED_LIMIT, ReadError, read, read_with_limit};
pub use speedscope::write_speedscope;
pub use stacks::{StackError, StackLimits, call_stacks};
pub use temporary::Files;
pub use write::{Options, Packing, Stats, to_bytes, write_pprof};
