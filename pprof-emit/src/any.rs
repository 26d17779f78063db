//! pprof files of any language, in and out, without loss.
//!
//! [`read_any`] decodes a file straight into the columns of an [`AnyProfile`](jfrkit_profile::any::AnyProfile); [`write_any`] is its inverse. Ids of mappings, functions and
//! locations are numbered anew, everything else comes back as it was.

mod decode;
mod encode;
mod scan;

pub use decode::{AnyError, AnyLimits, read_any};
pub use encode::{any_to_bytes, write_any};
