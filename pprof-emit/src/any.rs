//! Reads and writes pprof files of any language, without loss.
//!
//! [`read_any`] decodes a file straight into the columns of an [`AnyProfile`](jfrkit_profile::any::AnyProfile);
//! [`write_any`] is its inverse. The ids of mappings, functions and locations are renumbered; everything else
//! is preserved.
//!
//! Merging and converting profiles belongs in [`jfrkit_profile::any`], other formats in
//! [`export`](crate::export). The messages as structs, for code that edits single fields, are in
//! [`pb`](crate::pb). Start with `decode.rs`.

mod decode;
mod encode;
mod scan;

pub use decode::{AnyError, AnyLimits, read_any};
pub use encode::{any_to_bytes, write_any};
