//! The recording itself.

mod dump_reason;
mod over_aggressive_recording_setting;

pub use dump_reason::DumpReason;
pub use over_aggressive_recording_setting::OverAggressiveRecordingSetting;

use super::boxed;
use crate::analysis::rule::Rule;

pub(super) fn all() -> Vec<Box<dyn Rule>> {
    boxed![DumpReason, OverAggressiveRecordingSetting]
}
